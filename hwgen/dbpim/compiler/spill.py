"""Maps to memory: copies through the logit buffer, a piece at a time, and a STORE for each.

Tests: `tests/dbpim/compiler/test_rows.py`.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from hwgen.dbpim.compiler.allocate import UnitError
from hwgen.dbpim.compiler.builder import Builder
from hwgen.dbpim.compiler.grid import NO_ROWS, Grid, Rows
from hwgen.dbpim.compiler.lower_simd import IDENTITY, SIMD_DEFAULTS
from hwgen.dbpim.compiler.memory import SPACES
from hwgen.dbpim.compiler.ops import Op
from hwgen.dbpim.compiler.split import Split, Work
from hwgen.dbpim.compiler.steps import Step, StepWork, Tensor
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import EVERY_WORD, Operation, Space, of_core
from hwgen.dbpim.facts.program import MemoryPlace

LOGIT_BYTES = 4
"""Bytes of an entry of the logit buffer."""


@dataclass(frozen=True, kw_only=True)
class Rectangle:
    """Rows and columns of a map whose words go to the logit buffer from word `base` on."""

    rows: Rows
    columns: Rows
    base: int


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Parts of a map that one STORE writes; offset: bytes from the start of its rows."""

    parts: tuple[Rectangle, ...]
    offset: int
    words: int


def pieces(
    build: Builder, tensor: Tensor, rows: Rows, *, width: int, pitch: int, by_rows: bool = False
) -> Iterator[Piece]:
    """Yield the pieces of some rows of `width` columns of a map, in words of C bytes.

    pitch: bytes from one row to the next in memory; beyond the words of a row it is padding, and
    no piece holds two rows then
    by_rows: pieces end with a row where there are no more of them: a row in two is copied twice
    Errors: UnitError where not even one beat's pixels fit the logit buffer
    """
    depth = tensor.channel_words
    arch, word_bytes = build.arch, build.arch.word
    row_bytes = width * depth * word_bytes
    capacity = logit_words(arch)
    unit = aligned_pixels(depth * word_bytes, arch.port_bytes)
    run = width if pitch != row_bytes else (rows[1] - rows[0]) * width
    whole = run if run * depth <= capacity else capacity // depth // unit * unit
    rows_alone = whole // width * width
    ends = by_rows and rows_alone > 0 and rows_alone % unit == 0
    if ends and -(-run // rows_alone) == -(-run // whole):
        whole = rows_alone
    if not whole:
        raise UnitError(
            f"layer {tensor.shape.name}: pixels of a map that goes to memory must fit the logit"
            f" buffer in whole beats, at most {capacity * word_bytes} bytes, got"
            f" {unit * depth * word_bytes}"
        )
    for start in range(rows[0], rows[1], run // width):
        for first in range(0, run, whole):
            end = min(first + whole, run)
            parts = rectangles(first, end, width, depth)
            yield Piece(
                parts=tuple(
                    replace(part, rows=(start + part.rows[0], start + part.rows[1]))
                    for part in parts
                ),
                offset=(start - rows[0]) * pitch + first * depth * word_bytes,
                words=(end - first) * depth,
            )


def logit_words(arch: Arch) -> int:
    """Return the words of C bytes that the logit buffer holds."""
    return arch.logit_entries * LOGIT_BYTES // arch.word


def aligned_pixels(pixel_bytes: int, port_bytes: int) -> int:
    """Return the fewest pixels whose bytes are whole beats."""
    return port_bytes // math.gcd(pixel_bytes, port_bytes)


def rectangles(first: int, end: int, width: int, depth: int) -> Iterator[Rectangle]:
    """Yield the parts of pixels `first` to `end` in raster order: parts of rows, and whole rows."""
    now = first
    while now < end:
        row, column = divmod(now, width)
        if column or end - now < width:
            stop = min(end, (row + 1) * width)
            columns = column, column + stop - now
            yield Rectangle(rows=(row, row + 1), columns=columns, base=(now - first) * depth)
        else:
            last = end // width
            stop = last * width
            yield Rectangle(rows=(row, last), columns=(0, width), base=(now - first) * depth)
        now = stop


def copy_step(
    build: Builder,
    tensor: Tensor,
    part: Rectangle,
    *,
    image: int,
    owners: list[Rows],
    name: str,
) -> Step:
    """Return the step that copies a part of an image's map to the logit buffer.

    owners: rows of the map that each core copies
    """
    arch, number = build.arch, image - tensor.origin
    width, depth = part.columns[1] - part.columns[0], tensor.channel_words
    grid = Grid(
        width=width,
        first_column=0,
        first_row=part.rows[0],
        end_row=part.rows[1],
        number=1,
        images=1,
        vector=(1, arch.macros_per_core),
    )
    return Step(
        name=name,
        layer=tensor.shape.name,
        op="copy",
        kind="simd",
        images=(image, 1),
        rows=part.rows,
        inputs=(tensor,),
        work=StepWork(
            op=copy_op(tensor, name, arch),
            grid=grid,
            split=Split(works=copy_works(part, owners, grid, depth)),
        ),
        fields={
            "input_image_rows": number * tensor.image_rows,
            "input_image_columns": number * tensor.image_columns + part.columns[0],
            "input_width": tensor.shape.width,
            "to_memory": 1,
            "output_base": part.base,
            "output_row_pitch": width * depth,
            "output_channel_words": depth,
            "output_image_rows": 0,
            "output_image_columns": 0,
            **{of_core("keep_first", core): part.rows[0] for core in range(arch.cores)},
        },
    )


def copy_works(part: Rectangle, owners: list[Rows], grid: Grid, depth: int) -> tuple[Work, ...]:
    """Return what each core copies of a part: the rows that it owns."""
    works = []
    for rows in owners:
        first, end = (min(max(row - part.rows[0], 0), part.rows[1] - part.rows[0]) for row in rows)
        span = first * grid.row_vectors, end * grid.row_vectors
        works.append(Work(span=span if first < end else NO_ROWS, words=(0, depth)))
    return tuple(works)


def copy_op(tensor: Tensor, name: str, arch: Arch) -> Op:
    """Return the pass that leaves bytes as they are."""
    shape = tensor.shape
    return Op(
        name=name,
        layer=shape.name,
        op="copy",
        kind="simd",
        inputs=(shape.name,),
        output=shape.name,
        size=(shape.height, shape.width),
        words=(0, tensor.channel_words),
        whole=False,
        fields={
            **SIMD_DEFAULTS,
            **IDENTITY,
            "operation": Operation.SUM,
            "enable_end": arch.word,
        },
    )


def copy_out(
    build: Builder,
    tensor: Tensor,
    image: int,
    rows: Rows,
    *,
    columns: Rows,
    space: Space,
    offset: int,
    pitch: int,
    owners: list[Rows],
    state: str = "",
    at_position: bool = False,
    zeros: bool = False,
) -> Iterator[Step]:
    """Yield the steps that write rows of an image's map to memory, from byte `offset` on.

    state: that the map becomes; at_position: behind the pixels of earlier calls
    zeros: above the channels are zeros, else what the buffers hold
    """
    word_bytes, what = build.arch.word, state or SPACES[space]
    base = build.name(f"{tensor.shape.name} to {what}", (image, 1))
    width, move = columns[1] - columns[0], columns[0] - tensor.first_column
    if width < tensor.shape.width or tensor.shape.width < build.width(tensor):
        base = f"{base} columns {columns[0]}-{columns[1] - 1}"
    for piece in pieces(build, tensor, rows, width=width, pitch=pitch, by_rows=bool(state)):
        first, end = piece.parts[0].rows[0], piece.parts[-1].rows[1]
        label = f"{base} rows {first}-{end - 1} byte {offset + piece.offset}"
        for number, found in enumerate(piece.parts):
            part = replace(found, columns=(found.columns[0] + move, found.columns[1] + move))
            name = f"copy {label} part {number}"
            step = copy_step(build, tensor, part, image=image, owners=owners, name=name)
            # Bytes of the last channel word of a pixel that are channels.
            last = tensor.shape.channels - (tensor.channel_words - 1) * word_bytes
            yield replace(step, fields={**step.fields, "enable_end": last}) if zeros else step
        place = MemoryPlace(
            space="answer" if space is Space.ANSWER else "scratch",
            offset=offset + piece.offset,
            size=piece.words * word_bytes,
        )
        yield Step(
            name=f"store {label}",
            layer="store" if space is Space.ANSWER else tensor.shape.name,
            op="store",
            kind="store",
            images=(image, 1),
            rows=(first, end),
            memory=place,
            fields={
                "words": place.size // LOGIT_BYTES,
                "index": 0,
                "space": space,
                "offset": place.offset,
                **EVERY_WORD,
                "at_position": int(at_position),
            },
        )


def owners_of(step: Step, *, image: int) -> list[Rows]:
    """Return the rows of an image's map that each core copies: those that it computed first.

    step: the one that wrote the map
    """
    found, done = [], 0
    if step.output is None:
        raise ValueError(f"{step.name} must have an output")
    shift, height = (image - step.output.origin) * step.output.image_rows, step.output.shape.height
    for rows in step.written_rows():
        first, end = max(rows[0] - shift, done, 0), min(rows[1] - shift, height)
        found.append((first, end) if first < end else NO_ROWS)
        done = max(done, end) if first < end else done
    return found
