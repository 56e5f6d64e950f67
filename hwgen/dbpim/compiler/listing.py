"""A program as text: its steps with their places, then the packets that the chip will read."""

import textwrap
from collections import Counter
from collections.abc import Iterator

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Coding, Opcode, core_count
from hwgen.dbpim.facts.program import Placement, Program, StepPlan
from hwgen.dbpim.facts.stream import (
    Packet,
    TapsPacket,
    TilePacket,
    decode_stream,
    header_beats,
    taps_beats,
    tile_beats,
)

WIDTH = 100
FLAGS = ("first", "last", "last_group", "parameters")


def listing(program: Program, arch: Arch) -> str:
    """Return the step list, one line or a few for each packet, and totals."""
    packets = decode_stream(program.image, arch)
    lines = [
        f"program of {program.facts.network_name} for {program.facts.architecture_name}:"
        f" {len(program.image)} bytes, {len(program.image) // arch.port_bytes} beats"
        f" of {arch.port_bits} bits",
        "",
        *step_lines(program),
        "",
        " address   bytes  packet",
    ]
    for packet in packets:
        lines += packet_lines(packet, arch)
    return "\n".join([*lines, "", *totals(packets, arch), ""])


def step_lines(program: Program) -> Iterator[str]:
    """Yield the steps: number, kind, name, what they compute and where their results are."""
    facts = program.facts
    yield f"{len(facts.steps)} steps for {facts.images} image{'s' * (facts.images > 1)}:"
    for number, plan in enumerate(facts.steps):
        start = f"{number:5}  {plan.kind:<5} "
        text = ", ".join(step_facts(plan))
        yield from textwrap.wrap(
            text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start)
        )


def step_facts(plan: StepPlan) -> Iterator[str]:
    """Yield what a step does, as parts of a sentence."""
    yield plan.name
    if plan.kind in ("conv", "simd"):
        yield f"{plan.op} of {' and '.join(plan.inputs)}"
        yield f"{plan.sets} x {plan.share} cores"
    if plan.weight_rows:
        yield f"{plan.filter_groups} filter groups of up to {plan.tiles} tiles"
        yield f"{plan.chunks} chunks" if plan.chunks > 1 else "1 chunk"
        yield f"{plan.rows_loaded} rows of weights"
    if plan.output:
        yield placement_text(plan.output)
    if plan.memory:
        place = plan.memory
        yield f"{place.size} bytes at {place.offset} of {place.space}"


def placement_text(place: Placement) -> str:
    """Return where a map lies: first word, and the stored rows of each core."""
    slices = " ".join(
        f"{first}-{first + rows - 1}" if rows else "none"
        for first, rows in zip(place.first, place.rows, strict=True)
    )
    return f"at word {place.base} ({place.words} a bank), rows of the cores {slices}"


def packet_lines(packet: Packet, arch: Arch) -> list[str]:
    """Return the lines of one packet: address, size, name and content."""
    size = packet.beats * arch.port_bytes
    start = f"{packet.offset:08x}  {size:6}  {packet.opcode.name:<7}  "
    text = tile_text(packet, arch) if isinstance(packet, TilePacket) else field_text(packet, arch)
    lines = textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
    return lines or [start.rstrip()]


def field_text(packet: Packet, arch: Arch) -> str:
    """Return every field that the chip has, and its value."""
    shown = []
    for name, value in packet.fields.items():
        if core_count(name) > arch.cores:
            continue
        if name in ("architecture", "network"):
            shown.append(f"{name}={value:08x}")
        elif name in ("active_cores", "cores"):
            shown.append(f"{name}={core_list(value)}")
        elif name != "opcode":
            shown.append(f"{name}={value}")
    return " ".join(shown)


def tile_text(tile: TilePacket, arch: Arch) -> str:
    """Return the cores that store a tile and its content.

    `cell_columns` has one digit for each filter: its enabled cell columns; of a pair tile one for
    each filter of the first group, then of the second one.
    """
    fields = tile.fields
    enables = (fields["filter_enable"] >> 2 * place & 3 for place in range(arch.filters))
    columns = "".join(str(bits.bit_count()) for bits in enables)
    group = str(fields["group"])
    if fields["double"]:
        ones = f"{fields['filter_enable']:0{2 * arch.filters}b}"[::-1]
        columns, group = ones[::2] + ones[1::2], f"{group}+{fields['second_group']}"
    start = f"{fields['kernel_y']}.{fields['kernel_x']}.{fields['channel_word']}"
    flags = " ".join(name for name in FLAGS if fields[name])
    return (
        f"cores={core_list(fields['cores'])} group={group} start={start}"
        f" words={len(tile.masks)} selected={tile.masks.sum()}/{tile.masks.size}"
        f" rows={len(tile.codes)} cell_columns={columns} turn={fields['turn']} {flags}"
    )


def core_list(bits: int) -> str:
    """Return the numbers of the set bits: `0,1,5`."""
    return ",".join(str(core) for core in range(bits.bit_length()) if bits >> core & 1)


def totals(packets: list[Packet], arch: Arch) -> Iterator[str]:
    """Yield counts of packets, and the bytes of each part."""
    tiles = [packet for packet in packets if isinstance(packet, TilePacket)]
    beats: Counter[str] = Counter()
    for packet in packets:
        beats.update(part_beats(packet, arch))
    counts = Counter(packet.opcode for packet in packets)
    known = [each for each in Opcode if each is not Opcode.FLOATS or arch.row_unit]
    yield "packets: " + ", ".join(f"{counts[opcode]} {opcode.name}" for opcode in known)
    yield "bytes:   " + ", ".join(f"{n * arch.port_bytes} {part}" for part, n in beats.items())
    selected = sum(int(tile.masks.sum()) for tile in tiles)
    bits = sum(tile.masks.size for tile in tiles)
    yield f"masks:   {selected} of {bits} bits select an input"
    yield f"rows:    {sum(len(tile.codes) for tile in tiles)} of weights"


def part_beats(packet: Packet, arch: Arch) -> dict[str, int]:
    """Return the beats of each part of a packet."""
    if isinstance(packet, TilePacket):
        parts = tile_beats(
            arch,
            mask_words=len(packet.masks),
            parameters=bool(packet.parameters),
            rows=len(packet.codes),
            coding=Coding(packet.fields["coding"]),
            double=bool(packet.fields["double"]),
        )
        return {
            "tile headers": parts.header,
            "masks": parts.masks,
            "parameters": parts.parameters,
            "weight rows": parts.rows,
        }
    if isinstance(packet, TapsPacket):
        taps = taps_beats(arch)
        return {
            "taps headers": taps.header,
            "parameters": taps.parameters,
            "taps": taps.tap * len(packet.weights),
        }
    if packet.opcode is Opcode.TABLE:
        header = header_beats(Opcode.TABLE, arch)
        return {"table headers": header, "tables": packet.beats - header}
    if packet.opcode is Opcode.FLOATS:
        header = header_beats(Opcode.FLOATS, arch)
        return {"floats headers": header, "floats": packet.beats - header}
    return {"instructions": packet.beats}
