"""What a host must know to use the chip, for its data sheet."""

from dataclasses import dataclass

from hwgen.spec.axi import PAGE_BYTES
from hwgen.spec.dbpim.instructions import ALIGNMENT_BYTES, INSTRUCTION_BITS, PIXEL_SIZES
from hwgen.spec.dbpim.timing import BURST_BEATS

TITLE = "DB-PIM"

CLOCK = (
    "One clock, `clk`; one synchronous active-high reset, `rst`. There is no clock-domain crossing"
    " inside: a host on another clock brings its own bridges. After reset nothing runs. Memories"
    " start with any content."
)

STEPS = (
    "Place program, image and room for the logits in memory, each at a multiple of"
    f" {ALIGNMENT_BYTES}. At multiples of {PAGE_BYTES} the cycles are those that the model"
    " predicts.",
    "Check `id` and `version`; write the three addresses.",
    "Write 1 to `control`. `busy` rises.",
    "Wait until `busy` falls. `done` tells that the logits are in memory, `error` what else.",
    "For the next image write its address and start again; the program stays where it is.",
)

PORTS = {
    "registers": "AXI4-Lite subordinate, 32 bits of data; `awprot` and `arprot` are ignored",
    "memory": (
        f"AXI4 manager: INCR bursts of at most {BURST_BEATS} beats that never cross"
        f" {PAGE_BYTES // 1024} KiB, one ID"
    ),
    "trace": "for benches: words that the activation buffers store, and retirements",
}
"""What the ports with a common prefix are."""


@dataclass(frozen=True)
class Place:
    """Something that lies in memory."""

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
