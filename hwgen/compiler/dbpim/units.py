"""Units: passes that run together, their maps in the buffers; other maps are in memory.

A unit runs for one group of images after the other; with several bands, for one image and some
rows of its results at a time.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.compiler.dbpim.allocate import allocate
from hwgen.compiler.dbpim.answer import Answers, byte_answer, raw_answer
from hwgen.compiler.dbpim.builder import Builder
from hwgen.compiler.dbpim.grid import NO_ROWS, Rows, hull
from hwgen.compiler.dbpim.memory import Scratch, load_steps
from hwgen.compiler.dbpim.ops import Op
from hwgen.compiler.dbpim.spill import Rectangle, copy_out, copy_step, owners_of
from hwgen.compiler.dbpim.steps import Images, Step, Tensor, slice_maps


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Passes first .. end - 1, for `group` images at a time, in `bands` parts of their rows.

    narrow: whether all cores have the same filters, which makes slices smaller
    """

    first: int
    end: int
    group: int = 1
    bands: int = 1
    narrow: bool = False


class UnitSteps:
    """The steps of one unit; of a trial, a map that leaves is one step that cannot run."""

    def __init__(
        self,
        build: Builder,
        unit: Unit,
        scratch: Scratch,
        answers: Answers,
        *,
        trial: bool = False,
    ) -> None:
        self.build, self.unit, self.trial = build, unit, trial
        self.scratch, self.answers = scratch, answers
        ops = build.lowered.ops
        self.ops = ops[unit.first : unit.end]
        read_later = {name for op in ops[unit.end :] for name in op.inputs}
        self.leaving = {op.output for op in self.ops} & read_later
        self.is_last = unit.end == len(ops)
        self.writers = {op.output: op for op in self.ops}

    def all_steps(self) -> Iterator[Step]:
        """Yield the steps of all groups and bands, with places in the buffers."""
        group = self.unit.group
        for first in range(0, self.build.run_images, group):
            for band in range(self.unit.bands):
                yield from self.placed((first, group), band)

    def placed(self, images: Images, band: int) -> list[Step]:
        """Return the steps of a band of a group; FullError where its maps do not fit."""
        steps = list(self.band_steps(images, band))
        slice_maps(steps, self.build.arch)
        allocate(steps, self.build.arch)
        return steps

    def shares(self, band: int) -> dict[str, Rows]:
        """Return the rows of each leaving map that a band writes to memory."""
        last = self.ops[-1].output
        found = {}
        for name in {*self.leaving, *([last] if self.is_last else [])}:
            height, bands = self.writers[name].size[0], self.unit.bands
            found[name] = height * band // bands, height * (band + 1) // bands
        return found

    def needed_rows(self, band: int) -> dict[str, Rows]:
        """Return the rows of each map that a band computes or loads; a single band has all."""
        if self.unit.bands == 1:
            maps = {name for op in self.ops for name in (*op.inputs, op.output)}
            return {name: (0, self.build.lowered.maps[name].height) for name in maps}
        rows = self.shares(band)
        for op in reversed(self.ops):
            mine = rows.get(op.output, NO_ROWS)
            for place, name in enumerate(op.inputs):
                read = input_rows(op, place, mine, self.build.lowered.maps[name].height)
                rows[name] = hull(rows.get(name, NO_ROWS), read)
        return rows

    def band_steps(self, images: Images, band: int) -> Iterator[Step]:
        """Yield the steps of a band of a group of images."""
        build, rows = self.build, self.needed_rows(band)
        tensors: dict[str, Tensor] = {}
        for number, op in enumerate(self.ops):
            part = rows.get(op.output, NO_ROWS)
            if part == NO_ROWS:
                continue
            for name in op.inputs:
                if name not in tensors:
                    tensors[name] = build.tensor(name, images, images[0])
                    yield from load_steps(
                        build,
                        self.scratch.place(name),
                        tensors[name],
                        images=images,
                        rows=rows[name],
                        reader=op.name,
                    )
            inputs = [tensors[name] for name in op.inputs]
            if op.raw:
                yield from raw_answer(build, op, inputs[0], images, self.answers)
                continue
            if op.output not in tensors:
                tensors[op.output] = build.tensor(op.output, images, images[0])
            whole = self.unit.bands == 1
            step = build.step(
                op,
                inputs,
                tensors[op.output],
                images=images,
                origin=images[0],
                rows=None if whole else part,
            )
            yield step
            if all(later.output != op.output for later in self.ops[number + 1 :]):
                yield from self.leave(op, step, images, band)

    def leave(self, op: Op, step: Step, images: Images, band: int) -> Iterator[Step]:
        """Yield the steps that write a map to memory, where another unit or the host reads it."""
        if self.is_last and op is self.ops[-1]:
            yield from byte_answer(self.build, step, images, self.answers)
        if op.output not in self.leaving or step.output is None:
            return
        place = self.scratch.place(op.output)
        rows = self.shares(band)[op.output]
        for image in range(images[0], sum(images)):
            owners = owners_of(step, image=image)
            if self.trial:
                part = Rectangle(rows=rows, columns=(0, step.output.shape.width), base=0)
                yield copy_step(
                    self.build, step.output, part, image=image, owners=owners, name="trial"
                )
            elif rows[0] < rows[1]:
                yield from copy_out(
                    self.build,
                    step.output,
                    image,
                    rows,
                    space=place.space,
                    offset=place.at(image, rows[0]),
                    pitch=place.pitch,
                    owners=owners,
                )


def input_rows(op: Op, place: int, rows: Rows, height: int) -> Rows:
    """Return the rows of an input that a pass reads for some rows of its output."""
    if rows[0] >= rows[1]:
        return NO_ROWS
    if place == 0:
        found = op.window.rows(*rows, op.fields.get("input_height", height))
    else:
        found = (0, 1) if op.broadcast else rows
    return found if found[0] < found[1] else NO_ROWS
