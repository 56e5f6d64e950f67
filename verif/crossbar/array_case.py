"""Arrays under test: sizes, weights at their extremes, and what the bench loads and expects."""

import json
import os
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

import numpy as np

from golden.crossbar.encoding import Cells, Ints, encode
from hwgen.crossbar.facts.columns import (
    Column,
    columns_of,
    meeting_lanes,
    partial_sum_bits,
    targets_of,
)
from hwgen.crossbar.facts.holdings import Cut, Holding
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.rtl.array import Array
from hwgen.crossbar.rtl.sizes import ArraySizes
from verif.reference.crossbar.addition import channel_sums

CASE = "CROSSBAR_ARRAY"


@dataclass(frozen=True, kw_only=True)
class ArrayCase:
    """A layer in a macro; see `Cut` and `Holding`.

    first_tile, tiles: the row tiles that the macro holds, behind the last one
    adc_bits: of the converters, as many as lose nothing or one less
    part_bits, row_elements: cells and inputs that are written at a time; reads: sums at a time
    """

    side: int
    cell_bits: int
    dac_bits: int
    weight_bits: int
    input_bits: int
    rows: int
    channels: int
    groups: int = 1
    copies: int = 1
    first_tile: int = 0
    tiles: int = 1
    adcs: int = 4
    rate: str = "1"
    part_bits: int = 64
    row_elements: int = 16
    reads: int = 4

    @property
    def adc_bits(self) -> int:
        """Bits that lose nothing."""
        point = Point(
            rram_ratio=None, cell_bits=self.cell_bits, side=self.side, dac_bits=self.dac_bits
        )
        return point.adc_bits

    @cached_property
    def cut(self) -> Cut:
        together = min(self.groups, self.side // self.rows, self.side // self.channels)
        return Cut(
            side=self.side,
            slices=-(-self.weight_bits // self.cell_bits),
            groups=self.groups,
            groups_together=max(1, together),
            group_rows=self.rows,
            group_columns=self.channels,
        )

    @cached_property
    def holding(self) -> Holding:
        return Holding(
            macro=0,
            copies=range(1, 1 + self.copies),
            row_tiles=range(self.first_tile, self.tiles),
        )

    @cached_property
    def columns(self) -> list[Column]:
        return columns_of(self.cut, self.holding)

    @cached_property
    def sizes(self) -> ArraySizes:
        rows = self.cut.group_rows
        return ArraySizes(
            side=self.side,
            cell_bits=self.cell_bits,
            dac_bits=self.dac_bits,
            adc_bits=self.adc_bits,
            weight_bits=self.weight_bits,
            input_bits=self.input_bits,
            units=len({column.unit for column in self.columns}),
            columns=len(self.columns),
            adcs=self.adcs,
            rate=Fraction(self.rate),
            targets=self.copies * self.cut.columns,
            sum_bits=partial_sum_bits(rows, self.weight_bits, self.input_bits),
            part_bits=self.part_bits,
            row_elements=self.row_elements,
        )

    def array(self) -> Array:
        """Return the component."""
        meeting = meeting_lanes(targets_of(self.cut, self.holding), self.sizes.lanes)
        return Array(sizes=self.sizes, reads=self.reads, meeting=meeting)

    def rows_of(self, section: int, row_tile: int) -> int:
        """Return the rows in use of a unit."""
        return self.cut.rows_of(section, row_tile)

    def weights(self, rng: np.random.Generator, kind: str) -> dict[tuple[int, int], Ints]:
        """Return weights (rows, columns of the section) by section and row tile.

        Off the diagonal of groups that share a crossbar they are 0. Copies hold the same ones.
        """
        low, high = -(1 << (self.weight_bits - 1)), (1 << (self.weight_bits - 1)) - 1
        found = {}
        for section in range(self.cut.sections):
            count = self.cut.groups_of(section)
            rows, columns = count * self.cut.group_rows, count * self.cut.group_columns
            drawn = rng.integers(low, high + 1, (rows, columns))
            if kind == "extremes":
                half = np.arange(rows) % self.side < self.side // 2
                kinds = [np.where(half, high, low), np.where(half, low, high)]
                kinds += [np.full(rows, high), np.full(rows, low)]
                drawn = np.stack([kinds[column % 4] for column in range(columns)], axis=1)
            group_of_row = np.arange(rows) % count
            group_of_column = np.arange(columns) // self.cut.group_columns
            drawn = np.where(group_of_row[:, None] == group_of_column[None, :], drawn, 0)
            for tile in range(self.cut.row_tiles):
                found[section, tile] = drawn[tile * self.side : (tile + 1) * self.side]
        return found

    def cells(self, weights: dict[tuple[int, int], Ints]) -> dict[tuple[int, int], Cells]:
        """Return the cells of each section and row tile."""
        return {
            place: encode(tile, weight_bits=self.weight_bits, cell_bits=self.cell_bits)
            for place, tile in weights.items()
        }

    def inputs(self, rng: np.random.Generator, kind: str) -> dict[tuple[int, int, int], Ints]:
        """Return the inputs of each unit: copy, section, row tile."""
        most = (1 << self.input_bits) - 1
        found = {}
        for copy in self.holding.copies:
            for section in range(self.cut.sections):
                for tile in self.holding.row_tiles:
                    rows = self.rows_of(section, tile)
                    half = np.where(np.arange(rows) < self.side // 2, most, 0)
                    found[copy, section, tile] = {
                        "random": rng.integers(0, most + 1, rows),
                        "greatest": np.full(rows, most),
                        "least": np.zeros(rows, np.int64),
                        "half": half,
                        "other half": most - half,
                        "alternating": np.where(np.arange(rows) % 2, most, 0),
                    }[kind].astype(np.int64)
        return found

    def expected(
        self,
        cells: dict[tuple[int, int], Cells],
        inputs: dict[tuple[int, int, int], Ints],
        *,
        adc_bits: int,
    ) -> list[int]:
        """Return the sum of each target."""
        found: list[int] = []
        for copy in self.holding.copies:
            for section in range(self.cut.sections):
                tiles = [
                    (cells[section, tile], inputs[copy, section, tile])
                    for tile in self.holding.row_tiles
                ]
                found += channel_sums(
                    tiles,
                    weight_bits=self.weight_bits,
                    input_bits=self.input_bits,
                    cell_bits=self.cell_bits,
                    dac_bits=self.dac_bits,
                    adc_bits=adc_bits,
                ).tolist()
        return found


def settings(**facts: object) -> dict[str, str]:
    """Return the environment that gives a bench its case."""
    return {CASE: json.dumps(facts)}


def case_from_environment() -> ArrayCase:
    """Return the case that the pytest side put into the settings of this simulation."""
    return ArrayCase(**json.loads(os.environ[CASE]))
