"""The constants with which a loader walks the windows of a layer in a macro.

Tests: `tests/verif/crossbar/test_loader.py`.
"""

from typing import Any

from hwgen.crossbar.facts.arch_fabric import Held, Region
from hwgen.crossbar.facts.chip import Chip, ChipLayer
from hwgen.crossbar.facts.holdings import Cut
from hwgen.crossbar.facts.layout import last_needed
from hwgen.crossbar.facts.network import CrossbarLayer
from hwgen.crossbar.facts.rules import STRICT

Fields = dict[str, Any]


def walk_of(chip: Chip, placed: ChipLayer, held: Held, region: Region) -> Fields:
    """Return the fields of `hwgen.crossbar.rtl.loader.WALK` for a layer that reads windows."""
    fields = pixels_of(chip, placed, held, region)
    ring, row_elements = fields["ring_elements"], fields["row_elements"]
    if placed.cut is None:
        return fields | whole_windows(placed.layer, ring, row_elements)
    return fields | runs(placed.layer, placed.cut, held, ring, row_elements)


def pixels_of(
    chip: Chip, placed: ChipLayer, held: Held, region: Region, channels: int | None = None
) -> Fields:
    """Return the fields of `hwgen.crossbar.rtl.loader.WALK` that lead from pixel to pixel.

    channels: of a pixel in the ring; None: all that the layer reads
    """
    ring = region.words * chip.word_elements
    steps = Steps(placed.layer, ring, channels or placed.layer.in_channels)
    first, behind = held.copies
    begin = steps.begin(first)
    elements = elements_of_map(placed.layer, steps, region)
    return {
        "ring_first": region.first_word,
        "ring_elements": ring,
        "map_elements": elements % ring,
        "next_map": (elements + begin["address"]) % ring,
        "row_elements": steps.row_elements,
        "rows": steps.rows,
        "out_columns": placed.layer.out_sides[1],
        "out_pixels": placed.layer.pixels,
        "blocks": placed.blocks,
        "first_pixel": first,
        "block_pixels": placed.copies,
        "begin": begin,
        "next": steps.forward(1),
        "jump": steps.forward(placed.copies - (behind - first) + 1),
        "wrap": steps.wrap(),
        "copies": behind - first,
    }


def elements_of_map(layer: CrossbarLayer, steps: "Steps", region: Region) -> int:
    """Return the elements of a map that come into a ring: of an image those that windows reach."""
    if region.provider is None and layer.kind != "fc":
        return last_needed(layer, STRICT)[-1] * steps.channels
    return steps.rows * steps.row_elements


class Steps:
    """Where the windows of output pixels begin in a map, in elements.

    ring: elements of the ring in which the map lies; channels: of its pixels
    """

    def __init__(self, layer: CrossbarLayer, ring: int, channels: int) -> None:
        whole = layer.kind == "fc"
        self.rows = 1 if whole else layer.in_sides[0]
        columns = 1 if whole else layer.in_sides[1]
        self.channels = channels
        self.row_elements = columns * channels
        self._strides, self._paddings = layer.strides, layer.paddings
        self._across, self._ring = layer.out_sides[1], ring

    def _step(self, row: int, column: int, out_column: int) -> Fields:
        """Return a step by so many rows and columns of the map."""
        elements = column * self.channels
        return {
            "address": (row * self.row_elements + elements) % self._ring,
            "column": elements,
            "row": row,
            "out_column": out_column,
        }

    def begin(self, pixel: int) -> Fields:
        """Return where the window of an output pixel begins."""
        down, across = divmod(pixel, self._across)
        row = down * self._strides[0] - self._paddings[0]
        return self._step(row, across * self._strides[1] - self._paddings[1], across)

    def forward(self, pixels: int) -> Fields:
        """Return the step to a pixel that many places behind, within a row or whole rows."""
        down, across = divmod(pixels, self._across)
        fields = self._step(down * self._strides[0], across * self._strides[1], across)
        return fields | {"wrapped": (fields["address"] + self._wrap["address"]) % self._ring}

    @property
    def _wrap(self) -> Fields:
        """What comes beside where a step leaves its row of output pixels."""
        return self._step(self._strides[0], -self._across * self._strides[1], 0)

    def wrap(self) -> Fields:
        """Return column and row of what comes beside where a step leaves its row."""
        return {name: self._wrap[name] for name in ("column", "row")}


def whole_windows(layer: CrossbarLayer, ring: int, row_elements: int) -> Fields:
    """Return the runs of a window of a layer without weights: its kernel rows."""
    run = layer.kernels[1] * layer.in_channels
    rows = layer.kernels[0] * run
    return {
        "sections": 1,
        "runs_across": 1,
        "run_elements": run,
        "last_run_elements": run,
        "across": 0,
        "down": row_elements % ring,
        "beside": 0,
        "skipped_runs": 0,
        "skipped_elements": 0,
        "skipped_address": 0,
        "skipped_at": 0,
        "unit_rows": rows,
        "last_unit_rows": rows,
    }


def runs(layer: CrossbarLayer, cut: Cut, held: Held, ring: int, row_elements: int) -> Fields:
    """Return the runs of a window, elements side by side, and which belong to the macro."""
    side, (first_tile, behind) = cut.side, held.row_tiles
    grouped = cut.groups > 1
    across = layer.kernels[1] if grouped else 1
    own = [
        cut.groups_of(section) * cut.group_rows // (layer.taps if grouped else layer.kernels[0])
        for section in (0, cut.sections - 1)
    ]
    rows = [cut.groups_of(section) * cut.group_rows for section in (0, cut.sections - 1)]
    skipped = first_tile * side
    kernel_rows, elements = divmod(skipped, own[0])
    return {
        "sections": cut.sections,
        "runs_across": across,
        "run_elements": own[0],
        "last_run_elements": own[1],
        "across": layer.in_channels if grouped else 0,
        "down": row_elements % ring,
        "beside": own[0] if cut.sections > 1 else 0,
        "skipped_runs": kernel_rows,
        "skipped_elements": elements,
        "skipped_address": kernel_rows * row_elements % ring,
        "skipped_at": (kernel_rows * row_elements + elements) % ring,
        "unit_rows": min(rows[0], behind * side) - skipped,
        "last_unit_rows": min(rows[1], behind * side) - skipped,
    }
