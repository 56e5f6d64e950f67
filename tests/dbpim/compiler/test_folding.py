"""Sequences of tokens: the chip gets rows and columns, everybody else the shape of the file."""

from pathlib import Path

import numpy as np
import pytest

from golden.network import infer
from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.compiler.folding import folded
from hwgen.dbpim.compiler.remarks import layer_remarks
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.model.predict import CycleModel
from hwgen.network import INPUT, QuantizedNetwork, Shortcut
from tests.dbpim.compiler.test_execute import check
from tests.verif.dbpim.chips import chip_arch
from verif.common.drawing import Drawing, draw_images
from verif.dbpim.sequences import Sequence, behind_a_token, network_of

PAPER = load_arch(Path("configs/dbpim/paper_rows.yaml"))
SMALL = chip_arch("small_rows")
PLAIN = Sequence(sides=(8, 8), width=64, heads=4, end="bytes")


def cycles(net: QuantizedNetwork) -> int:
    program = compile_network(net, PAPER)
    return CycleModel(program, PAPER).predict(infer(net, draw_images(net, 1, seed=1))).cycles


@pytest.mark.promise(
    "a transformer of 64 tokens takes the same cycles as 64 x 1, as 1 x 64 and as 8 x 8"
)
def test_the_shape_of_the_file_costs_nothing() -> None:
    square = cycles(network_of(PLAIN, seed=3))
    for sides in ((64, 1), (1, 64)):
        assert cycles(network_of(PLAIN.of(sides), seed=3)) == square, sides


@pytest.mark.dear("1-sides0-bytes")
@pytest.mark.parametrize("end", ["bytes", "mean", "linear", "best"])
@pytest.mark.parametrize("sides", [(16, 1), (1, 24), (8, 1)])
@pytest.mark.parametrize("images", [1, 3])
def test_every_map_has_the_shape_of_golden(end: str, sides: tuple[int, int], images: int) -> None:
    net = network_of(Sequence(sides=sides, width=16, heads=2, end=end, rows=False), seed=5)
    program, _ = check(net, SMALL, images=images)
    assert program.facts.image.shape == net.graph.input.shape
    assert set(program.facts.folds) >= {INPUT, "conv_2"}
    assert program.facts.answer.shape == net.map_of(net.answer).shape


def test_rows_and_columns_are_near_to_a_square_and_not_wide() -> None:
    sizes = {64: (8, 8), 12: (4, 3), 196: (14, 14), 34: (17, 2), 197: (1, 197), 2: (1, 2)}
    for tokens, sides in sizes.items():
        graph = folded(network_of(PLAIN.of((1, tokens)), seed=1), PAPER.word).graph
        assert {each.shape[:2] for each in graph.maps.values()} == {sides}


def test_a_constant_keeps_the_order_of_its_tokens() -> None:
    net = network_of(Sequence(sides=(12, 1), width=16, heads=2, end="bytes", rows=False), seed=2)
    (name,) = (layer.name for layer in net.layers if layer.op == "constant")
    before, after = (each.arrays_of(name)["map"] for each in (net, folded(net, SMALL.word)))
    assert (before.shape, after.shape) == ((12, 1, 16), (4, 3, 16))
    np.testing.assert_array_equal(before.ravel(), after.ravel())


def test_the_first_of_197_tokens_is_read_in_any_shape() -> None:
    """A stride of 197 is more than an instruction has; the chip's shape needs 16 x 13."""
    what = Sequence(sides=(14, 14), width=16, heads=1, end="first")
    net = behind_a_token(what, seed=3)
    (layer,) = (each for each in folded(net, SMALL.word).layers if isinstance(each, Shortcut))
    assert max(layer.stride) <= 127
    assert not any(remark.startswith("no") for remark in layer_remarks(net).values())


@pytest.mark.parametrize("reader", ["window", "stride", "padding", "pool", "shortcut"])
def test_a_layer_that_reads_neighbours_keeps_the_shape(reader: str) -> None:
    drawing = Drawing(4, modes=("all",), shape=(16, 1, 8))
    now = drawing.conv(INPUT, (8,))
    if reader == "shortcut":
        now = drawing.shortcut(now, (8,), stride=(2, 1))
    elif reader == "pool":
        now = drawing.max_pool(now, kernel=(2, 1), stride=(2, 1), padding=(0, 0, 0, 0))
    else:
        windows = {
            "window": {"kernel": (3, 1)},
            "stride": {"kernel": (1, 1), "stride": (2, 1)},
            "padding": {"kernel": (3, 1), "padding": (1, 0, 1, 0)},
        }
        now = drawing.conv(now, (8,), **windows[reader])
    net = drawing.build(now)
    assert folded(net, SMALL.word) is net


def test_a_sequence_that_is_only_an_image_keeps_its_shape() -> None:
    drawing = Drawing(4, modes=("all",), shape=(1, 64, 1))
    net = drawing.build(drawing.linear(INPUT, (10,)))
    assert folded(net, SMALL.word) is net
