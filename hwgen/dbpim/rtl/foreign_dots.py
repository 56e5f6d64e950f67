"""Modules of another array in the place of `dots`, side by side and with their sums added."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from amaranth.hdl import Cat, Const, Instance, Module, Mux, Signal, Value, signed

from hwgen.chip.rtl.replaced import widened
from hwgen.chip.widths import bits_for_index
from hwgen.dbpim.facts.arch import WEIGHT_BITS
from hwgen.network.sparsity import PHI_LIMIT


@dataclass(frozen=True)
class Shape:
    """Rows, inputs and filters of an array of int8 weights."""

    rows: int
    inputs: int
    filters: int

    @property
    def sum_bits(self) -> int:
        """Bits of the sum of a filter, two's complement."""
        return WEIGHT_BITS + (self.inputs - 1).bit_length()

    def tiles(self, module: "Shape") -> tuple[int, int]:
        """Return how many modules of a shape it takes for the inputs, and for the filters."""
        return -(-self.inputs // module.inputs), -(-self.filters // module.filters)


@dataclass(frozen=True)
class ForeignDots:
    """Arrays of one shape that become `dots` of another one.

    ports: of `dots`, by name; connect: places a module with the values of its pins
    cycles: from a bit plane to its sums in the chip; late: those that the sums of modules wait, as
        the chip takes them later than they are there
    """

    m: Module
    ports: Mapping[str, Value]
    part: Shape
    module: Shape
    cycles: int
    late: int
    connect: Callable[[Mapping[str, Value]], Instance]
    one_row: bool

    def place(self) -> None:
        """Place all modules, and add and choose their sums."""
        part, module = self.part, self.module
        enable = self.ports["enable"]
        sums: list[list[Value]] = [[] for _ in range(part.filters)]
        rows, columns = part.tiles(module)
        for column in range(columns):
            for row in range(rows):
                found = self.placed(row, column)
                for number in range(module.filters):
                    if column * module.filters + number < part.filters:
                        word = found.word_select(number, module.sum_bits)
                        sums[column * module.filters + number].append(word.as_signed())
        found_bits = len(self.ports["sums"]) // part.filters
        for number, terms in enumerate(sums):
            total: Value = terms[0]
            for term in terms[1:]:
                total = total + term
            for cycle in range(self.late):
                total = self.later(total, f"sum_{number}_{cycle}", is_signed=True)
            counts = enable[PHI_LIMIT * number]
            for cycle in range(self.cycles - 1):
                counts = self.later(counts, f"counts_{number}_{cycle}")
            chosen = Signal(signed(found_bits), name=f"chosen_{number}")
            self.m.d.comb += [
                chosen.eq(Mux(counts, total, 0)),
                self.ports["sums"].word_select(number, found_bits).eq(chosen),
            ]

    def later(self, value: Value, name: str, *, is_signed: bool = False) -> Signal:
        """Return a value a cycle later."""
        kept = Signal(signed(len(value)) if is_signed else len(value), name=name)
        self.m.d.array += kept.eq(value)
        return kept

    def placed(self, row: int, column: int) -> Signal:
        """Place the module of some inputs and filters; return its sums."""
        module = self.module
        sums = Signal(module.filters * module.sum_bits, name=f"sums_{row}_{column}")
        first = row * module.inputs
        x = self.ports["x"][first : first + module.inputs]
        computed, written = self.ports["row"], self.ports["write_row"]
        if self.one_row:
            computed = written = Mux(self.ports["write_en"], written, computed)
        cells = Cat(
            self.weight(first + place, column * module.filters + number)
            for place in range(module.inputs)
            for number in range(module.filters)
        )
        row_bits = bits_for_index(module.rows)
        values = {
            **self.ports,
            "x": widened(x, module.inputs),
            "row": widened(computed, row_bits),
            "write_row": widened(written, row_bits),
            "write_cells": cells,
            "sums": sums,
        }
        if self.one_row:
            del values["write_row"]
        self.m.submodules[f"array_{row}_{column}"] = self.connect(values)
        return sums

    def weight(self, place: int, number: int) -> Value:
        """Return the weight of an input and a filter in a row that is written; 0 beyond both."""
        if place >= self.part.inputs or number >= self.part.filters:
            return Const(0, WEIGHT_BITS)
        cells = self.ports["write_cells"]
        return cells.word_select(place * self.part.filters + number, WEIGHT_BITS)
