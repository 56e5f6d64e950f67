"""How a host uses the chip: text for its data sheet."""

from dataclasses import dataclass

from hwgen.spec.axi import PAGE_BYTES
from hwgen.spec.dbpim.instructions import ALIGNMENT_BYTES, PIXEL_SIZES
from hwgen.spec.dbpim.timing import BURST_BEATS

TITLE = "DB-PIM"

CLOCK = (
    "One clock, `clk`; one synchronous active-high reset, `rst`. There is no clock-domain crossing"
    " inside: a host on another clock needs bridges. After reset the chip is idle. Memories"
    " power up with any content."
)

STEPS = (
    "Place the program, the images and a buffer for the answers in memory, each at a multiple of"
    f" {ALIGNMENT_BYTES}. At multiples of {PAGE_BYTES} the cycles are those that the model"
    " predicts.",
    "Check `id` and `version`; write the addresses.",
    "Write 1 to `control`. `busy` rises.",
    "Wait until `busy` falls. If `done` is set, the answers are in memory; otherwise `error` holds"
    " the reason.",
    "For the next images write their address and start again; the program stays in memory.",
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
        "BEGIN, then the stream of packets; each part of a packet begins on a beat of the port. The"
        " chip reads it once for each run, front to back.",
    ),
    Place(
        "`image_address`",
        "the images of a run",
        f"pixels in raster order without gaps, channel 0 first, {PIXEL_SIZES} bytes a pixel (zeros"
        " above its channels), padded to whole beats; more channels: whole words; the facts of the"
        " program tell the distance of two images",
    ),
    Place(
        "`logits_address`",
        "the answers",
        "int32, class 0 first, little-endian, or bytes; written by STORE with byte strobes, nothing"
        " beyond; the program's facts tell the offset of each image",
    ),
    Place(
        "`scratch_address`",
        "maps that do not fit into the buffers",
        "words of a map in raster order; the program's facts tell the size",
    ),
)

BUFFERS = (
    "A core holds a slice of each map: some of its stored rows. Image n of a step has pixel (y, x)"
    " at stored row R = n * image_rows + y and stored column X = n * image_columns + x. Its channel"
    " word w is in bank (X + bank_skew * R) mod banks at address base + (R - first) * row_pitch +"
    " (X div banks) * channel_words + w; channel 0 is its lowest byte; bank_skew = max(1, banks /"
    " 2); first: the first stored row of the core's slice."
)
