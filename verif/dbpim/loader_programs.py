"""Random programs for the loader: any packets in any order, as the memory port brings them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import VERSION, Opcode, Space, core_count
from hwgen.dbpim.facts.stream import encode_header, pad
from verif.dbpim.load_fields import Load, random_load
from verif.dbpim.random_taps import (
    Floats,
    Table,
    Taps,
    random_floats,
    random_table,
    random_taps,
)
from verif.dbpim.random_tiles import Tile, beats_of, random_tile

STEPS = (Opcode.CONV, Opcode.SIMD, Opcode.STORE)
FLOATS = 0.15
"""Part of the packets of a chip with a row unit that are floats."""
Packet = bytes | Tile | Taps | Table | Floats | Load


@dataclass(frozen=True)
class Program:
    """BEGIN, and packets: the first is a LOAD; instructions as bytes.

    opcode: of the first packet; cut: beats by which the last segment is said to be too short
    """

    arch: Arch
    begin: dict[str, int]
    packets: Sequence[Packet]
    opcode: int = Opcode.BEGIN
    cut: int = 0

    def begin_beats(self) -> list[int]:
        """Return BEGIN as beats."""
        content = bytearray(encode_header(Opcode.BEGIN, self.begin, self.arch))
        content[0] = self.opcode
        return beats_of(bytes(content), self.arch)

    def loads(self) -> list[Load]:
        """Return the LOADs in their order."""
        return [packet for packet in self.packets if isinstance(packet, Load)]

    def segments(self) -> list[list[list[int]]]:
        """Return the beats of each packet after each LOAD, up to the next LOAD or to the end."""
        found: list[list[list[int]]] = []
        for packet, beats in zip(self.packets, self.packet_beats(), strict=True):
            if found:
                found[-1].append(beats)
            if isinstance(packet, Load):
                found.append([])
        return found

    def segment_beats(self, number: int) -> int:
        """Return the beats that a LOAD must tell."""
        lengths: list[int] = []
        for place, packet in enumerate(self.packets):
            size = packet_size(packet, self.arch)
            if place > 0:
                lengths[-1] += size
            if isinstance(packet, Load):
                lengths.append(0)
        return lengths[number] - (self.cut if number == len(lengths) - 1 else 0)

    def packet_beats(self) -> list[list[int]]:
        """Return the beats of each packet."""
        found, loads = [], 0
        for packet in self.packets:
            if isinstance(packet, Load):
                told = {**packet.fields, "segment_beats": self.segment_beats(loads)}
                found.append(beats_of(encode_load(told, self.arch), self.arch))
                loads += 1
            else:
                content = packet if isinstance(packet, bytes) else packet.packet()
                found.append(beats_of(pad(content, self.arch), self.arch))
        return found

    def brought(self) -> list[list[int]]:
        """Return the beats that each command reads, in their order."""
        segments = self.segments()
        found = [[*self.begin_beats(), *self.packet_beats()[0]]]
        for number, (load, packets) in enumerate(zip(self.loads(), segments, strict=True)):
            beats = [beat for packet in packets for beat in packet]
            found += [load.beats(), beats[: self.segment_beats(number)]]
        return found


def packet_size(packet: Packet, arch: Arch) -> int:
    """Return the beats of a packet of the stream."""
    if isinstance(packet, Load):
        return len(encode_load({**packet.fields, "segment_beats": 0}, arch)) // arch.port_bytes
    content = packet if isinstance(packet, bytes) else packet.packet()
    return len(pad(content, arch)) // arch.port_bytes


def encode_load(fields: dict[str, int], arch: Arch) -> bytes:
    """Return a LOAD whose cores keep no row."""
    cores = {f.name: 0 for f in arch.packets[Opcode.LOAD] if core_count(f.name) > 0}
    return encode_header(Opcode.LOAD, {**cores, **fields}, arch)


def random_instruction(rng: np.random.Generator, opcode: Opcode, arch: Arch) -> bytes:
    """Return an instruction with all its fields random."""
    fields = {
        f.name: int(rng.integers(0, 1 << f.bits))
        for f in arch.packets[opcode][1:]
        if core_count(f.name) <= arch.cores
    }
    return encode_header(opcode, fields, arch)


def random_packet(rng: np.random.Generator, arch: Arch, *, stored: bool) -> Packet:
    """Return a packet of any kind but END; no STORE if not `stored`."""
    everybody = (1 << arch.cores) - 1
    cores = int(rng.choice([everybody, int(rng.integers(1, everybody + 1))]))
    kind = rng.choice(["tile", "taps", "table", "load", "step"], p=[0.3, 0.15, 0.1, 0.2, 0.25])
    if arch.row_unit and rng.random() < FLOATS:
        return random_floats(rng, arch, cores=cores)
    if kind == "tile":
        return random_tile(rng, arch, cores=cores)
    if kind == "taps":
        return random_taps(rng, arch, cores=cores)
    if kind == "table":
        return random_table(rng, arch, cores=cores)
    if kind == "load":
        return random_load(rng, arch, kind=str(rng.choice(["pixels", "windows", "words"])))
    steps = STEPS if stored else STEPS[:-1]
    return random_instruction(rng, steps[rng.integers(len(steps))], arch)


def random_program(
    rng: np.random.Generator, arch: Arch, *, packets: int, stored: bool = True
) -> Program:
    """Return a program whose last packets are STORE and END; none has a STORE if not `stored`.

    Its first LOAD reads the scratch space, the others any.
    """
    first = random_load(rng, arch, kind="pixels")
    first.fields["space"] = int(Space.SCRATCH)
    parts: list[Packet] = [first]
    parts += [random_packet(rng, arch, stored=stored) for _ in range(packets)]
    if stored:
        parts.append(random_instruction(rng, Opcode.STORE, arch))
    parts.append(random_instruction(rng, Opcode.END, arch))
    begin = {
        "version": VERSION,
        "positions": int(rng.choice([0, 6, 65535])),
        "architecture": arch.id_word,
        "network": int(rng.integers(0, 1 << 32)),
    }
    return Program(arch, begin, parts)


def with_packet(program: Program, place: int, packet: bytes) -> Program:
    """Return a program with one more packet."""
    return replace(program, packets=[*program.packets[:place], packet, *program.packets[place:]])
