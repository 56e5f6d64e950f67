"""Who waits for whom, and the paths around two layers, on networks small enough to see it."""

import numpy as np
import pytest

from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from hwgen.crossbar.facts.point import points
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.design import Design, lay_out
from hwgen.crossbar.model.pipeline import make_pipeline
from hwgen.crossbar.model.tables import Tables, make_tables
from hwgen.crossbar.synthesis.paths import make_needs, turn_cut, waiting, way_of
from tests.crossbar.model.designs import COMPONENTS
from tests.crossbar.model.layers import conv, pool


def chain(*layers: CrossbarLayer, side: int) -> Tables:
    """The arrays of some layers, one after the other."""
    network = CrossbarNetwork(
        name="chain", input_channels=3, input_side=side, layers=layers, fused_activations=False
    )
    point = next(each for each in points(COMPONENTS, STRICT) if each.side == 128)
    return make_tables(network, COMPONENTS, point, 1000.0, STRICT)


def test_who_waits_for_the_last_block() -> None:
    """Through other layers too; not if a stride leaves out the last pixels."""
    same = (3, 1, 1)
    tables = chain(
        conv("one", (), (3, 8), (6, 6), window=same),
        conv("two", (0,), (8, 8), (6, 6), window=same),
        conv("three", (1,), (8, 8), (6, 6), window=same),
        pool("four", (2,), 8, (6, 3), window=(1, 2, 0)),
        conv("five", (3,), (8, 8), (3, 3), window=same),
        side=6,
    )
    wanted = np.eye(5, dtype=np.int64)
    wanted[1, 0] = wanted[2, 0] = wanted[2, 1] = wanted[4, 3] = 1
    assert (waiting(tables) == wanted).all()


@pytest.mark.promise("no design beats the bound of a node that holds it")
def test_the_way_from_a_pair_begins_at_its_last_pixel() -> None:
    """Its last block has many; what reads the first of them may be done before the block is."""
    layers = [conv("one", (), (3, 8), (6, 6), window=(3, 1, 1))]
    for place, name in enumerate(("two", "three")):
        layers.append(conv(name, (place,), (8, 8), (6, 6), window=(3, 1, 1)))
    tables = chain(*layers, side=6)
    ones = np.ones(3, np.int64)
    layout = lay_out(tables, Design(np.array([1, 18, 1]), ones, np.full(3, -1), ones))
    pipeline = make_pipeline(tables, layout, ones, 6, 100.0)
    cut = turn_cut(way_of(tables, make_needs(tables), layout, pipeline), 0, 1)
    needed = tables.last_pixel[tables.window_start[2] : tables.window_start[3]]
    first = int(np.flatnonzero(needed == 36)[0]) + 1
    assert 18 < first < 36
    assert (list(cut.enter), list(cut.leave)) == ([0, 0, first], [0, 0, 36])
