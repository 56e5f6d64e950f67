"""What every way of cutting a network needs of the buffers, known before any cut is tried.

Whatever the bands and the tiles, each row of a map that is needed is computed in one of them,
together with all rows that its window reads. That much must fit, or no search finds a program.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from hwgen.dbpim.compiler.allocate import WORDS_LIMIT, available_words
from hwgen.dbpim.compiler.grid import Rows
from hwgen.dbpim.compiler.ops import Lowered, MapShape, Op, Window
from hwgen.dbpim.compiler.spill import aligned_pixels, logit_words
from hwgen.dbpim.facts.addressing import channel_words, row_pitch
from hwgen.dbpim.facts.arch import MOST_BUFFER_BYTES, Arch
from hwgen.errors import CompileError, Reasons

TILES = (1, 2, 4, 8, 16)
"""Parts into which the columns of a band may be cut."""
LEAST_COLUMNS = 2
"""Columns of a part."""

Needed = dict[str, NDArray[np.bool_]]
"""Of each map which rows, or which columns, are needed."""


def collect_room(reasons: Reasons, lowered: Lowered, arch: Arch) -> None:
    """Add to the reasons each layer of which one pass alone does not fit, whatever the cuts."""
    for sentence in refusals(lowered, arch):
        with reasons.among():
            raise CompileError(sentence)


def refusals(lowered: Lowered, arch: Arch) -> Iterator[str]:
    """Yield what does not fit, of each layer its largest pass."""
    rows, columns = needed(lowered, axis=0), needed(lowered, axis=1)
    most, found = available_words(arch), dict[str, int]()
    for op in lowered.ops:
        words = least_words(op, lowered, rows[op.output], columns[op.output], arch)
        found[op.layer] = max(words, found.get(op.layer, 0))
    for layer, words in found.items():
        if words > most:
            yield (
                f"layer {layer}: a row of its output and the rows that it reads must fit the"
                f" activation buffer, at most {most} words a bank, got {words}{cure(words, arch)}"
            )
    raw = {op.output for op in lowered.ops if op.raw}
    for name in lowered.outputs:
        if name not in raw:
            yield from answer_refusals(lowered.maps[name], name, arch)


def cure(words: int, arch: Arch) -> str:
    """Return which buffer has as many words a bank, if an architecture may have it."""
    needed = arch.buffer_bytes
    while words > needed // (arch.banks * arch.word) and needed < MOST_BUFFER_BYTES:
        needed *= 2
    enough = words <= min(needed // (arch.banks * arch.word), WORDS_LIMIT)
    return f": `buffer_bytes: {needed}` has them" if enough else ""


def answer_refusals(shape: MapShape, layer: str, arch: Arch) -> Iterator[str]:
    """Yield that neither an answer in bytes nor whole beats of it fit the logit buffer."""
    depth, word_bytes = channel_words(shape.channels, arch), arch.word
    whole = aligned_pixels(depth * word_bytes, arch.port_bytes)
    pixels = min(whole, shape.height * shape.width)
    if pixels * depth > logit_words(arch):
        yield (
            f"layer {layer}: pixels of the answer must fit the logit buffer in whole beats, at most"
            f" {logit_words(arch) * word_bytes} bytes, got {pixels * depth * word_bytes}"
        )


def needed(lowered: Lowered, *, axis: int) -> Needed:
    """Return which rows (axis 0) or columns (axis 1) of each map the answers need."""
    found = {
        name: np.zeros((shape.height, shape.width)[axis], np.bool_)
        for name, shape in lowered.maps.items()
    }
    for name in lowered.outputs:
        found[name][:] = True
    for op in reversed(lowered.ops):
        window = along(op.window, axis)
        for place, name in enumerate(op.inputs):
            size = side(op, place, len(found[name]), axis=axis)
            for position in np.flatnonzero(found[op.output][: op.size[axis]]).tolist():
                first, end = reads(op, window, place, (position, position + 1), size)
                found[name][first:end] = True
    return found


def least_words(
    op: Op,
    lowered: Lowered,
    rows: NDArray[np.bool_],
    columns: NDArray[np.bool_],
    arch: Arch,
) -> int:
    """Return the fewest words a bank in which a pass finds what it reads and writes at once.

    rows, columns: of its output that are needed
    """
    asked = np.flatnonzero(rows[: op.size[0]]).tolist()
    wanted = int(columns[: op.size[1]].sum())
    if not asked or not wanted:
        return 0
    parts = max(tiles for tiles in TILES if tiles == 1 or LEAST_COLUMNS * tiles <= op.size[1])
    width, down, across = -(-wanted // parts), along(op.window, 0), along(op.window, 1)
    output = lowered.maps[op.output]
    words = 0
    if not op.raw:
        words += row_pitch(width if parts > 1 else output.width, output.channels, arch)
    for place, name in enumerate(op.inputs):
        shape = lowered.maps[name]
        if name in op.inputs[:place]:
            continue
        size = side(op, place, shape.height, axis=0)
        spans = (reads(op, down, place, (row, row + 1), size) for row in asked)
        height = max(end - first for first, end in spans)
        taken = shape.width
        if parts > 1:
            starts = range(op.size[1] - width + 1)
            spans = (reads(op, across, place, (now, now + width), shape.width) for now in starts)
            taken = min(end - first for first, end in spans)
        words += height * row_pitch(taken, shape.channels, arch)
    return words


def along(window: Window, axis: int) -> Window:
    """Return a window whose rows are the rows (axis 0) or the columns (axis 1) of another."""
    if axis == 0:
        return window
    names = ("kernel", "stride", "padding", "grow")
    return replace(window, **{name: getattr(window, name)[::-1] for name in names})


def side(op: Op, place: int, size: int, *, axis: int) -> int:
    """Return the rows or columns of input number `place` that a pass sees of a map's."""
    return min(size, op.fields.get("input_height", size)) if place == axis == 0 else size


def reads(op: Op, window: Window, place: int, part: Rows, size: int) -> Rows:
    """Return the rows of input number `place` that a part of its output reads."""
    if place == 0:
        return window.rows(*part, size)
    return op.second_rows(part, size)
