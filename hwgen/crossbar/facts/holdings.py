"""Which macro holds which weights: copies, row tiles, rows, columns, slices, and its ADCs.

A copy of the weights of a layer is cut into *sections* (groups of channels that read the same
inputs; one without groups), row tiles of `side` rows and column tiles of `side` columns. Rows stand
in the order (kernel row, kernel column, channel); a column is an output channel; every cell slice
has crossbars of its own. A *unit* is one set of input registers: one copy, section and row tile,
with the crossbars of all its column tiles and slices. Plain Python, the same for search, files and
generators.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from hwgen.crossbar.facts.network import CrossbarLayer


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How one copy of the weights of a layer is cut into crossbars.

    side: rows, and columns, of a crossbar
    slices: cells that hold one weight, each in a crossbar of its own
    groups: of the convolution; groups_together: those that stand on the diagonal of one crossbar
    group_rows, group_columns: inputs and output channels of one group
    pairs: a column of weights takes two columns of a crossbar
    """

    side: int
    slices: int
    groups: int
    groups_together: int
    group_rows: int
    group_columns: int
    pairs: bool = False

    @property
    def width(self) -> int:
        """Columns of weights of a crossbar."""
        return width_of(self.side, pairs=self.pairs)

    @property
    def sections(self) -> int:
        """Sets of groups that share crossbars; each reads other inputs."""
        return -(-self.groups // self.groups_together)

    @property
    def row_tiles(self) -> int:
        """Row tiles of a section."""
        return -(-self.group_rows * self.groups_together // self.side)

    @property
    def column_tiles(self) -> int:
        """Column tiles of a section."""
        return -(-self.group_columns * self.groups_together // self.width)

    @property
    def columns(self) -> int:
        """Output channels of all sections."""
        return self.groups * self.group_columns

    def groups_of(self, section: int) -> int:
        """Return the groups of a section; the last one may have fewer."""
        return min(self.groups_together, self.groups - section * self.groups_together)

    def rows_of(self, section: int, row_tile: int) -> int:
        """Return the rows in use of a row tile."""
        rows = self.groups_of(section) * self.group_rows
        return min(self.side, rows - row_tile * self.side)

    def columns_of(self, section: int, column_tile: int) -> int:
        """Return the columns in use of a column tile."""
        columns = self.groups_of(section) * self.group_columns
        return min(self.width, columns - column_tile * self.width)

    @property
    def drivers(self) -> int:
        """DACs of one slice: one for each row in use of each crossbar."""
        return self.groups * self.group_rows * self.column_tiles

    def first_channel(self, section: int) -> int:
        """Return the output channel in the first column of a section."""
        return section * self.groups_together * self.group_columns

    def lane_groups(self, lanes: int) -> int:
        """Return the vectors of `lanes` columns of one row tile and slice, of all sections."""
        return sum(
            -(-self.columns_of(section, tile) // lanes)
            for section in range(self.sections)
            for tile in range(self.column_tiles)
        )


@dataclass(frozen=True, kw_only=True)
class Holding:
    """What one macro holds of one layer: each of its copies has the same row tiles.

    macro: its number along the serpentine order of the chip
    copies: of the weights; row_tiles: of each of them, in every section
    """

    macro: int
    copies: range
    row_tiles: range

    @property
    def tiles(self) -> int:
        """Copies x row tiles."""
        return len(self.copies) * len(self.row_tiles)


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """Where one column of a macro is, and which ADC converts it when.

    copy, section, row_tile, cell_slice, channel: of the column
    adc: that converts it; slot: samples of this ADC before it in a bit step
    """

    copy: int
    section: int
    row_tile: int
    cell_slice: int
    channel: int
    adc: int
    slot: int


def width_of(side: int, *, pairs: bool) -> int:
    """Return the columns of weights of a crossbar; pairs: each takes two columns of cells."""
    return side // 2 if pairs else side


def cut_of(
    layer: CrossbarLayer, side: int, slices: int, *, dense: bool = False, pairs: bool = False
) -> Cut:
    """Return how a layer with weights is cut; `dense`: a grouped convolution as if it were dense.

    Groups that fit stand on the diagonal of a crossbar; larger ones have crossbars of their own.
    pairs: a column of weights takes two columns of a crossbar
    """
    groups = 1 if dense else layer.groups
    rows = layer.taps * layer.in_channels // groups
    columns = layer.out_channels // groups
    together = min(groups, side // rows, width_of(side, pairs=pairs) // columns)
    return Cut(
        side=side,
        slices=slices,
        groups=groups,
        groups_together=max(1, together),
        group_rows=rows,
        group_columns=columns,
        pairs=pairs,
    )


def most_macros(cut: Cut, copies: int) -> int:
    """Return the macros that a layer can use: a row tile each, of grouped layers a copy each."""
    return copies if cut.groups > 1 else copies * cut.row_tiles


def holdings_of(cut: Cut, copies: int, macros: range) -> list[Holding]:
    """Return what each macro of a layer holds; `macros`: the numbers of its macros.

    As many copies as macros or more: whole copies, spread evenly. Fewer: each copy has macros of
    its own, over which its row tiles are spread evenly.
    """
    count = len(macros)
    every_tile = range(cut.row_tiles)
    if count <= copies:
        return [
            Holding(macro=macro, copies=part_of(copies, count, place), row_tiles=every_tile)
            for place, macro in enumerate(macros)
        ]
    found = []
    for copy in range(copies):
        own = part_of(count, copies, copy)
        for place, index in enumerate(own):
            tiles = part_of(cut.row_tiles, len(own), place)
            found.append(
                Holding(macro=macros[index], copies=range(copy, copy + 1), row_tiles=tiles)
            )
    return found


def part_of(total: int, parts: int, place: int) -> range:
    """Return one of `parts` runs of 0 .. total - 1 that differ by one in length at most."""
    return range(place * total // parts, (place + 1) * total // parts)


def crossbars_in(cut: Cut, holding: Holding) -> int:
    """Return the crossbars of a macro."""
    return holding.tiles * cut.sections * cut.column_tiles * cut.slices


def units_in(cut: Cut, holding: Holding) -> int:
    """Return the sets of input registers of a macro."""
    return holding.tiles * cut.sections


def rows_in(cut: Cut, holding: Holding) -> int:
    """Return the rows in use, which are the DACs, of the crossbars of a macro."""
    one_copy = sum(
        cut.rows_of(section, tile) for section in range(cut.sections) for tile in holding.row_tiles
    )
    return len(holding.copies) * one_copy * cut.column_tiles * cut.slices


def conversions_in(cut: Cut, holding: Holding) -> int:
    """Return the conversions of a macro in a bit step: of the columns in use only."""
    return holding.tiles * cut.slices * cut.columns


def lane_groups_in(cut: Cut, holding: Holding, lanes: int) -> int:
    """Return the vectors that a macro shifts and adds in a bit step; none spans two crossbars."""
    return holding.tiles * cut.slices * cut.lane_groups(lanes)


def adcs_for(conversions: int, samples: int) -> int:
    """Return the ADCs that convert so many columns, `samples` each in a bit step."""
    return -(-conversions // samples)


def samples_of(samples_per_ns: float, bit_step_ns: float) -> int:
    """Return the samples that an ADC takes in a bit step; a part of one is none."""
    return int(samples_per_ns * bit_step_ns + 1e-9)


def conversion_order(cut: Cut, holding: Holding, adcs: int) -> Iterator[Conversion]:
    """Yield the conversions of a macro in a bit step, in order: unit, slice, channel.

    Slot i converts the columns i * adcs to i * adcs + adcs - 1, one at each ADC.
    """
    index = 0
    for copy in holding.copies:
        for section in range(cut.sections):
            first = cut.first_channel(section)
            columns = cut.groups_of(section) * cut.group_columns
            for row_tile in holding.row_tiles:
                for cell_slice in range(cut.slices):
                    for channel in range(first, first + columns):
                        yield Conversion(
                            copy=copy,
                            section=section,
                            row_tile=row_tile,
                            cell_slice=cell_slice,
                            channel=channel,
                            adc=index % adcs,
                            slot=index // adcs,
                        )
                        index += 1
