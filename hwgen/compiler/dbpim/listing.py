"""A program as text, decoded from its image alone: the packets that the chip will read."""

import textwrap
from collections import Counter
from collections.abc import Iterator

from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.program import Program
from hwgen.spec.dbpim.stream import Packet, TilePacket, decode_stream, tile_beats

WIDTH = 100
FLAGS = ("first", "last", "last_group", "parameters")


def listing(program: Program, arch: Arch) -> str:
    """Return one line or a few for each packet, and totals."""
    packets = decode_stream(program.image, arch)
    lines = [
        f"program of {program.facts.network_name} for {program.facts.architecture_name}:"
        f" {len(program.image)} bytes, {len(program.image) // arch.port_bytes} beats"
        f" of {arch.port_bits} bits",
        "",
        " address   bytes  packet",
    ]
    for packet in packets:
        lines += packet_lines(packet, arch)
    return "\n".join([*lines, "", *totals(packets, arch), ""])


def packet_lines(packet: Packet, arch: Arch) -> list[str]:
    """Return the lines of one packet: address, size, name and content."""
    size = packet.beats * arch.port_bytes
    start = f"{packet.offset:08x}  {size:6}  {packet.opcode.name:<7}  "
    text = tile_text(packet, arch) if isinstance(packet, TilePacket) else field_text(packet)
    lines = textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=" " * len(start))
    return lines or [start.rstrip()]


def field_text(packet: Packet) -> str:
    """Return every field and its value."""
    shown = []
    for name, value in packet.fields.items():
        if name in ("architecture", "network"):
            shown.append(f"{name}={value:08x}")
        elif name == "active_cores":
            shown.append(f"{name}={core_list(value)}")
        elif name != "opcode":
            shown.append(f"{name}={value}")
    return " ".join(shown)


def tile_text(tile: TilePacket, arch: Arch) -> str:
    """Return the cores that store a tile and its content.

    `cell_columns` has one digit for each filter: its enabled cell columns.
    """
    fields = tile.fields
    enables = (fields["filter_enable"] >> 2 * place & 3 for place in range(arch.filters))
    columns = "".join(str(bits.bit_count()) for bits in enables)
    start = f"{fields['kernel_y']}.{fields['kernel_x']}.{fields['channel_word']}"
    flags = " ".join(name for name in FLAGS if fields[name])
    return (
        f"cores={core_list(fields['cores'])} group={fields['group']} start={start}"
        f" words={len(tile.masks)} selected={tile.masks.sum()}/{tile.masks.size}"
        f" rows={len(tile.codes)} cell_columns={columns} turn={fields['turn']} {flags}"
    )


def core_list(bits: int) -> str:
    """Return the numbers of the set bits: `0,1,5`."""
    return ",".join(str(core) for core in range(bits.bit_length()) if bits >> core & 1)


def totals(packets: list[Packet], arch: Arch) -> Iterator[str]:
    """Yield counts of packets, and the bytes of each part."""
    tiles = [packet for packet in packets if isinstance(packet, TilePacket)]
    beats = Counter(instructions=sum(p.beats for p in packets if not isinstance(p, TilePacket)))
    for tile in tiles:
        parts = tile_beats(arch, mask_words=len(tile.masks), parameters=bool(tile.parameters))
        beats["tile headers"] += parts.header
        beats["masks"] += parts.masks
        beats["parameters"] += parts.parameters
        beats["weight rows"] += parts.row * len(tile.codes)
    counts = Counter(packet.opcode for packet in packets)
    yield "packets: " + ", ".join(f"{counts[opcode]} {opcode.name}" for opcode in Opcode)
    yield "bytes:   " + ", ".join(f"{n * arch.port_bytes} {part}" for part, n in beats.items())
    selected = sum(int(tile.masks.sum()) for tile in tiles)
    bits = sum(tile.masks.size for tile in tiles)
    yield f"masks:   {selected} of {bits} bits select an input"
    yield f"rows:    {sum(len(tile.codes) for tile in tiles)} of weights"
