"""How a host uses the chip: text and tables for its data sheet.

Tests: `tests/report/test_documents.py`.
"""

from collections.abc import Iterator

from hwgen.chip import sheet
from hwgen.chip.fields import Field
from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.chip.sheet import Facts, Packet, Place
from hwgen.crossbar.facts import loads
from hwgen.crossbar.facts.arch import Arch, fabric_of_chip
from hwgen.crossbar.facts.image_io import BANKS, HEADER_BEATS
from hwgen.crossbar.facts.packets import HEADER_FIELDS
from hwgen.crossbar.facts.registers import VERSION, ErrorCode

__all__ = ["ErrorCode"]

TITLE = "Crossbar"

CLOCK = f"{sheet.ONE_CLOCK} {sheet.AFTER_RESET}"

STEPS = (
    sheet.PLACE,
    sheet.CHECK,
    "Write 1 to `command` (LOAD), then 1 to `control`. `busy` rises; when it falls, cells and"
    " numbers are in the macros, and stay there.",
    "Write 0 to `command` (RUN), the number of images to `images`, the steps from one to the next"
    " to `interval` (the architecture's `stream.interval_steps`, or more), then 1 to `control`.",
    sheet.WAIT,
    "Start again for the next images. `held_clocks` says by how much a late memory made steps"
    " longer; it changes no answer.",
)

PORTS = sheet.port_groups("steps, strobes, stores, events and retirements of each cycle")

MEMORY_MAP = (
    Place(
        "`program_address`",
        "the program",
        f"a header of {HEADER_BEATS} beats: version and `id`; number of beats behind it;"
        " the checksum; then packets of all macros, a flit a beat. LOAD reads it once, front to"
        " back.",
    ),
    Place(
        "`image_address`",
        "the images of a run",
        "elements in the order row, column, channel without gaps, the first one lowest; an image"
        f" begins at a multiple of {ALIGNMENT_BYTES} behind the one before it",
    ),
    Place(
        "`answer_address`",
        "the answers of a run",
        "maps that no layer reads, block by block of `copies` pixels, elements without gaps; each"
        " block begins with a beat; an answer begins at a multiple of"
        f" {ALIGNMENT_BYTES} behind the one before it",
    ),
)

BUFFERS = (
    f"The I/O node holds {BANKS} images, and the answers of {BANKS}. A map lies in rings of the"
    " scratchpads: pixel p begins p x channels elements behind the first one, modulo the ring."
)

FORMATS = "Packets"
FORMATS_TEXT = (
    f"Version {VERSION}. Fields are packed from the lowest bit upwards; remaining bits are zero."
    " A packet is a header and the flits of one entry."
)

KINDS = (
    ("Header", "Of every packet.", HEADER_FIELDS),
    (
        "Column",
        "Its cells follow in planes of `side` bits, plane 0 and row 0 lowest; of differential cells"
        " the planes of the positive ones, then those of the negative ones.",
        loads.COLUMN_FIELDS,
    ),
    ("Channel", "In two flits: the bias, then both others.", loads.CHANNEL_FIELDS),
    ("Limits", "Of a layer.", loads.LIMITS_FIELDS),
    ("Operands", "Of an addition of two maps, by position.", loads.OPERANDS_FIELDS),
    ("Table", "Of an element, the lowest one first.", loads.TABLE_FIELDS),
)

MEANINGS = {
    "travel": "number of a travel, or behind those of the load of a macro",
    "count": "elements that follow, of a load: flits",
    "target": "of a load: what is written; of a column: its sum",
    "index": "of a load: which entry",
    "flip": "the column holds the complement",
    "first": "the column begins its sum",
    "cell_slice": "its weight is 2^(slice x cell bits)",
    "unit": "set of input registers",
    "lane": "that converts it",
    "slot": "samples of that lane before it in a bit step",
    "bias": "signed",
    "multiplier": "M, 16 bits",
    "shift": "s",
    "input_zero": "zero point of the map that is read",
    "zero_point": "of the map that is written",
    "low": "least element",
    "high": "greatest element",
    "value": "what a function makes of it",
}


def packets(arch: Arch) -> Iterator[Packet]:
    """Yield the header, and an entry of each kind."""
    for title, text, fields in KINDS:
        yield Packet(title=title, text=text, fields=with_meanings(fields))


def with_meanings(fields: loads.Fields) -> list[Field]:
    """Return fields of a table with what they mean."""
    return [
        Field(name, bits, MEANINGS.get(name) or MEANINGS.get(name.rpartition("_")[0]) or "operand")
        for name, bits in fields
    ]


def facts(arch: Arch) -> Iterator[Facts]:
    """Yield sizes that follow from the architecture."""
    fabric = fabric_of_chip(arch, arch.name)
    yield Facts(
        title="Sizes",
        text=f"Of the architecture `{arch.name}`; each synthesized chip has its own.",
        columns=["size", "value", "meaning"],
        rows=[
            ("macros", arch.mesh.macros, f"on {arch.mesh.rows} x {arch.mesh.columns} routers"),
            ("crossbars", sum(one.crossbars for one in fabric.macros), "of all macros"),
            ("side", arch.point.side, "rows, and columns, of a crossbar"),
            ("ADC bits", arch.adc_bits, "of each of the converters"),
            ("ADCs", sum(one.adcs for one in fabric.macros), "of all macros"),
            ("step clocks", fabric.clock.step_clocks, "of a pipeline step"),
            ("interval steps", fabric.stream.interval_steps, "from one image to the next"),
            ("images", fabric.stream.images, "of a run at most: the rings are sized for them"),
        ],
    )
