"""Random packets of taps, tables and floats, and what the cores must receive from them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import FLOAT_ENTRIES, TABLE_BYTES, Opcode, packet_bits
from hwgen.dbpim.facts.stream import (
    FilterParameters,
    encode_floats,
    encode_table,
    encode_taps,
    pad,
)
from verif.dbpim.component import pack
from verif.dbpim.random_tiles import beats_of, parameter_words, random_parameters


@dataclass(frozen=True)
class Taps:
    """Depthwise weights of one channel word: int8, (taps, C)."""

    arch: Arch
    cores: int
    parameters: tuple[FilterParameters, ...]
    weights: NDArray[np.int8]

    def packet(self) -> bytes:
        """Return the packet as the compiler writes it."""
        return encode_taps(
            cores=self.cores, parameters=self.parameters, weights=self.weights, arch=self.arch
        )

    def header(self) -> int:
        """Return the header without its padding."""
        return header_of(self.packet(), Opcode.TAPS, self.arch)

    def parameter_words(self) -> list[int]:
        """Return the parameters of each channel, without padding."""
        return parameter_words(self.parameters, self.arch)

    def words(self) -> list[int]:
        """Return the weights of each tap, channel 0 lowest."""
        return [pack(word.tolist(), bits=8) for word in self.weights]


@dataclass(frozen=True)
class Table:
    """A table; entries: uint8, (256,)."""

    arch: Arch
    cores: int
    entries: NDArray[np.uint8]

    def packet(self) -> bytes:
        """Return the packet as the compiler writes it."""
        return encode_table(cores=self.cores, entries=self.entries, arch=self.arch)

    def beats(self) -> list[int]:
        """Return the entries as beats."""
        return beats_of(self.entries.tobytes(), self.arch)


@dataclass(frozen=True)
class Floats:
    """Numbers of the row unit: fields of the header, and a table with what follows it, uint32."""

    arch: Arch
    cores: int
    fields: dict[str, int]
    numbers: NDArray[np.uint32]

    def packet(self) -> bytes:
        """Return the packet as the compiler writes it."""
        return encode_floats(
            cores=self.cores, fields=self.fields, numbers=self.numbers, arch=self.arch
        )

    def header(self) -> int:
        """Return the header without its padding."""
        return header_of(self.packet(), Opcode.FLOATS, self.arch)

    def beats(self) -> list[int]:
        """Return the numbers as beats."""
        return beats_of(pad(self.numbers.astype("<u4").tobytes(), self.arch), self.arch)


def header_of(content: bytes, opcode: Opcode, arch: Arch) -> int:
    """Return the header of a packet as an integer."""
    return int.from_bytes(content[: packet_bits(opcode, arch.cores, arch.widths) // 8], "little")


def random_taps(rng: np.random.Generator, arch: Arch, *, cores: int) -> Taps:
    """Return taps of any number that fits a slot."""
    count = int(rng.choice([1, 9, arch.simd_taps]))
    channels = arch.word
    weights = rng.integers(-128, 128, (count, channels), dtype=np.int8)
    return Taps(arch, cores, random_parameters(rng, channels), weights)


def random_table(rng: np.random.Generator, arch: Arch, *, cores: int) -> Table:
    """Return a table with every entry random."""
    return Table(arch, cores, rng.integers(0, 256, TABLE_BYTES, dtype=np.uint8))


def random_floats(rng: np.random.Generator, arch: Arch, *, cores: int) -> Floats:
    """Return floats of a softmax, or of a norm of few channels, with every number random."""
    fields = {
        f.name: int(rng.integers(0, 1 << f.bits))
        for f in arch.packets[Opcode.FLOATS]
        if f.name not in ("opcode", "cores")
    }
    channels = fields["channels"] = int(rng.choice([0, 1, int(rng.integers(2, 40))]))
    numbers = rng.integers(0, 1 << 32, FLOAT_ENTRIES + 2 * channels, dtype=np.uint32)
    return Floats(arch, cores, fields, numbers)
