"""Who holds what, against a slow enumeration that places one weight after the other."""

import random
from collections import defaultdict
from dataclasses import dataclass, field, replace
from itertools import count

import pytest

from hwgen.crossbar.facts.columns import columns_of, meeting_lanes, targets_of
from hwgen.crossbar.facts.holdings import (
    Cut,
    adcs_for,
    conversion_order,
    conversions_in,
    crossbars_in,
    cut_of,
    holdings_of,
    lane_groups_in,
    most_macros,
    part_of,
    rows_in,
    samples_of,
    units_in,
)
from hwgen.crossbar.facts.network import CrossbarLayer
from tests.crossbar.model.layers import conv, fc

CASES = 120
LANES = 4


@dataclass
class Macro:
    """What the enumeration puts into one macro: rows and columns of each crossbar."""

    rows: dict[tuple[int, ...], set[int]] = field(default_factory=lambda: defaultdict(set))
    columns: dict[tuple[int, ...], set[int]] = field(default_factory=lambda: defaultdict(set))


def bundles(layer: CrossbarLayer, side: int) -> list[list[int]]:
    """Fill crossbars with groups on the diagonal, as long as the next one fits."""
    rows = layer.taps * layer.in_channels // layer.groups
    columns = layer.out_channels // layer.groups
    found: list[list[int]] = []
    for group in range(layer.groups):
        fits = found and (len(found[-1]) + 1) * max(rows, columns) <= side
        if fits:
            found[-1].append(group)
        else:
            found.append([group])
    return found


def macro_of(copy: int, copies: int, tile: int, tiles: int, macros: int) -> int:
    """Walk along the macros until the one that holds a tile of a copy."""
    for macro in count():
        if macros <= copies:
            if macro * copies // macros <= copy < (macro + 1) * copies // macros:
                return macro
            continue
        first, behind = copy * macros // copies, (copy + 1) * macros // copies
        own = behind - first
        place = macro - first
        if 0 <= place < own and place * tiles // own <= tile < (place + 1) * tiles // own:
            return macro
    raise AssertionError


def enumerate_macros(
    layer: CrossbarLayer, side: int, slices: int, copies: int, macros: int
) -> list[Macro]:
    """Place every weight of every copy."""
    found = [Macro() for _ in range(macros)]
    rows = layer.taps * layer.in_channels // layer.groups
    columns = layer.out_channels // layer.groups
    for section, groups in enumerate(bundles(layer, side)):
        tiles = -(-len(bundles(layer, side)[0]) * rows // side)
        for place, copy in ((p, c) for p in range(len(groups)) for c in range(copies)):
            for row in range(place * rows, (place + 1) * rows):
                macro = found[macro_of(copy, copies, row // side, tiles, macros)]
                for column in range(place * columns, (place + 1) * columns):
                    for cell in range(slices):
                        crossbar = (copy, section, row // side, column // side, cell)
                        macro.rows[crossbar].add(row % side)
                        macro.columns[crossbar].add(column % side)
    return found


def random_layer(draw: random.Random) -> CrossbarLayer:
    """A small layer: dense, grouped on the diagonal or in crossbars of its own, fully connected."""
    if draw.random() < 0.2:
        return fc("fc", (), (draw.randint(1, 70), draw.randint(1, 20)))
    groups = draw.choice([1, 1, 2, 3, 5, 8])
    into, out = groups * draw.randint(1, 9), groups * draw.randint(1, 9)
    kernel = draw.choice([1, 2, 3])
    return conv("conv", (), (into, out), (4, 4), window=(kernel, 1, 0), groups=groups)


def random_case(seed: int) -> tuple[CrossbarLayer, Cut, int, int]:
    draw = random.Random(seed)
    layer = random_layer(draw)
    cut = cut_of(layer, draw.choice([8, 16, 32]), draw.choice([1, 2, 3]))
    copies = 1 if layer.kind == "fc" else draw.randint(1, 7)
    return layer, cut, copies, draw.randint(1, min(12, most_macros(cut, copies)))


@pytest.mark.promise(
    "which macro holds which copies, row tiles, rows and columns, and which ADC converts what"
    " when, is that of a slow enumeration"
)
@pytest.mark.parametrize("seed", range(CASES))
def test_each_macro_holds_what_the_enumeration_puts_there(seed: int) -> None:
    layer, cut, copies, macros = random_case(seed)
    wanted = enumerate_macros(layer, cut.side, cut.slices, copies, macros)
    driven = sum(len(rows) for macro in wanted for rows in macro.rows.values())
    assert copies * cut.slices * cut.drivers == driven
    held = holdings_of(cut, copies, range(10, 10 + macros))
    assert [one.macro for one in held] == list(range(10, 10 + macros))
    for one, macro in zip(held, wanted, strict=True):
        copies_tiles = {(copy, tile) for copy, _, tile, _, _ in macro.rows}
        assert copies_tiles == {(c, t) for c in one.copies for t in one.row_tiles}
        assert crossbars_in(cut, one) == len(macro.rows)
        assert rows_in(cut, one) == sum(map(len, macro.rows.values()))
        assert units_in(cut, one) == len({key[:3] for key in macro.rows})
        assert conversions_in(cut, one) == sum(map(len, macro.columns.values()))
        groups = sum(-(-len(columns) // LANES) for columns in macro.columns.values())
        assert lane_groups_in(cut, one, LANES) == groups
        for (_, section, tile, _, _), rows in macro.rows.items():
            assert rows == set(range(cut.rows_of(section, tile)))
        for (_, section, _, column_tile, _), columns in macro.columns.items():
            assert columns == set(range(cut.columns_of(section, column_tile)))


@pytest.mark.parametrize("seed", range(60))
def test_every_column_meets_one_adc_in_the_order_of_the_chip(seed: int) -> None:
    layer, cut, copies, macros = random_case(seed)
    for one in holdings_of(cut, copies, range(macros)):
        total = conversions_in(cut, one)
        adcs = adcs_for(total, random.Random(seed).randint(1, 40))
        order = list(conversion_order(cut, one, adcs))
        keys = [(c.copy, c.section, c.row_tile, c.cell_slice, c.channel) for c in order]
        assert keys == sorted(set(keys))
        assert len(keys) == total
        assert {c.channel for c in order} == set(range(layer.out_channels))
        times = [(c.slot, c.adc) for c in order]
        assert times == sorted(set(times))
        assert max(slot for slot, _ in times) == -(-total // adcs) - 1
        assert {adc for _, adc in times} == set(range(adcs))

        columns = columns_of(cut, one)
        assert targets_of(cut, one).tolist() == [column.target for column in columns]
        lanes = random.Random(seed).randint(1, 40)
        slots = [columns[start : start + lanes] for start in range(0, total, lanes)]
        meeting = {
            (lower, higher)
            for slot in slots
            for higher, column in enumerate(slot)
            for lower, other in enumerate(slot[:higher])
            if column.target == other.target
        }
        assert meeting_lanes(targets_of(cut, one), lanes) == meeting


def test_a_layer_by_hand() -> None:
    """27 rows on crossbars of 16: two tiles; 5 copies on 2 macros: 2 and 3."""
    cut = cut_of(conv("c", (), (3, 20), (4, 4), window=(3, 1, 1)), 16, 8)
    assert (cut.sections, cut.row_tiles, cut.column_tiles) == (1, 2, 2)
    assert [cut.rows_of(0, tile) for tile in range(2)] == [16, 11]
    assert [cut.columns_of(0, tile) for tile in range(2)] == [16, 4]
    first, second = holdings_of(cut, 5, range(2))
    assert (first.copies, second.copies) == (range(2), range(2, 5))
    assert conversions_in(cut, second) == 3 * 2 * 8 * 20
    assert adcs_for(conversions_in(cut, second), samples_of(1.0, 100.0)) == 10
    parts = holdings_of(cut, 1, range(2))
    assert [one.row_tiles for one in parts] == [range(1), range(1, 2)]


def test_groups_by_hand() -> None:
    """Depthwise windows of 9 rows: 7 on the diagonal of 64 rows; groups of 40 rows alone."""
    cut = cut_of(conv("d", (), (16, 16), (4, 4), window=(3, 1, 1), groups=16), 64, 1)
    assert (cut.sections, cut.row_tiles, cut.column_tiles) == (3, 1, 1)
    assert [cut.rows_of(section, 0) for section in range(3)] == [63, 63, 18]
    assert [cut.first_channel(section) for section in range(3)] == [0, 7, 14]
    assert most_macros(cut, 4) == 4
    alone = cut_of(conv("g", (), (80, 100), (4, 4), window=(1, 1, 0), groups=2), 32, 1)
    assert (alone.sections, alone.row_tiles, alone.column_tiles) == (2, 2, 2)
    assert most_macros(alone, 3) == 3
    assert (
        cut_of(
            replace(conv("g", (), (80, 100), (4, 4), window=(1, 1, 0)), groups=2), 32, 1, dense=True
        ).sections
        == 1
    )


def test_a_part_of_a_sample_is_none() -> None:
    assert samples_of(0.25, 102.0) == 25
    assert samples_of(0.033, 29.0) == 0
    assert samples_of(0.1, 30.0) == 3


def test_parts_are_alike_and_whole() -> None:
    for total, parts in ((7, 3), (3, 7), (12, 4), (0, 2)):
        runs = [part_of(total, parts, place) for place in range(parts)]
        assert [one for run in runs for one in run] == list(range(total))
        assert max(map(len, runs)) - min(map(len, runs)) <= 1
