"""A plan as constants of C, which `hwgen_play.c` plays, and the functions that its user writes.

Tests: `tests/plan/test_firmware.py`.
"""

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen import __version__, chip
from hwgen.chip.in_memory import InMemory, MapLayout, aligned, pixel_by_pixel
from hwgen.errors import FormatError
from hwgen.plan.file import Place, Plan, PlanStep, PlanTensor
from hwgen.plan.moves import BYTES, Moved, NoMovesError, Table, moves_of

NOTHING = "HWGEN_NOTHING"
INDEX = "uint32"
"""Type of a class that is told."""
TYPES = {"float32": "float", "float64": "double", "bool": "uint8_t"}
"""In C, of types that are not called as there with `_t`."""
TEMPLATES = Path(chip.__file__).parent / "driver"
"""Has `hwgen_plan.h.in` and `.c.in`, whose `${name}` are filled."""


@dataclass(frozen=True, kw_only=True)
class Firmware:
    """The texts of C by name, and the programs of all pieces."""

    texts: Mapping[str, str]
    programs: bytes


@dataclass(kw_only=True)
class Writer:
    """Lays the tensors of a plan into memory and writes what is done with them.

    memories: of each piece on the chip; moves: of each host piece that only moves, by output
    """

    plan: Plan
    memories: Mapping[str, InMemory]
    moves: Mapping[str, Mapping[str, Moved]]
    size: int = 0
    tensors: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)
    values: dict[bytes, str] = field(default_factory=dict)
    tables: dict[tuple[Any, ...], int] = field(default_factory=dict)
    takes: list[str] = field(default_factory=list)
    actions: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    declared: list[str] = field(default_factory=list)

    def room(self, size: int) -> int:
        """Return where a buffer of some bytes begins."""
        self.size, begin = self.size + aligned(max(size, 1)), self.size
        return begin

    def tensor(self, layout: MapLayout, offset: int, name: str) -> int:
        """Return the number of a tensor that is new."""
        if layout.element_bits % 8 or layout.pixel_bits % 8:
            raise FormatError(
                field="a map of a plan for C",
                allowed="of elements of whole bytes",
                given=f"{layout.element_bits} bits",
                source=self.plan.graph.name,
            )
        values = [offset, layout.element_bits // 8, layout.shape[2], layout.pixel_bits // 8]
        values += [layout.block_pixels, layout.block_bytes]
        self.tensors.append(f"    {{{listed(values)}}}, /* {name.replace('*/', '')} */")
        self.offsets.append(offset)
        return len(self.tensors) - 1

    def run(self) -> None:
        """Write all steps in order."""
        for tensor in self.plan.graph.tensors:
            count, width = size_of(tensor, self.moved(tensor.name))
            flat = pixel_by_pixel(
                (1, 1, count), count * width, element_bytes=width, pixel_bytes=count * width
            )
            self.numbers[tensor.name] = self.tensor(flat, self.room(flat.size), tensor.name)
        for step in self.plan.graph.steps:
            if step.where == "chip":
                self.piece(step)
            elif step.name in self.moves:
                for name, moved in self.moves[step.name].items():
                    sources = [self.numbers[each] for each in step.inputs]
                    self.move(self.numbers[name], moved, sources)
            else:
                self.call(step)

    def moved(self, name: str) -> Moved | None:
        """Return how a tensor comes about that only moves write."""
        return next((moves[name] for moves in self.moves.values() if name in moves), None)

    def piece(self, step: PlanStep) -> None:
        """Write the starts of a piece on the chip: an image each, then its borders."""
        graph, memory = self.plan.networks[step.name].graph, self.memories[step.name]
        shape = graph.input.shape
        image = self.room(memory.image.size)
        target, at = self.tensor(memory.image, image, f"image of {step.name}"), []
        places, tables = image_places(step, (step.batch, *shape), memory.image.element_bits // 8)
        sources = [self.numbers[each.tensor] for each in step.image]
        names = {answer.name: k for k, answer in enumerate(memory.answers)}
        for part in np.split(places, step.batch):
            self.move(target, Moved(tables=tables, places=part), sources)
            answers = self.room(memory.answer_stride * max(memory.start_images, 1))
            number = list(self.memories).index(step.name)
            self.action("HWGEN_START", number, image=image, answers=answers)
            at.append(
                [
                    self.tensor(each.layout, answers + each.offsets[0], f"{step.name}: {each.name}")
                    for each in memory.answers
                ]
            )
        for each in step.maps:
            layout = memory.answers[names[each.layer]].layout
            found = numbers_of(each, (step.batch, *layout.shape))
            one = math.prod(layout.shape)
            behind = Table(values=BYTES - np.uint8(each.offset % 256))
            places = np.stack([np.zeros_like(found), found // one, found % one], 1)
            sources = [answers[names[each.layer]] for answers in at]
            moved = Moved(tables=(behind if each.offset else Table(),), places=places)
            self.move(self.numbers[each.tensor], moved, sources)

    def move(self, target: int, moved: Moved, sources: Sequence[int]) -> None:
        """Write what fills a tensor."""
        numbers = [self.table(each) for each in moved.tables]
        first = len(self.takes)
        for table, source, begin, count, step in runs_of(moved.places):
            where = NOTHING if source < 0 else sources[source]
            how = NOTHING if source < 0 else numbers[table]
            self.takes.append(f"    {{{listed((where, how, max(begin, 0), count, step))}}},")
        takes = len(self.takes) - first
        self.action("HWGEN_MOVE", target, first=first, takes=takes, row=moved.row)

    def table(self, table: Table) -> str:
        """Return the number of a table in C; the same one is written once."""
        if table.values is None:
            return NOTHING
        content = table.values.tobytes()
        name = self.values.setdefault(content, f"values_{len(self.values)}")
        scale, zero, kind = table.quantizer or (0.0, 0, "uint8")
        key = (name, table.values.itemsize, f"{scale!r}f", zero, int(np.iinfo(kind).min))
        return str(self.tables.setdefault(key, len(self.tables)))

    def action(self, kind: str, number: int, **further: int) -> None:
        """Write what is done next."""
        rest = "".join(f", .{name} = {value}" for name, value in further.items())
        self.actions.append(f"    {{.kind = {kind}, .number = {number}{rest}}},")

    def call(self, step: PlanStep) -> None:
        """Write the call of a function of the user, and what declares it."""
        tensors = self.plan.graph.by_name
        ends = [(name, "const ", "in") for name in step.inputs]
        ends += [(name, "", "out") for name in step.outputs]
        given, parameters = [], []
        for number, (name, constant, way) in enumerate(ends):
            kind = tensors[name].type
            place = number if way == "in" else number - len(step.inputs)
            pointer = f"{constant}{TYPES.get(kind, f'{kind}_t')} *"
            parameters.append(f"{pointer}{way}{place}")
            given.append(f"({pointer})(void *)(memory + {self.offsets[self.numbers[name]]})")
        function = f"hwgen_{step.name}"
        told = "\n".join(
            f" * {each.split()[-1].lstrip('*')}: {told_of(tensors[name])}"
            for (name, _, _), each in zip(ends, parameters, strict=True)
        )
        operators = ", ".join(step.operators)
        prototype = f"void {function}({', '.join(parameters)});"
        self.declared.append(f"\n/* {operators}\n *\n{told}\n */\n{prototype}\n")
        self.action("HWGEN_CALL", len(self.calls))
        arguments = ",\n        ".join(given)
        name = f"call_{len(self.calls)}"
        body = f"{{\n    {function}(\n        {arguments});\n}}\n"
        self.calls.append(f"\nstatic void {name}(uint8_t *memory)\n{body}")


def firmware_of(
    plan: Plan,
    memories: Mapping[str, InMemory],
    moves: Mapping[str, Mapping[str, Moved]],
    *,
    calls: int,
) -> Firmware:
    """Return a plan as C.

    memories: of each piece on the chip, in order; moves: of the host pieces that only move
    calls: that are exported
    Raises FormatError where a map of the chip has elements that are no whole bytes.
    """
    writer = Writer(plan=plan, memories=memories, moves=moves)
    writer.run()
    scratch = writer.room(max((each.scratch_bytes for each in memories.values()), default=0))
    programs, begins = b"", []
    for memory in memories.values():
        begins.append(len(programs))
        programs += memory.program.ljust(aligned(len(memory.program)), b"\0")
    graph, tensors = plan.graph, plan.graph.by_name
    moved = {name: writer.moved(name) for name in tensors}
    sizes = {name: math.prod(size_of(tensors[name], moved[name])) for name in tensors}
    ends = {
        way: "\n".join(
            f"    {{{json.dumps(name)}, {writer.offsets[writer.numbers[name]]}, {sizes[name]}}},"
            for name in names
        )
        for way, names in (("inputs", graph.inputs), ("outputs", graph.outputs))
    }
    about = {"title": f"Plan {graph.name} for the chip {graph.chip}", "version": __version__}
    header = filled(
        "hwgen_plan.h",
        **about,
        calls=calls,
        bytes=writer.size,
        program_bytes=len(programs),
        inputs="\n".join(f" *   {told_of(tensors[name])}" for name in graph.inputs),
        outputs="\n".join(f" *   {told_of(tensors[name], moved[name])}" for name in graph.outputs),
        input_bytes=sum(sizes[name] for name in graph.inputs),
        output_bytes=sum(sizes[name] for name in graph.outputs),
        functions="".join(writer.declared),
    )
    values = [
        f"static const uint8_t {name}[] = {{{listed(content)}}};"
        for content, name in writer.values.items()
    ]
    source = filled(
        "hwgen_plan.c",
        **about,
        **ends,
        includes="\n".join(f'#include "hwgen_{name}.h"' for name in memories),
        values="\n".join(values),
        tables="\n".join(f"    {{{listed(key)}}}," for key in writer.tables) or "    {0}",
        tensors="\n".join(writer.tensors),
        takes="\n".join(writer.takes) or "    {0}",
        actions="\n".join(writer.actions),
        networks=", ".join(f"&hwgen_{name}" for name in memories) or "NULL",
        programs=listed(begins) or "0",
        calls="".join(writer.calls),
        functions=", ".join(f"call_{k}" for k in range(len(writer.calls))) or "NULL",
        scratch=scratch,
    )
    texts = {"hwgen_plan.h": header, "hwgen_plan.c": source}
    return Firmware(texts=texts, programs=programs)


def host_moves(plan: Plan, calls: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Moved]]:
    """Return the host pieces that only move, and how their outputs come about.

    calls: tensors of the plan by name, by which they are tried: a piece that would answer otherwise
    than its runtime is none
    """
    from hwgen.plan.onnx_host import model_of

    found: dict[str, dict[str, Moved]] = {}
    for step in plan.graph.host_steps if plan.graph.kind == "ONNX" else ():
        model = model_of(plan.files[step.name], plan.graph.name)
        try:
            moves = moves_of(step, model, plan.graph.by_name)
        except NoMovesError:
            continue
        if all(same(moves, step, tensors) for tensors in calls):
            found[step.name] = moves
    return found


def same(moves: Mapping[str, Moved], step: PlanStep, tensors: Mapping[str, Any]) -> bool:
    """Return whether moves give what the runtime gave in a call; a class has no numbers there."""
    inputs = [np.asarray(tensors[name]) for name in step.inputs]
    return all(
        np.array_equal(moved.of(inputs), np.asarray(tensors[name]).reshape(-1))
        for name, moved in moves.items()
        if not moved.row
    )


def image_places(
    step: PlanStep, shape: tuple[int, int, int, int], width: int
) -> tuple[NDArray[np.int64], tuple[Table, ...]]:
    """Return table, border and element of each element of all images, and the tables.

    width: bytes of an element; a border of -1: nothing is written there
    """
    found = np.full((math.prod(shape), 3), -1)
    tables = []
    for number, each in enumerate(step.image):
        places = numbers_of(each, shape)
        found[places] = np.stack(
            [np.full(places.size, number), np.full(places.size, number), np.arange(places.size)], 1
        )
        values = (BYTES + np.uint8(each.offset % 256)).astype(f"<u{width}")
        tables.append(Table(values=values) if each.offset or width > 1 else Table())
    return found, tuple(tables)


def numbers_of(place: Place, shape: tuple[int, int, int, int]) -> NDArray[np.int64]:
    """Return the number in images or maps, (batch, ..), of each element of a border."""
    if place.axes is None:
        return np.asarray(place.numbers).reshape(-1).astype(np.int64)
    return np.arange(math.prod(shape)).reshape(shape).transpose(place.axes).reshape(-1)


def runs_of(places: NDArray[np.int64]) -> Iterable[tuple[int, int, int, int, int]]:
    """Yield table, source, first element, number of elements and step of each run."""
    kinds, elements = places[:, :2], places[:, 2]
    apart = (kinds[1:] != kinds[:-1]).any(1)
    steps = np.diff(elements)
    at, last = 0, len(places)
    bends = np.flatnonzero(apart[1:] | (steps[1:] != steps[:-1])) + 2
    while at < last:
        end, step = at + 1, 0
        if end < last and not apart[at]:
            step = int(steps[at])
            behind = bends[np.searchsorted(bends, at + 2) :]
            end = int(behind[0]) if behind.size else last
        yield int(kinds[at, 0]), int(kinds[at, 1]), int(elements[at]), end - at, step
        at = end


def size_of(tensor: PlanTensor, moved: Moved | None) -> tuple[int, int]:
    """Return the numbers of a tensor in C, and the bytes of one; moved: how it comes about."""
    if moved is not None and moved.row:
        return moved.elements, np.dtype(INDEX).itemsize
    return math.prod(tensor.sides), np.dtype(tensor.type).itemsize


def told_of(tensor: PlanTensor, moved: Moved | None = None) -> str:
    """Return what a comment says of a tensor."""
    sides = " x ".join(map(str, tensor.sides))
    name = tensor.name.replace("*/", "")
    if moved is not None and moved.row:
        return f"{name}: {INDEX}, {moved.elements} x the class of {moved.row} elements"
    scale = "" if tensor.scale is None else f", (integer - {tensor.zero_point}) * {tensor.scale!r}"
    return f"{name}: {tensor.type}, {sides}{scale}"


def filled(name: str, **values: Any) -> str:
    """Return the text of a file with its values."""
    text = (TEMPLATES / f"{name}.in").read_text(encoding="utf-8")
    return Template(text).substitute(values)


def listed(values: Iterable[Any]) -> str:
    """Return values as C lists them."""
    return ", ".join(map(str, values))
