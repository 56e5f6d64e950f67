"""The positions that a core computes in a step, in its order: vectors of M."""

from dataclasses import dataclass

import numpy as np

from hwgen.dbpim.facts.instructions import of_core
from tests.dbpim.compiler.chip_state import ChipState, View


@dataclass(frozen=True)
class Positions:
    """Positions (vectors, M): image, y, x; active: whether the map has it."""

    image: np.ndarray
    y: np.ndarray
    x: np.ndarray
    active: np.ndarray

    def __len__(self) -> int:
        return len(self.image)

    def part(self, start: int, count: int) -> "Positions":
        """Return some vectors."""
        chosen = slice(start, start + count)
        return Positions(self.image[chosen], self.y[chosen], self.x[chosen], self.active[chosen])

    def flat(self) -> "Positions":
        """Return the active positions alone, (n,)."""
        return Positions(*(each[self.active] for each in (self.image, self.y, self.x, self.active)))

    def stored(self, fields: dict[str, int], name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return stored row and column of each position in the map `name` (output, second)."""
        return (
            self.image * fields[f"{name}_image_rows"] + self.y,
            self.image * fields[f"{name}_image_columns"] + self.x,
        )


def positions_of(chip: ChipState, fields: dict[str, int], core: int) -> Positions:
    """Return the position vectors of a core."""
    macros, width = chip.arch.macros_per_core, fields["output_width"]
    first, end = fields["output_first_row"], fields["output_end_row"]
    across, down = macros, 1
    if fields["patch"] and macros > 1:
        across, down = macros // 2, 2
        if width > across:
            chip.refuse(f"a patch must see at most {across} columns, got {width}")
    image, y, x = (fields[of_core(f"start_{name}", core)] for name in ("image", "y", "x"))
    count = fields[of_core("vectors", core)]
    if x % across or not (first <= y < end and x < width):
        chip.refuse(f"core {core} starts at row {y}, column {x}")
    if not count:
        chip.refuse(f"core {core} is active without a position vector")
    rows: list[np.ndarray] = []
    while count > 0:
        columns = np.arange(x, width, across)[:count]
        rows.append(np.stack([np.full_like(columns, image), np.full_like(columns, y), columns]))
        count, x, y = count - len(columns), 0, y + down
        if y >= end:
            y, image = first, image + 1
    vectors = np.concatenate(rows, axis=1)[:, :, np.newaxis]
    index = np.arange(macros)
    all_y, all_x = vectors[1] + index // across, vectors[2] + index % across
    active = (all_x < width) & (all_y < end)
    return Positions(np.broadcast_to(vectors[0], all_y.shape), all_y, all_x, active)


def view(fields: dict[str, int], name: str, core: int) -> View:
    """Return a map that a core reads: input or second."""
    return View(
        base=fields[f"{name}_base"],
        row_pitch=fields[f"{name}_row_pitch"],
        words=fields[f"{name}_channel_words"],
        first=fields[of_core(f"{name}_first", core)],
    )


def read_taps(chip: ChipState, fields: dict[str, int], core: int, at: Positions, *, taps, words):
    """Return the input words of positions (n,): (n, t, C), and the tags of unknown bytes.

    taps: window rows and columns, (t,) each; words: channel words, (t,)
    """
    y = at.y[:, np.newaxis] * fields["stride_y"] + taps[0] - fields["padding_top"]
    x = at.x[:, np.newaxis] * fields["stride_x"] + taps[1] - fields["padding_left"]
    down, across = 2 ** fields.get("grow_y", 0), 2 ** fields.get("grow_x", 0)
    between = (y % down != 0) | (x % across != 0)
    y, x = y // down, x // across
    inside = (y >= 0) & (y < fields["input_height"]) & (x >= 0) & (x < fields["input_width"])
    if fields.get("grow_zeros", 0):
        inside &= ~between
    inside &= words < fields["input_channel_words"]
    rows = at.image[:, np.newaxis] * fields["input_image_rows"] + y
    columns = at.image[:, np.newaxis] * fields["input_image_columns"] + x
    word = np.broadcast_to(words, rows.shape)
    rows, columns = np.where(inside, rows, 0), np.where(inside, columns, 0)
    source = view(fields, "input", core)
    return chip.read(
        core,
        source,
        rows=rows,
        columns=columns,
        words=word,
        inside=inside,
        outside=fields["outside"],
    )
