"""Units: passes that run together, their maps in the buffers; other maps are in memory.

A unit runs for one group of images after the other; with several bands, for one image and some
rows of its results at a time.

Tests: `tests/dbpim/compiler/test_products.py`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hwgen.dbpim.compiler.allocate import UnitError, allocate
from hwgen.dbpim.compiler.answer import Answers, byte_answer, raw_answer
from hwgen.dbpim.compiler.builder import Builder
from hwgen.dbpim.compiler.grid import NO_ROWS, Rows, hull
from hwgen.dbpim.compiler.memory import MemoryMap, Scratch, load_steps
from hwgen.dbpim.compiler.ops import Op, Window
from hwgen.dbpim.compiler.spill import (
    Rectangle,
    aligned_pixels,
    copy_out,
    copy_step,
    owners_of,
    pieces,
)
from hwgen.dbpim.compiler.steps import Images, Step, Tensor, slice_maps
from hwgen.dbpim.facts.addressing import channel_words
from hwgen.network import INPUT


@dataclass(frozen=True, kw_only=True)
class Unit:
    """Passes first .. end - 1, for `group` images at a time, in `bands` parts of their rows.

    tiles: parts of the columns of each band
    narrow: passes with so many output positions or more have the same filters in all cores, which
        makes slices smaller; None: no pass
    """

    first: int
    end: int
    group: int = 1
    bands: int = 1
    tiles: int = 1
    narrow: int | None = None


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
        self.writers = {op.output: op for op in self.ops}
        self.answering = set(build.lowered.outputs) & set(self.writers)
        lowered = build.lowered
        self.kept = {*lowered.kept, *lowered.appended} & set(self.writers)
        if self.kept and unit.bands * unit.tiles > 1:
            raise UnitError(f"layer {min(self.kept)}: a map that a state becomes must be whole")
        self.names: set[str] = set()

    def all_steps(self) -> Iterator[Step]:
        """Yield the steps of all groups and bands, with places in the buffers."""
        group = self.unit.group
        for first in range(0, self.build.run_images, group):
            for band in range(self.unit.bands):
                for tile in range(self.unit.tiles):
                    yield from self.placed((first, group), band, tile)

    def placed(self, images: Images, band: int, tile: int) -> list[Step]:
        """Return the steps of a band of a group; UnitError where it cannot be."""
        steps = list(self.band_steps(images, band, tile))
        slice_maps(steps, self.build.arch)
        allocate(steps, self.build.arch)
        return steps

    def shares(self, band: int) -> dict[str, Rows]:
        """Return the rows of each leaving map that a band writes to memory."""
        return {
            name: share_of(self.writers[name].size[0], band, self.unit.bands)
            for name in self.leaving | self.answering | self.kept
        }

    def needed_rows(self, band: int) -> dict[str, Rows]:
        """Return the rows of each map that a band computes or loads; a single band has all."""
        if self.unit.bands == 1:
            maps = {name for op in self.ops for name in (*op.inputs, op.output)}
            return {name: (0, self.build.lowered.maps[name].height) for name in maps}
        rows = self.shares(band)
        for op in reversed(self.ops):
            share = share_of(op.size[0], band, self.unit.bands)
            mine = rows[op.output] = hull(rows.get(op.output, NO_ROWS), share)
            for place, name in enumerate(op.inputs):
                read = input_rows(op, place, mine, self.build.lowered.maps[name].height)
                rows[name] = hull(rows.get(name, NO_ROWS), read)
        return rows

    def column_shares(self, tile: int) -> dict[str, Rows]:
        """Return the columns of each leaving map that a tile writes: whole beats."""
        found, tiles, arch = {}, self.unit.tiles, self.build.arch
        for name in self.leaving | self.kept:
            shape = self.build.lowered.maps[name]
            pixel = channel_words(shape.channels, arch) * arch.word
            unit = aligned_pixels(pixel, arch.port_bytes)
            borders = [shape.width * n // tiles // unit * unit for n in (tile, tile + 1)]
            found[name] = borders[0], shape.width if tile == tiles - 1 else borders[1]
        return found

    def needed_columns(self, tile: int) -> dict[str, Rows]:
        """Return the columns of each map that a tile computes or loads; of the image all."""
        maps, arch = self.build.lowered.maps, self.build.arch
        if self.unit.tiles == 1:
            names = {name for op in self.ops for name in (*op.inputs, op.output)}
            return {name: (0, maps[name].width) for name in names}
        columns = self.column_shares(tile)
        for op in reversed(self.ops):
            mine = columns.get(op.output, NO_ROWS)
            for place, name in enumerate(op.inputs):
                turned = replace(op.window, **turn(op.window))
                read = input_rows(
                    replace(op, window=turned, fields={}), place, mine, maps[name].width
                )
                columns[name] = hull(columns.get(name, NO_ROWS), read)
        for name, (first, end) in columns.items():
            pixel = channel_words(maps[name].channels, arch) * arch.word
            unit = aligned_pixels(pixel, arch.port_bytes)
            if name not in self.writers:
                columns[name] = (
                    (0, maps[name].width) if name == INPUT else (first // unit * unit, end)
                )
        return columns

    def band_steps(self, images: Images, band: int, tile: int) -> Iterator[Step]:
        """Yield the steps of a tile of a band of a group of images."""
        build, rows, columns = self.build, self.needed_rows(band), self.needed_columns(tile)
        tensors: dict[str, Tensor] = {}
        for number, op in enumerate(self.ops):
            part = rows.get(op.output, NO_ROWS)
            across = columns.get(op.output, NO_ROWS)
            if part[0] >= part[1] or across[0] >= across[1]:
                continue
            for name in op.inputs:
                if name not in tensors:
                    tensors[name] = build.tensor(name, images, images[0], columns[name])
                    yield from load_steps(
                        build,
                        self.scratch.place(name),
                        tensors[name],
                        images=images,
                        rows=rows[name],
                        reader=self.reader(op, band, tile),
                    )
            inputs = [tensors[name] for name in op.inputs]
            if op.raw:
                yield from raw_answer(build, op, inputs[0], images, self.answers)
                continue
            if op.output not in tensors:
                tensors[op.output] = build.tensor(op.output, images, images[0], columns[op.output])
            whole = self.unit.bands == 1
            step = build.step(
                op,
                inputs,
                tensors[op.output],
                images=images,
                origin=images[0],
                rows=None if whole else part,
            )
            step.name = self.own_name(step.name, band, tile)
            yield step
            if all(later.output != op.output for later in self.ops[number + 1 :]):
                yield from self.leave(op, step, images, band, tile)

    def own_name(self, name: str, band: int, tile: int) -> str:
        """Return a name of its own for a step whose rows and columns another band has, too."""
        if name in self.names:
            name = f"{name} again in band {band}"
            name += f" tile {tile}" if self.unit.tiles > 1 else ""
        self.names.add(name)
        return name

    def reader(self, op: Op, band: int, tile: int) -> str:
        """Return the name of what reads a map from memory."""
        band_name = f" band {band}" if self.unit.bands > 1 else ""
        return op.name + band_name + (f" tile {tile}" if self.unit.tiles > 1 else "")

    def leave(self, op: Op, step: Step, images: Images, band: int, tile: int) -> Iterator[Step]:
        """Yield the steps that write a map to memory, where another unit or the host reads it."""
        if op.output in self.answering:
            yield from byte_answer(self.build, step, images, self.answers)
        if step.output is None:
            return
        for place, state, at_position in self.places(op.output):
            yield from self.to_memory(
                op, step, images, band, tile, place=place, state=state, at_position=at_position
            )

    def places(self, name: str) -> Iterator[tuple[MemoryMap, str, bool]]:
        """Yield where a map goes in memory: its own place, and those of states.

        With each the name of the state, if any, and whether it is at the position of the call.
        """
        lowered = self.build.lowered
        if name in self.leaving:
            yield self.scratch.place(name), "", False
        for state in lowered.kept.get(name, []):
            yield self.scratch.place(state), state, False
        for append in lowered.appended.get(name, []):
            yield self.scratch.place(append), append, True

    def to_memory(
        self,
        op: Op,
        step: Step,
        images: Images,
        band: int,
        tile: int,
        *,
        place: MemoryMap,
        state: str,
        at_position: bool,
    ) -> Iterator[Step]:
        """Yield the steps that write a map to one place in memory."""
        if step.output is None:
            return
        shape, pitch = step.output.shape, place.pitch
        if at_position:
            # New pixels lie one behind the other, whatever rows the state has.
            pitch = shape.width * place.row_bytes // place.shape.width
        rows, columns = self.shares(band)[op.output], self.column_shares(tile)[op.output]
        if rows[0] >= rows[1] or columns[0] >= columns[1]:
            return
        for image in range(images[0], sum(images)):
            owners = owners_of(step, image=image)
            if self.trial:
                across = columns[1] - columns[0]
                next(pieces(self.build, step.output, rows, width=across, pitch=pitch))
                part = Rectangle(rows=rows, columns=(0, step.output.shape.width), base=0)
                yield copy_step(
                    self.build, step.output, part, image=image, owners=owners, name="trial"
                )
            else:
                yield from copy_out(
                    self.build,
                    step.output,
                    image,
                    rows,
                    columns=columns,
                    space=place.space,
                    offset=place.at(image, rows[0])
                    + columns[0] * place.row_bytes // place.shape.width,
                    pitch=pitch,
                    owners=owners,
                    state=state,
                    at_position=at_position,
                )


def share_of(height: int, band: int, bands: int) -> Rows:
    """Return the rows of a map that belong to a band."""
    return height * band // bands, height * (band + 1) // bands


def turn(window: Window) -> dict[str, tuple[int, int]]:
    """Return the parts of a window with rows and columns exchanged."""
    return {name: getattr(window, name)[::-1] for name in ("kernel", "stride", "padding", "grow")}


def input_rows(op: Op, place: int, rows: Rows, height: int) -> Rows:
    """Return the rows of an input that a pass reads for some rows of its output."""
    if rows[0] >= rows[1]:
        return NO_ROWS
    if place == 0:
        found = op.window.rows(*rows, op.fields.get("input_height", height))
    else:
        found = op.second_rows(rows, height)
    return found if found[0] < found[1] else NO_ROWS
