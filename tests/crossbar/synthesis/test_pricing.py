"""The cheapest choices and pairs against all of them, one by one; what columns use of limits."""

import numpy as np
import pytest

from hwgen.crossbar.facts.rules import PUBLISHED, STRICT, Rules
from hwgen.crossbar.model.tables import Floats, Ints
from hwgen.crossbar.synthesis.choices import Choices
from hwgen.crossbar.synthesis.limits import ALONE, Limits, Use
from hwgen.crossbar.synthesis.pricing import (
    Prices,
    Turns,
    busy_steps,
    cheapest,
    make_groups,
    make_turns,
    windows,
)
from tests.crossbar.synthesis.judged import Judged, small

SEEDS = range(40)
MOST = 60
"""Choices of one layer that are compared with those of another."""


def thinned(rows: Choices, rng: np.random.Generator) -> Choices:
    """Some choices of each layer, in their order."""
    kept = []
    begin = [0]
    for i in range(len(rows.begin) - 1):
        there = np.arange(rows.begin[i], rows.begin[i + 1])
        if len(there) > MOST:
            there = np.sort(rng.choice(there, MOST, replace=False))
        kept += list(there)
        begin.append(len(kept))
    arrays = {name: getattr(rows, name)[kept] for name in rows._fields[1:]}
    return Choices(begin=np.array(begin), **arrays)


def random_prices(rows: Choices, turns: Turns, rng: np.random.Generator) -> Prices:
    """Prices as those of a relaxed problem may be; in many pairs turns cost nothing."""
    layers = len(rows.begin) - 1
    pair = rng.normal(size=(layers, layers)) * (rng.random((layers, layers)) < 0.5)
    turn = 0.001 * rng.random((layers, layers)) * (rng.random((layers, layers)) < 0.5)
    conversion = float(rng.random() / max(1.0, rows.converted.max()))
    return Prices(
        choice=rng.random(len(rows.macros)) + rows.converted * conversion,
        spared=0.1 * (rows.macros == 1) * rng.random(len(rows.macros)),
        conversion=conversion,
        macro=float(0.1 * rng.random()),
        pair=pair + pair.T,
        turn=turn + turn.T,
    )


def all_pairs(
    rows: Choices, turns: Turns, prices: Prices, busy: Ints, pair: tuple[int, int, int]
) -> Floats:
    """The prices of all pairs of choices of two layers; infinite where time is too short.

    pair: the layers, and the steps that they have at common ADCs
    """
    i, j, window = pair
    c = np.arange(rows.begin[i], rows.begin[i + 1])[:, None]
    d = np.arange(rows.begin[j], rows.begin[j + 1])[None, :]
    single = (rows.macros[c] == 1) & (rows.macros[d] == 1)
    near = turns.near[i, j] * prices.spared[c] + turns.near[j, i] * prices.spared[d]
    total = prices.choice[c] + prices.choice[d] + prices.pair[i, j]
    total = total - prices.conversion * np.minimum(rows.converted[c], rows.converted[d])
    total = total - prices.macro * np.minimum(rows.macros[c], rows.macros[d])
    total = total + prices.turn[i, j] * (busy[c] + busy[d]) - single * near
    return np.asarray(np.where(busy[c] + busy[d] <= window, total, np.inf))


@pytest.mark.promise(
    "the relaxed problem prices each choice and each pair of choices as its limits say"
)
@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_cheapest_of_all(rules: Rules) -> None:
    """Of each layer, and of each pair that costs less than is paid."""
    compared = excluded = 0
    for number, given in enumerate(small(rules, SEEDS)):
        rng = np.random.default_rng(number)
        node = given.node(0.3)
        rows = thinned(given.choices(0.3), rng)
        turns = make_turns(given.tables, rows)
        prices = random_prices(rows, turns, rng)
        groups = make_groups(given.tables, rows, turns, node)
        paid = np.full(len(rows.begin) - 1, 1e3 if number % 2 else 0.4)
        found = cheapest(rows, groups, turns, prices, paid)
        busy, window = busy_steps(given.tables, rows), windows(turns, node)
        layers = [i for i in range(len(paid)) if rows.begin[i] < rows.begin[i + 1]]
        for n, i in enumerate(layers):
            own = slice(rows.begin[i], rows.begin[i + 1])
            assert found.price[i, i] == prices.choice[own].min()
            for j in layers[n + 1 :]:
                table = all_pairs(rows, turns, prices, busy, (i, j, int(window[i, j])))
                least = table.min()
                excluded += np.isinf(table).sum()
                if least >= paid[i] + paid[j]:
                    assert found.price[i, j] >= paid[i] + paid[j]
                    continue
                assert found.price[i, j] == pytest.approx(least, rel=1e-12)
                c, d = found.first[i, j], found.second[i, j]
                c, d = c - rows.begin[i], d - rows.begin[j]
                assert table[c, d] == pytest.approx(least, rel=1e-12)
                compared += 1
    assert compared > 40 and excluded > 0


def columns_of(given: Judged, rows: Choices, rng: np.random.Generator) -> tuple[Ints, Ints]:
    """A few columns of each layer alone and of each pair."""
    layers = [i for i in range(len(rows.begin) - 1) if rows.begin[i] < rows.begin[i + 1]]
    own, partner = [], []
    for n, i in enumerate(layers):
        for j in [ALONE, *layers[n + 1 :]]:
            own.append(rng.integers(rows.begin[i], rows.begin[i + 1]))
            partner.append(ALONE if j == ALONE else rng.integers(rows.begin[j], rows.begin[j + 1]))
    return np.array(own), np.array(partner)


@pytest.mark.parametrize("rules", [PUBLISHED, STRICT])
def test_prices_are_those_of_the_limits(rules: Rules) -> None:
    """What a column uses of all limits, each times its price, is what pricing takes for it."""
    for number, given in enumerate(small(rules, SEEDS)):
        rng = np.random.default_rng(number)
        rows = given.choices(0.3)
        turns = make_turns(given.tables, rows)
        busy = busy_steps(given.tables, rows)
        limits = Limits(rows, turns.near, busy)
        layers = [i for i in range(len(rows.begin) - 1) if rows.begin[i] < rows.begin[i + 1]]
        size = len(rows.macros)
        pair = (layers[0], layers[-1])
        limits.add(Use(rng.random(size), conversion=0.3, macro=0.2), 0, 1.0, 0.0)
        limits.add(Use(rng.random(size), spared=rng.random(size)), 1, 1.0, 0.0)
        limits.add(Use(rng.random(size), pair=pair, fixed=-0.5, turn=0.01), 2, 1.0, 0.0)
        duals = np.array([2.0, 3.0, 5.0])
        own, partner = columns_of(given, rows, rng)
        _, used = limits.all_used_by(own, partner)
        total = limits.total(duals)
        for n, (c, d) in enumerate(zip(own, partner, strict=True)):
            wanted = total.choice[c]
            if d != ALONE:
                i, j = limits.layer_of[c], limits.layer_of[d]
                wanted += total.choice[d]
                wanted -= total.conversion * min(rows.converted[c], rows.converted[d])
                wanted -= total.macro * min(rows.macros[c], rows.macros[d])
                if rows.macros[c] == rows.macros[d] == 1:
                    wanted -= turns.near[i, j] * total.spared[c]
                    wanted -= turns.near[j, i] * total.spared[d]
                for both, fixed, turn in total.pairs:
                    if both == (i, j):
                        wanted += fixed + turn * (busy[c] + busy[d])
            assert (duals @ used)[n] == pytest.approx(wanted, rel=1e-12)
