"""How a host uses the chip: text and tables for its data sheet.

Tests: `tests/report/test_documents.py`.
"""

from collections.abc import Iterator

from hwgen.chip import sheet
from hwgen.chip.fields import Field, total_bits
from hwgen.chip.registers import ALIGNMENT_BYTES
from hwgen.chip.sheet import Facts, Packet, Place
from hwgen.mram.facts import records
from hwgen.mram.facts.arch import BANKS, MOST_MODES, Arch
from hwgen.mram.facts.energy import TABLE, EnergyTable, load_energy
from hwgen.mram.facts.registers import VERSION, ErrorCode
from hwgen.mram.facts.stream import section_beats

__all__ = ["ErrorCode"]

TITLE = "MRAM"

CLOCK = f"{sheet.ONE_CLOCK} {sheet.AFTER_RESET}"

STEPS = (
    sheet.PLACE,
    sheet.CHECK,
    "Write 1 to `command` (LOAD), then 1 to `control`. `busy` rises; when it falls, records,"
    " parameters and weights are in the chip, and the weight rows are locked.",
    "Write 0 to `command` (RUN), the number of images to `images`, a mode to `mode`, then 1 to"
    " `control`.",
    "While it runs, `mode` may be written at any time: it acts on the next image that begins.",
    sheet.WAIT,
    "Start again for the next images: the weights stay. A program with 0 weight rows brings other"
    " records and parameters for the same weights; one with weight rows needs bit 0 of `unlock`.",
)

PORTS = sheet.port_groups("what octets, banks and DPU do in the cycle, and retirements")

MEMORY_MAP = (
    Place(
        "`program_address`",
        "the program",
        "header, records of all modes, parameter words, weight rows, in this order without gaps;"
        " each begins on a beat of the port. Row r of all sub-arrays, sub-array 0 first, precedes"
        " row r + 1; bit c of a row is column c. LOAD reads it once, front to back.",
    ),
    Place(
        "`image_address`",
        "the images of a run",
        "each as in an image bank: pixels in raster order, a pixel of 1, 2, 4 or 8 blocks of"
        " channels, channel 0 first, zeros above the channels, padded to whole beats; the header's"
        " `image_stride` is the distance of two images",
    ),
    Place(
        "`answer_address`",
        "the answers of a run",
        "elements of 32 bits (of 64, if accumulators are wider), little-endian, pixels of whole"
        " blocks of lanes; lanes without a kernel have no strobes: what lies in memory stays. The"
        " header's `answer_stride` is the distance of two images; an image's outputs follow"
        f" one another in the file's order, each at a multiple of {ALIGNMENT_BYTES}",
    ),
)

BUFFERS = (
    "A map lies in one image bank. Pixel (y, x) begins at byte (y * width + x) * pixel blocks *"
    " block * element bytes; channel c is element c of the pixel. A pixel takes as many blocks in"
    " every mode as in the widest one; elements above the mode's channels hold anything."
)

FORMATS = "Program image"
FORMATS_TEXT = (
    f"Version {VERSION}. Fields are packed from the lowest bit upwards; remaining bits are zero."
    " Records have entries for every segment of a row: their length depends on the architecture."
    f" Kinds of records: {', '.join(f'{int(kind)} {kind.name}' for kind in records.Kind)}."
)


def packets(arch: Arch) -> Iterator[Packet]:
    """Yield header, record and parameters, as this architecture has them."""
    size = section_beats(arch)
    yield Packet(title=f"Header ({records.HEADER_BITS} bits)", text="", fields=records.HEADER)
    text = f"Those of the architecture `{arch.name}`, {size.record} beats of the memory port."
    title = f"Record ({records.record_bits(arch)} bits)"
    yield Packet(title=title, text=text, fields=records.record_fields(arch))
    lane: tuple[Field, ...] = records.parameter_fields(arch)
    yield Packet(
        title=f"Parameters of a lane ({total_bits(lane)} bits)",
        text=(
            f"A word holds those of {arch.block} lanes, lane 0 lowest:"
            f" {records.parameter_bits(arch)} bits, {size.parameter} beats."
        ),
        fields=lane,
    )


def facts(arch: Arch) -> Iterator[Facts]:
    """Yield sizes that follow from the architecture, then energies and areas."""
    yield Facts(
        title="Sizes",
        text=f"What follows from the architecture file `{arch.name}`.",
        columns=["size", "value", "meaning"],
        rows=sizes(arch),
    )
    table = load_energy(TABLE)
    costs: dict[tuple[str, str], float] = {
        (event, "arrays"): of.of(arch) for event, of in table.events.items()
    }
    for of in table.logic:
        costs[of.event, of.block] = costs.get((of.event, of.block), 0) + of.of(arch)
    yield Facts(
        title="Energy",
        text=(
            f"Of one event on this chip at {table.node_nm} nm, in arrays or in a block of logic,"
            f" and of a cycle that waits, from the table `{table.name}`, which"
            " `hwgen energy mram` writes with its sources; wires and clock tree are not counted."
            " Every sub-array and image bank leaks"
            f" {table.leakage.mw * arch.array.columns / table.leakage.columns:.3g} mW"
            "."
        ),
        columns=["event", "in", "pJ"],
        rows=[(f"`{event}`", place, f"{pj:.3g}") for (event, place), pj in costs.items()],
    )
    yield Facts(
        title="Area",
        text=f"Of one sub-array of 256 x 512 cells at {table.node_nm} nm.",
        columns=["part", "um2"],
        rows=areas(table),
    )


def areas(table: EnergyTable) -> list[tuple[str, str]]:
    """Return part and area."""
    area = table.area
    return [
        ("sub-array, with decoders and sense amplifiers", f"{area.sub_array_um2:,.0f}"),
        ("counters, joins and accumulators", f"{area.counting_um2:,.0f}"),
        ("latches and multiplexers of the in-memory adder", f"{area.adding_um2:,.0f}"),
    ]


def sizes(arch: Arch) -> list[tuple[str, int, str]]:
    """Return name, value and meaning of each size that is not in the file."""
    beats = section_beats(arch)
    places = "of a kernel at most, each a block of channels of a tap; nine a segment"
    return [
        ("octets", arch.octets, "groups of `block` sub-arrays with one controller"),
        ("segments", arch.segments, "of a row: a counter and an accumulator each"),
        ("segment columns", arch.segment_columns, "a block of channels of a 3 x 3 window"),
        *([("kernel places", arch.most_places, places)] if arch.any_kernel else ()),
        ("input columns", arch.input_columns, "width of the input tree"),
        ("weight rows", arch.weight_rows, "of a sub-array, from row 0 on"),
        ("bank bytes", arch.bank_bytes, f"of each of {BANKS} image banks: the largest map"),
        ("row blocks", arch.row_blocks, "blocks of a row of a bank: the largest pixel"),
        ("answer bits", arch.answer_bits, "of an element of the answer in memory"),
        ("modes", min(MOST_MODES, arch.record_entries), "of a program at most"),
        ("record beats", beats.record, "of a record in memory"),
        ("row beats", beats.row, "of a row of a sub-array in memory"),
    ]
