"""Random tile packets, and the values that the cores must receive from them."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.weight_decoder import decode
from hwgen.dbpim.facts.arch import ACCUMULATOR_BITS, Arch
from hwgen.dbpim.facts.instructions import ONE_GROUP, Coding, Opcode, packet_bits
from hwgen.dbpim.facts.packing import codings, row_beats
from hwgen.dbpim.facts.stream import FilterParameters, encode_tile
from hwgen.dbpim.rtl.layouts import parameters
from verif.dbpim.component import pack
from verif.dbpim.weight_rows import enables, random_codes, row_words
from verif.reference.dbpim.csd import values_of_phi

ZERO_CODE = np.uint8(0x40)
"""Zero in two cells, 1 - 1."""
LIMIT = 1 << (ACCUMULATOR_BITS - 1)


@dataclass(frozen=True)
class Tile:
    """A tile with everything random that the loader does not look at."""

    arch: Arch
    cores: int
    masks: NDArray[np.bool_]
    parameters: tuple[FilterParameters, ...]
    codes: NDArray[np.uint8]
    others: dict[str, int]

    def packet(self) -> bytes:
        """Return the packet as the compiler writes it."""
        return encode_tile(
            {"cores": self.cores, **self.others},
            masks=self.masks,
            parameters=self.parameters,
            codes=self.codes,
            arch=self.arch,
        )

    @property
    def row_beats(self) -> list[int]:
        """Return the beats that each row takes."""
        return row_beats(len(self.codes), self.arch, Coding(self.others["coding"]))

    def header(self) -> int:
        """Return the header without its padding."""
        return int.from_bytes(
            self.packet()[: packet_bits(Opcode.TILE, self.arch.cores, self.arch.widths) // 8],
            "little",
        )

    def mask_beats(self) -> list[int]:
        """Return the mask words, as many in a beat as fit, the lowest first; none without parts."""
        if not self.arch.sparse_parts:
            return []
        bits = self.masks.ravel().tolist()
        size = self.arch.port_bits
        return [pack(bits[start : start + size], bits=1) for start in range(0, len(bits), size)]

    def parameter_words(self) -> list[int]:
        """Return the parameters of each filter, without padding."""
        return parameter_words(self.parameters, self.arch)

    def rows(self) -> list[tuple[int, int]]:
        """Return cells and metadata of each row, as the ports carry them."""
        return [self._row(codes) for codes in self.codes]

    def _row(self, codes: NDArray[np.uint8]) -> tuple[int, int]:
        enable = enables(self.others["filter_enable"], self.arch)
        return row_words(codes, enable, self.arch, double=bool(self.others.get("double")))


def random_tile(rng: np.random.Generator, arch: Arch, *, cores: int) -> Tile:
    """Return a tile of any size that fits the rings of a core, for the named cores."""
    compartments, filters = arch.macro.compartments, arch.filters
    most = arch.mask_words if arch.sparse_parts else arch.tile_rows
    words = int(rng.choice([1, most, int(rng.integers(1, most + 1))]))
    rows = int(rng.choice([1, arch.tile_rows])) if arch.sparse_parts else words
    count = filters if rng.random() < 0.5 else 0
    known = ("opcode", "cores", "rows", "mask_words", "parameters", "coding", *ONE_GROUP)
    fields = {f.name: f.bits for f in arch.packets[Opcode.TILE] if f.name not in known}
    others = {name: random_bits(rng, bits) for name, bits in fields.items()}
    others["coding"] = int(rng.choice(codings(arch)))
    if arch.pairs and others["coding"] == Coding.FLAT:
        others |= {"double": int(rng.integers(2)), "second_group": int(rng.integers(1 << 12))}
        count <<= others["double"]
    codes = random_codes(rng, (rows, compartments, filters), arch)
    if others["coding"] == Coding.DIGITS:
        others["filter_enable"] &= (1 << 2 * filters) // 3
    if others["coding"]:
        codes = random_packable(rng, codes.shape, others["filter_enable"])
    return Tile(
        arch=arch,
        cores=cores,
        masks=rng.random((words, arch.word)) < 0.5,
        parameters=random_parameters(rng, count),
        codes=codes,
        others=others,
    )


def random_bits(rng: np.random.Generator, bits: int) -> int:
    """Return a number of any width."""
    if bits < 64:
        return int(rng.integers(0, 1 << bits))
    return int.from_bytes(rng.bytes(bits // 8), "little")


def random_packable(
    rng: np.random.Generator, shape: tuple[int, ...], filter_enable: int
) -> NDArray[np.uint8]:
    """Return codes (..., filters) of weights of exactly phi digits, and zeros among those of 2."""
    every = np.arange(256, dtype=np.uint8)
    values = decode(every[:, np.newaxis]).values
    lower, upper = (2 * (cell & 3) + (cell >> 3 & 1) for cell in (every, every >> 4))
    # Of two neighbouring digits the sum has another canonical form.
    canonical = np.isin(values.sum(axis=1), values_of_phi(2)) & (lower + 1 < upper)
    two = np.append(every[canonical], ZERO_CODE)
    one = every[:16][np.isin(values[:16, 0], values_of_phi(1))]
    second = np.array([filter_enable >> 2 * n + 1 & 1 for n in range(shape[-1])], bool)
    return np.where(second, rng.choice(two, shape), rng.choice(one, shape))


def random_parameters(rng: np.random.Generator, count: int) -> tuple[FilterParameters, ...]:
    """Return parameters of `count` filters or channels."""
    return tuple(
        FilterParameters(*map(int, rng.integers([-LIMIT, 0, 0], [LIMIT, 1 << 16, 1 << 6])))
        for _ in range(count)
    )


def parameter_words(entries: Iterable[FilterParameters], arch: Arch) -> list[int]:
    """Return the parameters of each filter or channel at the widths of a chip."""
    widths = [parameters(arch)[name].width for name in ("bias", "multiplier", "shift")]
    words = []
    for entry in entries:
        word, place = 0, 0
        for value, width in zip((entry.bias, entry.multiplier, entry.shift), widths, strict=True):
            word |= value % (1 << width) << place
            place += width
        words.append(word)
    return words


def beats_of(content: bytes, arch: Arch) -> list[int]:
    """Return whole beats as the memory port carries them."""
    size = arch.port_bytes
    return [
        int.from_bytes(content[start : start + size], "little")
        for start in range(0, len(content), size)
    ]
