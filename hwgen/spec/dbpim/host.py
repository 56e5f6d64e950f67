"""How a host uses the chip: text for its data sheet."""

from dataclasses import dataclass

from hwgen.spec.axi import PAGE_BYTES
from hwgen.spec.dbpim.instructions import ALIGNMENT_BYTES, INSTRUCTION_BITS, PIXEL_SIZES
from hwgen.spec.dbpim.timing import BURST_BEATS

TITLE = "DB-PIM"

CLOCK = (
    "One clock, `clk`; one synchronous active-high reset, `rst`. There is no clock-domain crossing"
    " inside: a host on another clock needs bridges. After reset the chip is idle. Memories"
    " power up with any content."
)

STEPS = (
    "Place the program, the image and a buffer for the logits in memory, each at a multiple of"
    f" {ALIGNMENT_BYTES}. At multiples of {PAGE_BYTES} the cycles are those that the model"
    " predicts.",
    "Check `id` and `version`; write the three addresses.",
    "Write 1 to `control`. `busy` rises.",
    "Wait until `busy` falls. If `done` is set, the logits are in memory; otherwise `error` holds"
    " the reason.",
    "For the next image write its address and start again; the program stays in memory.",
)

PORTS = {
    "registers": "AXI4-Lite subordinate, 32 bits of data; `awprot` and `arprot` are ignored",
    "memory": (
        f"AXI4 manager: INCR bursts of at most {BURST_BEATS} beats that never cross"
        f" {PAGE_BYTES // 1024} KiB, one ID"
    ),
    "trace": "for benches: words that the activation buffers store, and retirements",
}
"""Groups of ports with a common prefix."""


@dataclass(frozen=True)
class Place:
    """A buffer in memory: the register with its address, its content and its layout."""

    address: str
    content: str
    layout: str


MEMORY_MAP = (
    Place(
        "`program_address`",
        "the program",
        f"BEGIN ({INSTRUCTION_BITS // 8} bytes), then the stream of packets; each part of a packet"
        " begins on a beat of the port. The chip reads it once for each image, front to back.",
    ),
    Place(
        "`image_address`",
        "one image",
        f"pixels in raster order without gaps, channel 0 first, {PIXEL_SIZES} bytes a pixel (zeros"
        " above its channels), padded to whole beats",
    ),
    Place(
        "`logits_address`",
        "the answer",
        "int32, class 0 first, little-endian; written by STORE with byte strobes, nothing beyond",
    ),
)

BUFFERS = (
    "Maps lie in the activation buffers, the same in every core. Channel word w of pixel (y, x) is"
    " in bank (x + bank_skew * y) mod banks at address base + y * row_pitch + (x div banks) *"
    " channel_words + w; channel 0 is its lowest byte; bank_skew = max(1, banks / 2)."
)
