"""Choose units: shortest path over the cuts between layers, each unit judged by an estimate."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import prod

from hwgen.dbpim.compiler.allocate import UnitError
from hwgen.dbpim.compiler.answer import Answers
from hwgen.dbpim.compiler.builder import Builder
from hwgen.dbpim.compiler.judge import unit_cost
from hwgen.dbpim.compiler.memory import Scratch
from hwgen.dbpim.compiler.ops import Op
from hwgen.dbpim.compiler.room import LEAST_COLUMNS, TILES
from hwgen.dbpim.compiler.steps import Step
from hwgen.dbpim.compiler.units import Unit, UnitSteps

SHORT = 8
"""Cuts up to which a unit may begin and end at any layer; a longer one where one map crosses."""
BANDED = 12
"""Cuts up to which a unit may run in bands."""


def unit_steps(build: Builder, scratch: Scratch, answers: Answers) -> list[Step]:
    """Return the steps of the whole run, in the cheapest units that fit."""
    chooser = Chooser(build)
    while True:
        start = scratch.end, dict(scratch.maps), answers.saved()
        steps: list[Step] = []
        for unit in chooser.units():
            set_narrow(build, unit)
            try:
                steps += UnitSteps(build, unit, scratch, answers).all_steps()
            except UnitError:
                # Its first, middle and last bands can be and another one cannot.
                chooser.known[unit] = None
                break
        else:
            return steps
        scratch.end, scratch.maps, (answers.end, answers.offsets) = start


def set_narrow(build: Builder, unit: Unit) -> None:
    """Let the large passes of a unit share their filters, and no other one."""
    ops = build.lowered.ops[unit.first : unit.end]
    narrow = {op.name for op in ops if unit.narrow is not None and prod(op.size) >= unit.narrow}
    build.narrow = build.narrow - {op.name for op in ops} | narrow


def narrow_choices(ops: Sequence[Op]) -> list[int | None]:
    """Return what `Unit.narrow` may be for some passes: none, the largest, .. all of them."""
    return [None, *sorted({prod(op.size) for op in ops}, reverse=True)]


def band_counts(rows: int) -> list[int]:
    """Return the numbers of bands to try for a map of so many rows."""
    powers = [1 << n for n in range(1, rows.bit_length()) if 1 << n < rows]
    return [*powers, rows] if rows > 1 else []


class Chooser:
    """Tries units; `known` holds the cost of each, None where it does not fit."""

    def __init__(self, build: Builder) -> None:
        self.build = build
        self.known: dict[Unit, float | None] = {}
        self.errors: dict[int, UnitError] = {}
        ops = build.lowered.ops
        inner = [n for n in range(1, len(ops)) if ops[n - 1].output != ops[n].output]
        self.cuts = [0, *inner, len(ops)]
        self.lone = {cut for cut in self.cuts if len(self.crossing(cut)) <= 1}

    def crossing(self, cut: int) -> set[str]:
        """Return the maps that passes behind a cut read and passes before it wrote."""
        ops = self.build.lowered.ops
        written = {op.output for op in ops[:cut]}
        return {name for op in ops[cut:] for name in op.inputs} & written

    def units(self) -> list[Unit]:
        """Return the cheapest sequence of units for the whole run; UnitError if there is none."""
        count, images = len(self.build.lowered.ops), self.build.run_images
        if images == 1:
            whole = self.widest(Unit(first=0, end=count))
            if whole is not None:
                return [whole]
        best: dict[int, tuple[float, list[Unit]]] = {0: (0.0, [])}
        for place, first in enumerate(self.cuts[:-1]):
            if first not in best:
                continue
            so_far, units = best[first]
            for unit in self.from_cut(place):
                cost = so_far + (self.known[unit] or 0.0)
                if unit.end not in best or cost < best[unit.end][0]:
                    best[unit.end] = cost, [*units, unit]
        if count not in best:
            # No map may leave between two units; all of them may fit.
            fitting = list(self.whole_units(0, count))
            if not fitting:
                raise self.errors[max(best)]
            return [min(fitting, key=lambda unit: self.known[unit] or 0.0)]
        return best[count][1]

    def from_cut(self, place: int) -> Iterator[Unit]:
        """Yield the units that begin at a cut and fit."""
        first, misses = self.cuts[place], 0
        for length, end in enumerate(self.cuts[place + 1 :], start=1):
            alone = first in self.lone and end in self.lone
            if length > SHORT and not alone and length > BANDED:
                continue
            fitting = list(self.whole_units(first, end)) if length <= SHORT or alone else []
            if not fitting and length <= BANDED:
                fitting = list(self.banded_units(first, end))
            yield from fitting
            misses = 0 if fitting else misses + 1
            if misses > 2 and length > 1:
                return

    def whole_units(self, first: int, end: int) -> Iterator[Unit]:
        """Yield the units of all rows that fit, with each group of images."""
        images = self.build.run_images
        for group in (size for size in range(1, images + 1) if images % size == 0):
            unit = self.widest(Unit(first=first, end=end, group=group))
            if unit is None:
                return
            yield unit

    def banded_units(self, first: int, end: int) -> Iterator[Unit]:
        """Yield the unit of the fewest bands that fits."""
        ops = self.build.lowered.ops
        sizes = [op.size for op in ops[first:end]]
        rows, columns = (min(sides) for sides in zip(*sizes, strict=True))
        if not {op.output for op in ops[first:end]}.isdisjoint(self.build.lowered.outputs):
            return
        for tiles in TILES:
            if tiles > 1 and LEAST_COLUMNS * tiles > columns:
                return
            for bands in band_counts(rows):
                unit = self.widest(Unit(first=first, end=end, bands=bands, tiles=tiles))
                if unit is not None:
                    yield unit
                    return

    def widest(self, unit: Unit) -> Unit | None:
        """Return a unit with the fewest narrow passes with which it fits; None: with none.

        Slices are smallest where all passes are narrow, and then there is one split of each: a
        unit that does not fit so is given up before a cycle model judges any split.
        """
        *fewer, all_of_them = (
            replace(unit, narrow=narrow)
            for narrow in narrow_choices(self.build.lowered.ops[unit.first : unit.end])
        )
        if self.cost(all_of_them) is None:
            return None
        fitting = (each for each in fewer if self.cost(each) is not None)
        return next(fitting, all_of_them)

    def cost(self, unit: Unit) -> float | None:
        """Return the estimated cycles of a unit for the whole run; None where it does not fit."""
        if unit not in self.known:
            self.known[unit] = self.tried(unit)
        return self.known[unit]

    def tried(self, unit: Unit) -> float | None:
        """Return the cost of a unit by building its first and its middle band."""
        set_narrow(self.build, unit)
        trial = UnitSteps(self.build, unit, Scratch(self.build), Answers(self.build), trial=True)
        bands = sorted({0, unit.bands // 2, unit.bands - 1})
        try:
            parts = [trial.placed((0, unit.group), band, unit.tiles // 2) for band in bands]
        except UnitError as error:
            self.errors.setdefault(unit.first, error)
            return None
        return unit_cost(self.build, unit, parts[len(parts) // 2])
