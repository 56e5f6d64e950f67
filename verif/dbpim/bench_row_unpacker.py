"""Bench of `row_unpacker`: every triple of weights with two digits, and filters of both kinds."""

from typing import Any

import cocotb
import numpy as np
from cocotb.triggers import FallingEdge, ReadOnly
from numpy.typing import NDArray

from golden.dbpim.weight_decoder import decode
from hwgen.dbpim.facts.packing import TRIPLE, TRIPLE_BITS, triples
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment, pack
from verif.reference.dbpim.packed_weights import decimal_digits, weights

ARCH = arch_from_environment()
TRIPLES = triples(ARCH)
WEIGHTS = ARCH.macro.compartments * ARCH.filters
WHOLE = WEIGHTS // TRIPLE
SAMPLE = 1 if WHOLE > 16 else 31
"""A row of few triples takes every SAMPLE-th of them."""
MIXED = (0x5555, 0x0000, 0xAAAA, 0x1BE4, 0xC936, 0x70F2, 0x4D27)
RANDOM_ROWS = 50
CORNERS = Corners("all weights of two digits", "all weights of one digit", "a zero", "both kinds")


async def decoded(dut: Any, words: NDArray[np.int64], filter_enable: int) -> NDArray[np.uint8]:
    """Return the weight codes of rows (rows, triples)."""
    dut.row_unpacker__filter_enable.value = filter_enable
    rows = []
    for row in words.tolist():
        dut.row_unpacker__triples.value = pack(row, bits=TRIPLE_BITS)
        await ReadOnly()
        rows.append(int(dut.row_unpacker__row.value).to_bytes(WEIGHTS, "little"))
        await FallingEdge(dut.clk)
    return np.frombuffer(b"".join(rows), np.uint8).reshape(len(rows), WEIGHTS)


def check(codes: NDArray[np.uint8], words: NDArray[np.int64], filter_enable: int) -> None:
    """Compare weight codes with golden: two cells of a weight, or one and nothing beside it."""
    place = np.arange(WEIGHTS) % ARCH.filters
    two = (filter_enable >> 2 * place + 1 & 1).astype(bool)
    values = decode(codes[..., np.newaxis]).values
    one_cell, two_cells = (
        weights(words, columns=columns).reshape(len(words), -1)[:, :WEIGHTS] for columns in (1, 2)
    )
    where = f"filter_enable {filter_enable:#x}"
    np.testing.assert_array_equal(values.sum(axis=-1)[:, two], two_cells[:, two], where)
    np.testing.assert_array_equal(values[:, ~two, 0], one_cell[:, ~two], where)
    assert (codes[:, ~two] < 16).all(), f"{where}: a second cell in a filter of one"
    found = [set(np.unique(codes[:, chosen]).tolist()) for chosen in (~two, two)]
    CORNERS.hit("all weights of one digit", len(found[0]) == 16)
    CORNERS.hit("all weights of two digits", len(found[1]) >= 72)
    CORNERS.hit("a zero", bool((two_cells[:, two] == 0).any()))
    CORNERS.hit("both kinds", bool(two.any()) and not two.all())


@cocotb.test()
async def every_triple_of_two_digits_matches_golden(dut: Any) -> None:
    """All 72 x 72 x 72 triples, as many at a time as a row holds."""
    decimals = [n for n in range(1 << 10) if max(decimal_digits(n)) < 9]
    # Digits 8 and 9 leave bits unused: only the code that encoders write has them zero.
    written = {decimal_digits(n): n for n in reversed(decimals)}
    assert len(written) == 9**3
    words = (np.array([*written.values()])[:, np.newaxis] << 9 | np.arange(1 << 9)).ravel()
    assert len(words) == 72**3
    chosen = words[::SAMPLE]
    rows = np.zeros((-(-len(chosen) // WHOLE), TRIPLES), np.int64)
    rows[:, :WHOLE] = np.resize(chosen, (len(rows), WHOLE))
    check(await decoded(dut, rows, 0xFFFF), rows, 0xFFFF)


@cocotb.test()
@cocotb.parametrize(filter_enable=MIXED)
async def filters_of_one_and_two_columns_match_golden(dut: Any, filter_enable: int) -> None:
    """Random rows, each filter by its own table, unused numbers of two columns included."""
    rng = np.random.default_rng(filter_enable)
    rows = rng.integers(0, 1 << TRIPLE_BITS, (RANDOM_ROWS, TRIPLES))
    check(await decoded(dut, rows, filter_enable), rows, filter_enable)


@cocotb.test()
async def every_corner_was_hit(dut: Any) -> None:
    """Runs last: the rows above have reached every corner that the bench promises."""
    assert not CORNERS.missed(), f"corners never reached: {CORNERS.missed()}"
