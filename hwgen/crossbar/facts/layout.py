"""How a network stands on the macros of a crossbar accelerator: crossbars, copies, macros, mesh.

Facts that the compiler, the reference simulator and hardware share, in plain Python. The symbols
of seed 003: a layer's weights take RT x CT tiles of crossbars with S cells a weight (Eq. 1), and
are held WtDup times (Section II-A); macros follow the rules of Section IV-C.
"""

import math
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from hwgen.crossbar.facts.holdings import width_of
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import HasBits, Point
from hwgen.crossbar.facts.rules import STRICT, Rules
from hwgen.errors import ConfigError

Ints = NDArray[np.int64]

IMAGE_MACRO = 0
"""At its router the image enters and results leave."""

Link = tuple[int, int]
"""From one node of the mesh to the one beside it; nodes are numbered row by row."""


def route(columns: int, source: int, target: int) -> list[Link]:
    """Return the links from one node to another: along the row, then along the column."""
    found, here = [], source
    while here != target:
        if here % columns != target % columns:
            there = here + (1 if here % columns < target % columns else -1)
        else:
            there = here + (columns if here < target else -columns)
        found.append((here, there))
        here = there
    return found


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a synthesis chooses for each layer of a network.

    copies: WtDup; 1 for a fully connected layer, without meaning for a layer without weights
    macros: of a layer with weights; 0 for one that lives in those of its partner
    partner: the other layer of a pair that shares macros, or -1; the earlier one owns them
    clocks: pipeline steps of one bit step; 1 but for fully connected layers under strict rules
    """

    copies: tuple[int, ...]
    macros: tuple[int, ...]
    partner: tuple[int, ...]
    clocks: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One layer on the chip.

    rows, row_tiles, column_tiles: R, RT, CT of one copy of the weights, 0 without weights
    crossbars: of one copy (Eq. 1)
    copies: output pixels of a computation block
    blocks: computation blocks of an image
    macros: those in which it lives, numbered in serpentine order
    merge_macro: where its outputs come together
    row_shares, copy_shares: parts that rows and copies are split into among the macros; where they
        are uneven, so many as decide on the fullest macro
    """

    rows: int
    row_tiles: int
    column_tiles: int
    crossbars: int
    copies: int
    blocks: int
    macros: range
    merge_macro: int
    row_shares: int
    copy_shares: int

    @property
    def most_copies(self) -> int:
        """Copies of the macro that has the most."""
        return -(-self.copies // self.copy_shares)

    @property
    def chain_macros(self) -> int:
        """Macros of the copy that has the most."""
        return -(-len(self.macros) // self.copies) if self.crossbars else 1


@dataclass(frozen=True, kw_only=True)
class Floorplan:
    """All layers, on a mesh whose macros are numbered in serpentine order.

    macros: of the whole chip
    """

    macros: int
    mesh_rows: int
    mesh_columns: int
    layers: tuple[Placement, ...]

    def position(self, macro: int) -> tuple[int, int]:
        """Return row and column: even rows run to the right, odd ones to the left."""
        row, column = divmod(macro, self.mesh_columns)
        return row, column if row % 2 == 0 else self.mesh_columns - 1 - column

    def node(self, macro: int) -> int:
        """Return the node of a macro, numbered row by row."""
        row, column = self.position(macro)
        return row * self.mesh_columns + column

    def route(self, source: int, target: int) -> list[Link]:
        """Return the links from one macro to another."""
        return route(self.mesh_columns, self.node(source), self.node(target))

    def hops(self, source: int, target: int) -> int:
        """Return the length of a route."""
        return len(self.route(source, target))


def check_rules(network: CrossbarNetwork, rules: Rules) -> None:
    """Refuse published rules for what the published tool has no formulas for."""
    other = [layer.name for layer in network.layers if not layer.is_plain]
    if not rules.send_once and other:
        raise ConfigError(
            field="rules",
            allowed="strict where maps or windows are not square, dilated or multiplied",
            given=f"published for {other[0]}",
            source=network.name,
        )


def tiles_of(
    layer: CrossbarLayer, side: int, rules: Rules, *, pairs: bool = False
) -> tuple[int, int, int]:
    """Return R, RT and CT of one copy of a layer's weights on crossbars of `side` rows.

    pairs: a column of weights takes two columns of a crossbar

    Published rules take a grouped convolution for a dense one. Strict: groups that are small enough
    stand on the diagonal of a crossbar; larger ones have crossbars of their own.
    """
    if not layer.has_weights:
        return 0, 0, 0
    groups = layer.groups if rules.used_columns else 1
    rows = layer.taps * layer.in_channels // groups
    columns, width = layer.out_channels // groups, width_of(side, pairs=pairs)
    together = min(groups, side // rows, width // columns)
    if groups > 1 and together >= 1:
        return rows * together, 1, -(-groups // together)
    return rows, -(-rows // side), groups * -(-columns // width)


def is_activated(network: CrossbarNetwork, layer: CrossbarLayer, rules: Rules) -> bool:
    """Return whether an activation is an operation of its own under these rules."""
    if rules.chain_before_activation:
        return True
    forgotten = network.fused_activations and layer.has_weights
    return layer.activation != "none" and not forgotten


def floorplan(
    network: CrossbarNetwork, data: HasBits, point: Point, rules: Rules, choice: Choice
) -> Floorplan:
    """Return where every layer stands (sheet of seed 003, sections 4 and 5)."""
    placed: list[Placement] = []
    used = 0
    for place, layer in enumerate(network.layers):
        rows, row_tiles, column_tiles = tiles_of(layer, point.side, rules, pairs=point.pairs)
        providers = [placed[p] for p in layer.providers]
        copies, blocks = split(layer, choice.copies[place], providers, rules)
        partner = choice.partner[place]
        if not layer.has_weights:
            merge = placed[layer.providers[0]].merge_macro if layer.providers else 0
            macros = range(merge, merge + 1)
        elif 0 <= partner < place:
            macros = placed[partner].macros
            merge = macros.start
            if rules.chain_before_activation:
                # The first in which sums become whole, which ends the chain of the first copy.
                merge += max(1, len(macros) // copies) - 1
        else:
            macros = range(used, used + choice.macros[place])
            merge = macros.stop - 1
            used = macros.stop
        row_shares, copy_shares = shares_of(layer, copies, len(macros), rules)
        placed.append(
            Placement(
                rows=rows,
                row_tiles=row_tiles,
                column_tiles=column_tiles,
                crossbars=row_tiles * column_tiles * point.slices(data),
                copies=copies,
                blocks=blocks,
                macros=macros,
                merge_macro=merge,
                row_shares=row_shares,
                copy_shares=copy_shares,
            )
        )
    mesh_rows = max(1, math.ceil(math.sqrt(used)))
    mesh_columns = max(1, -(-used // mesh_rows))
    return Floorplan(
        macros=used, mesh_rows=mesh_rows, mesh_columns=mesh_columns, layers=tuple(placed)
    )


def shares_of(layer: CrossbarLayer, copies: int, macros: int, rules: Rules) -> tuple[int, int]:
    """Return into how many parts the rows and the copies of a layer are split among macros."""
    if not layer.has_weights or macros == 0:
        return 1, 1
    if rules.whole_parts:
        return max(1, macros // copies), min(macros, copies)
    row_shares = -(-macros // copies)
    return row_shares, -(-macros // row_shares)


def split(
    layer: CrossbarLayer, copies: int, providers: list[Placement], rules: Rules
) -> tuple[int, int]:
    """Return a layer's copies and blocks; without weights it keeps pace with its providers."""
    if layer.kind == "fc":
        return 1, 1
    if layer.kind == "conv":
        return copies, -(-layer.pixels // copies)
    blocks = min(layer.pixels, max((p.blocks for p in providers), default=1))
    copies = -(-layer.pixels // blocks)
    # As many pixels a block may need fewer blocks; published rules keep those without a pixel.
    return copies, -(-layer.pixels // copies) if rules.whole_parts else blocks


@cache
def window(layer: CrossbarLayer, rules: Rules) -> tuple[Ints, Ints]:
    """Return the last and the first pixel (from 1) of a provider that each output pixel needs.

    The published rule looks at one pixel alone; strict: nothing that an earlier pixel needed is
    forgotten at the last rows, where windows are clipped, nor released before a later one needs it.
    A fully connected layer needs the whole map, whatever its size: 0 and 1.
    """
    if layer.kind == "fc":
        return np.array([0]), np.array([1])
    if layer.kind == "eltwise":
        pixels = np.arange(1, layer.pixels + 1)
        return pixels, pixels.copy()
    (first_row, last_row), (first_column, last_column) = (ends(layer, axis) for axis in (0, 1))
    columns = layer.in_sides[1]
    last_pixel = ((last_row[:, None] - 1) * columns + last_column[None, :]).ravel()
    first_pixel = ((first_row[:, None] - 1) * columns + first_column[None, :]).ravel()
    if rules.send_once:
        last_pixel = np.maximum.accumulate(last_pixel)
        first_pixel = np.minimum.accumulate(first_pixel[::-1])[::-1].copy()
    return last_pixel, first_pixel


def ends(layer: CrossbarLayer, axis: int) -> tuple[Ints, Ints]:
    """Return the first and the last row (axis 0) or column (1) of each window, from 1."""
    begin = np.arange(layer.out_sides[axis]) * layer.strides[axis] - layer.paddings[axis]
    side = layer.in_sides[axis]
    return np.clip(begin + 1, 1, side), np.clip(begin + layer.spans[axis], 1, side)


@cache
def last_needed(layer: CrossbarLayer, rules: Rules) -> tuple[int, ...]:
    """Return, by output pixel, the last pixel (from 1) of a provider that must be there.

    Not for fully connected layers. Of a provider of fewer pixels (a factor for each channel) it is
    the last one.
    """
    return tuple(window(layer, rules)[0].tolist())


@cache
def most_arriving(layer: CrossbarLayer, copies: int) -> int:
    """Return the most pixels of the image that a block of a layer needs and none before it did.

    A fully connected layer takes the image as one pixel.
    """
    if layer.kind == "fc":
        return 1
    last = last_needed(layer, STRICT)
    ends = [
        last[min(layer.pixels, end) - 1] for end in range(copies, layer.pixels + copies, copies)
    ]
    return max(end - before for before, end in pairwise([0, *ends]))


@cache
def first_needed(layer: CrossbarLayer) -> tuple[int, ...]:
    """Return, by output pixel, the first pixel (from 1) of a provider that it or a later one needs.

    Not for fully connected layers.
    """
    return tuple(window(layer, STRICT)[1].tolist())
