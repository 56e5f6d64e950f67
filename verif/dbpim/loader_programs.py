"""Random programs for the loader: any packets in any order, as the memory port brings them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import PACKETS, VERSION, Opcode
from hwgen.spec.dbpim.stream import encode_instruction, pad
from verif.dbpim.random_tiles import Tile, beats_of, random_tile

LAYERS = (Opcode.CONV, Opcode.POOL, Opcode.ADD, Opcode.STORE)


@dataclass(frozen=True)
class Program:
    """BEGIN, pixels of the image, and packets: instructions as bytes, and tiles."""

    arch: Arch
    begin: dict[str, int]
    pixels: int
    packets: Sequence[bytes | Tile]
    opcode: int = Opcode.BEGIN
    image: bytes = field(default=b"", repr=False)

    def begin_beats(self) -> list[int]:
        """Return BEGIN as beats."""
        content = bytearray(encode_instruction(Opcode.BEGIN, self.begin))
        content[0] = self.opcode
        return beats_of(bytes(content), self.arch)

    def image_beats(self) -> list[int]:
        """Return the image as beats."""
        return beats_of(pad(self.image, self.arch), self.arch)

    def packet_beats(self) -> list[list[int]]:
        """Return the beats of each packet."""
        contents = [p.packet() if isinstance(p, Tile) else pad(p, self.arch) for p in self.packets]
        return [beats_of(content, self.arch) for content in contents]


def random_instruction(rng: np.random.Generator, opcode: Opcode) -> bytes:
    """Return an instruction with all its fields random."""
    fields = {f.name: int(rng.integers(0, 1 << f.bits)) for f in PACKETS[opcode][1:]}
    return encode_instruction(opcode, fields)


def random_program(
    rng: np.random.Generator, arch: Arch, *, packets: int, stored: bool = True
) -> Program:
    """Return a program whose last packets are STORE and END; none has a STORE if not `stored`."""
    parts: list[bytes | Tile] = []
    for _ in range(packets):
        if rng.random() < 0.6:
            everybody = (1 << arch.cores) - 1
            cores = int(rng.choice([everybody, int(rng.integers(1, everybody + 1))]))
            parts.append(random_tile(rng, arch, cores=cores))
        else:
            opcodes = LAYERS if stored else LAYERS[:-1]
            parts.append(random_instruction(rng, opcodes[rng.integers(len(opcodes))]))
    if stored:
        parts.append(random_instruction(rng, Opcode.STORE))
    parts.append(random_instruction(rng, Opcode.END))
    height, width = (int(size) for size in rng.integers(1, 7, 2))
    size = int(rng.choice([n for n in (1, 2, 4, 8) if n <= arch.macro.compartments]))
    image = bytes(rng.bytes(height * width * size))
    program = Program(arch, {}, height * width, parts, image=image)
    right = sum(map(len, program.packet_beats()))
    begin = {
        "version": VERSION,
        "architecture": arch.id_word,
        "network": int(rng.integers(0, 1 << 32)),
        "stream_beats": right,
        "image_beats": len(program.image_beats()),
        "image_height": height,
        "image_width": width,
        "pixel_bytes": size,
        "image_base": 0,
        "image_row_pitch": 1,
    }
    return Program(arch, begin, height * width, parts, image=image)
