"""How a host uses the chip: text for its data sheet.

Tests: `tests/report/test_documents.py`.
"""

import inspect
from collections.abc import Iterator

from hwgen.chip import sheet
from hwgen.chip.fields import total_bits
from hwgen.chip.outside import outside_memory
from hwgen.chip.sheet import Facts, Packet, Place
from hwgen.dbpim.facts import instructions
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.energy import TABLE, load_energy
from hwgen.dbpim.facts.instructions import PIXEL_SIZES, ErrorCode

__all__ = ["ErrorCode"]

TITLE = "DB-PIM"

CLOCK = f"{sheet.ONE_CLOCK} After reset the chip is idle. Memories power up with any content."

STEPS = (
    sheet.PLACE,
    sheet.CHECK,
    "Write 1 to `control`. `busy` rises.",
    sheet.WAIT,
    "For the next images write their address and start again; the program stays in memory.",
)

PORTS = sheet.port_groups("words that the activation buffers store, and retirements")

MEMORY_MAP = (
    Place(
        "`program_address`",
        "the program",
        "BEGIN, then the stream of packets to END; each part of a packet begins on a beat of the"
        " port. In each run the chip reads the stream once, front to back, in segments between the"
        " data of LOADs. On a chip with a `row_unit` maps that do not depend on the image may lie"
        " behind END: a LOAD of the space PROGRAM reads there, and then the chip goes back to the"
        " segment that is next.",
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
        "int32, class 0 first, little-endian, or words of C bytes with zeros above the channels;"
        " written by STORE with byte strobes, nothing beyond and nothing between the answers of two"
        " images; the program's facts tell the offset of each image, and of each output if there"
        " are several: maps of bytes in the file's order, then raw sums",
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

FORMATS = "Instruction set"
FORMATS_TEXT = "\n\n".join(
    (
        f"Version {instructions.VERSION}.",
        " ".join((inspect.getdoc(instructions) or "").split("\n\n")[-1].split()),
    )
)


def packets(arch: Arch) -> Iterator[Packet]:
    """Yield every packet; those of an architecture with fewer cores are shorter."""
    del arch  # the tables are those of all architectures
    for opcode, fields in instructions.packets(instructions.NARROW).items():
        common = [field for field in fields if instructions.core_count(field.name) == 0]
        of_core = [field for field in fields if instructions.core_count(field.name) == 1]
        least, most = (
            instructions.packet_bits(opcode, cores) for cores in (1, instructions.MOST_CORES)
        )
        bits = f"{least} bits" if least == most else f"{least} to {most} bits"
        title = f"{opcode.name} ({int(opcode):#04x}, {bits})"
        yield Packet(title=title, text="", fields=common)
        if of_core:
            text = f"Then for each core {total_bits(of_core)} bits; those of core 0:"
            yield Packet(title="", text=text, fields=of_core, start=total_bits(common))
    bits = f"{instructions.PARAMETER_BITS} bits"
    title = f"Parameters of a filter in TILE, of a channel in TAPS ({bits})"
    yield Packet(title=title, text="", fields=instructions.PARAMETERS)


def facts(arch: Arch) -> Iterator[Facts]:
    """Yield what events cost, and areas."""
    table = load_energy(TABLE)
    costs = {
        (name, cost.part): sum(
            of.of(arch) for of in all_of if of.applies(arch) and of.part == cost.part
        )
        for name, all_of in table.events.items()
        for cost in all_of
        if cost.applies(arch) and cost.of(arch)
    }
    control, wires, port = table.control_pj, table.wires_ff, table.port or outside_memory()
    yield Facts(
        title="Energy",
        text=(
            f"Of one event on this chip at {table.node_nm} nm; `hwgen energy dbpim` writes the"
            f" table `{table.name}` with the source of each figure."
            f" A macro takes {control.typical} pJ more in each cycle, {control.low} to"
            f" {control.high}; wires have {wires.typical} fF a fan-out, {wires.low} to"
            f" {wires.high}. The memory outside is not among them:"
            f" {port.pj / port.bits:g} pJ a bit."
            " [How sums are made](howto/energy.md#what-a-db-pim-energy-is-made-of)."
        ),
        columns=["event", "part", "pJ"],
        rows=[(f"`{name}`", part, f"{pj:.3g}") for (name, part), pj in costs.items()],
    )
    areas: dict[str, float] = {}
    for area in table.area:
        if area.applies(arch):
            areas[area.part] = areas.get(area.part, 0) + area.of(arch)
    yield Facts(
        title="Area",
        text=(
            f"Of all parts of this chip at {table.node_nm} nm; the sum may be"
            f" {table.area_uncertainty:.0%} less or more, since there is no layout."
        ),
        columns=["part", "um2"],
        rows=[(part, f"{um2:,.0f}") for part, um2 in areas.items() if um2],
    )
