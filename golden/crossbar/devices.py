"""What devices of crossbars hold: levels of cells, offsets and nonlinearity of converters.

Levels are in steps of 1/64 of the least one above zero, what converters add in steps of 1/64 of a
sum. All draws follow from a generator that is given.

Tests: `tests/golden/crossbar/test_effects.py`.
"""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.crossbar.encoding import Ints
from golden.levels import measured
from hwgen.chip.device_levels import LevelTable
from hwgen.chip.effects import CellEffects, ConverterEffects
from hwgen.crossbar.facts.levels import LEVEL_HEADROOM as HEADROOM
from hwgen.crossbar.facts.levels import LEVEL_STEPS as STEPS
from hwgen.crossbar.facts.levels import OFFSET_BITS

Floats = NDArray[np.floating[Any]]
MOST_OFFSET = (1 << OFFSET_BITS - 1) - 1
"""Of a converter, in steps of 1/64 of a sum."""


def levels_of(
    cells: Ints,
    effects: CellEffects,
    rng: np.random.Generator,
    *,
    cell_bits: int,
    side: int,
    table: LevelTable | None = None,
) -> Ints:
    """Return the levels that cells (slices, rows, columns) came to hold, in steps of 1/64.

    side: of a crossbar; the cell farthest from both drivers of it loses the whole voltage drop
    table: of what was measured of each level; None: all follow one formula
    """
    full, shape = 2**cell_bits - 1, cells.shape
    lowest = full * table.points[0].mean if table else 0.0
    values = cells.astype(np.float64)
    if effects.failed_writes:
        values = np.where(rng.random(shape) < effects.failed_writes, full - values, values)
    if effects.variation:
        values *= rng.lognormal(0.0, effects.variation, shape)
    if effects.drift:
        values *= 1 - effects.drift * rng.random(shape)
    if table:
        values = full * measured(values / full, table, rng)
    if effects.stuck_at_zero or effects.stuck_at_full:
        drawn = rng.random(shape)
        values = np.where(drawn < effects.stuck_at_zero, lowest, values)
        values = np.where(drawn >= 1 - effects.stuck_at_full, float(full), values)
    if effects.voltage_drop:
        rows = np.arange(shape[1])[:, np.newaxis] / side
        columns = (np.arange(shape[2]) % side)[np.newaxis] / side
        values *= 1 - effects.voltage_drop * (rows + columns) / 2
    most = (1 << (cell_bits + STEPS + HEADROOM)) - 1
    return np.clip(np.rint(values * (1 << STEPS)), 0, most).astype(np.int64)


def in_steps(sums: Floats, step_bits: int) -> Floats:
    """Return sums in steps of 1/64 of a code that counts 2^step_bits of them, whole numbers.

    With X a sum in steps of 1/64 it is (X - 1 + odd) >> step_bits, and odd is 1 if X holds an odd
    number of whole codes: what lies halfway between two codes becomes the even one of them, so
    that rounding has no bias.
    """
    kind = sums.dtype.type
    whole = np.floor(sums * kind(2.0 ** -(STEPS + step_bits)))
    odd = whole - 2 * np.floor(whole / 2)
    found: Floats = np.floor((sums - 1 + odd) * kind(2.0**-step_bits))
    return found


def offsets_of(
    shape: tuple[int, ...],
    effects: ConverterEffects,
    rng: np.random.Generator,
    step_bits: int = 0,
) -> Ints:
    """Return the offsets of converters in steps of 1/64 of a sum, signed, of 16 bits at most.

    step_bits: a code counts 2^step_bits sums
    """
    offsets = np.rint(rng.normal(0.0, effects.offset_lsb, shape) * (1 << STEPS + step_bits))
    return np.clip(offsets, -MOST_OFFSET, MOST_OFFSET).astype(np.int64)


def limits_of(effects: ConverterEffects, step_bits: int = 0) -> Iterator[str]:
    """Yield that offsets have 16 bits, if they stop there for more than one of 10^6 converters."""
    most = MOST_OFFSET / (1 << STEPS + step_bits)
    farther = math.erfc(most / max(effects.offset_lsb, 1e-9) / math.sqrt(2))
    if farther > 1e-6:
        yield (
            f"offsets stop at {most:.4g} steps of a code, since they have {OFFSET_BITS} bits:"
            f" {farther:.2g} of all converters would be farther off"
        )


def bent_steps(effects: ConverterEffects, codes: int) -> Ints:
    """Return what is added to the sum of each code, in steps of 1/64 of a code, signed."""
    points = effects.nonlinearity
    if not points:
        return np.zeros(codes, np.int64)
    lsb = np.interp(
        np.arange(codes), [point.code for point in points], [point.lsb for point in points]
    )
    return np.rint(lsb * (1 << STEPS)).astype(np.int64)


def trims_of(offsets: Ints, step_bits: int = 0) -> Ints:
    """Return what trimming takes off: the code of each without inputs, below 0, too."""
    whole = STEPS + step_bits
    trims: Ints = (offsets + (1 << (whole - 1))) >> whole << whole
    return trims
