"""What a family tells for its data sheet, as types that `hwgen.report.data_sheet` prints."""

from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.chip.axi import BURST_BEATS, PAGE_BYTES
from hwgen.chip.fields import Field
from hwgen.chip.registers import ALIGNMENT_BYTES

ONE_CLOCK = (
    "One clock, `clk`; one synchronous active-high reset, `rst`. There is no clock-domain crossing"
    " inside: a host on another clock needs bridges."
)
AFTER_RESET = (
    "After reset the chip is idle and holds no program. Cells and memories power up with any"
    " content."
)
"""Of a chip that keeps its program."""

PLACE = (
    "Place the program, the images and a buffer for the answers in memory, each at a multiple of"
    f" {ALIGNMENT_BYTES}. At multiples of {PAGE_BYTES} the cycles are those that the model"
    " predicts."
)
CHECK = "Check `id` and `version`; write the addresses."
WAIT = (
    "Wait until `busy` falls, or for `irq` if `interrupt_enable` is set; write 1 to `interrupt`"
    " before the next start. If `done` is set, the answers are in memory; otherwise `error` holds"
    " the reason."
)
"""Steps of a host that are those of every chip."""


@dataclass(frozen=True)
class Place:
    """A buffer in memory: the register with its address, its content and its layout."""

    address: str
    content: str
    layout: str


@dataclass(frozen=True, kw_only=True)
class Packet:
    """Bit fields that software writes and the chip decodes.

    title: empty for fields that continue the packet before; start: place of the first one
    """

    title: str
    text: str
    fields: Sequence[Field]
    start: int = 0


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A table of further facts of a chip, with a heading of its own."""

    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[object]]


def port_groups(trace: str) -> dict[str, str]:
    """Return the groups of ports with a common prefix, and what they are; trace: what it shows."""
    return {
        "registers": "AXI4-Lite subordinate, 32 bits of data; `awprot` and `arprot` are ignored",
        "memory": (
            f"AXI4 manager: INCR bursts of at most {BURST_BEATS} beats that never cross"
            f" {PAGE_BYTES // 1024} KiB, one ID"
        ),
        "trace": f"for benches: {trace}",
    }
