"""Networks are drawn with all that a crossbar chip computes, and run equal on searched chips."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from hwgen.commands.context import Context
from hwgen.commands.subject import load_subject, program_of
from hwgen.crossbar.compiler.lowering import check
from hwgen.crossbar.compiler.quantized import crossbar_network
from hwgen.crossbar.model.predict import CycleModel
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.check import check_network
from hwgen.network.file import save_network
from tests.verif.crossbar.random_chips import (
    MOST_REFUSED,
    Recipe,
    cheap,
    differences,
    find_chip,
    results_of,
    try_seed,
)
from verif.common.drawing import Drawing
from verif.crossbar.random_network import ENDS, KINDS, draw_recipe, random_network

SEEDS = range(80)
LINEAR = 77
"""Of these, a network whose only answer is that of a fully connected layer."""

CHEAP = (35, 38, 79, 107, 126, 184)
"""Small ones: read and joined answers, an unread map, a shortcut, poolings, a table, groups; images
of one pixel, layers of one channel, poolings of one tap."""


def drawn(seed: int) -> QuantizedNetwork:
    return random_network(draw_recipe(seed), seed=seed)


@pytest.mark.promise(
    "random networks on the chips that the search finds for them, at 1 ns and at the clock of a"
    " netlist, are equal, one by one and as streams"
)
@pytest.mark.parametrize("seed", SEEDS)
def test_every_seed_gives_a_network_that_chips_compute(seed: int) -> None:
    network = drawn(seed)
    check_network(network, source="test")
    assert crossbar_network(network).layers
    for layer in network.layers:
        check(layer, network)
    assert drawn(seed).digest == network.digest
    assert drawn(seed + 1).digest != network.digest


def test_drawn_networks_have_every_operation() -> None:
    recipes, networks = [draw_recipe(seed) for seed in SEEDS], [drawn(seed) for seed in SEEDS]
    assert {kind for recipe in recipes for kind in recipe.kinds} == set(KINDS)
    assert {recipe.end for recipe in recipes} == set(ENDS)
    layers = [layer for network in networks for layer in network.layers]
    convs = [layer for layer in layers if layer.op == "conv"]
    pools = [layer for layer in layers if layer.op in ("max_pool", "average_pool")]
    assert {layer.op for layer in layers} == {
        "add",
        "average_pool",
        "concatenate",
        "conv",
        "linear",
        "max_pool",
        "shortcut",
        "table",
    }
    for windows in (convs, pools):
        assert any(layer.stride[0] != layer.stride[1] for layer in windows)
        assert any(layer.kernel[0] != layer.kernel[1] for layer in windows)
        assert any(len(set(layer.padding)) > 2 for layer in windows)
    assert any(1 < layer.groups < layer.output.channels for layer in convs)
    assert any(layer.groups == layer.output.channels > 1 for layer in convs)
    taps = [layer.output.shape for layer in pools if layer.kernel == (1, 1)]
    assert any(channels == 1 for *_, channels in taps)
    assert any((height, width) == (1, 1) for height, width, _ in taps)
    shapes = [network.graph.input.shape for network in networks]
    assert any(shape == (1, 1, 1) for shape in shapes)
    assert any(network.map_of(network.answer).channels == 1 for network in networks)
    assert any(height != width for height, width, _ in shapes)
    assert any(height % 2 and width % 2 for height, width, _ in shapes)
    assert {channels for *_, channels in shapes} >= {1, 2, 3}
    assert {network.layers[-1].output.raw for network in networks} == {False, True}


def test_drawn_networks_have_several_answers_and_maps_that_nobody_reads() -> None:
    kept = set()
    for network in map(drawn, SEEDS):
        read = {name for layer in network.layers for name in layer.inputs}
        outputs = set(network.graph.outputs)
        kept.add("several") if len(outputs) > 1 else None
        kept.update("read answer" for name in outputs & read)
        kept.update("unread" for layer in network.layers if layer.name not in read | outputs)
        kept.update("joined answer" for name in outputs if name.startswith("concatenate"))
    assert kept == {"several", "read answer", "unread", "joined answer"}


def unread_rows() -> QuantizedNetwork:
    """Return a network whose poolings read no last rows: its chip works on them to the end."""
    net = Drawing(158, modes=("full",), shape=(6, 16, 3))
    window = {"kernel": (5, 5), "padding": (2, 2, 2, 2)}
    now = net.conv(net.conv(INPUT, (2,), **window), (2,), groups=2, **window)
    now = net.average_pool(now, kernel=(1, 1), stride=(3, 3), padding=(0, 0, 0, 0))
    now = net.average_pool(now, kernel=(2, 3), stride=(2, 2), padding=(1, 2, 1, 1))
    return net.build(net.max_pool(now, kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0)))


def report(**changes: Any) -> Any:
    """Return what a run of a network says that ends with a fully connected layer."""
    answer = drawn(LINEAR).answer
    result = SimpleNamespace(layer=answer, operation="result", different=0)
    layer = SimpleNamespace(name=answer, mismatches=0)
    facts = {"equal": True, "layers": [layer], "operations": [result], "memory": None}
    facts |= {"cycles_rtl": 7, "cycles_model": 7, "first_difference": None}
    return SimpleNamespace(**facts | changes)


def test_all_that_differs_is_told() -> None:
    network = drawn(LINEAR)
    name = network.answer
    late = SimpleNamespace(layer=name, operation="result", different=2)
    off = SimpleNamespace(name=name, mismatches=3)
    assert differences(network, report()) == {}
    assert differences(network, report(operations=[late])) == {f"starts of {name} result": 2}
    assert differences(network, report(layers=[off])) == {f"elements of {name}": 3}
    assert differences(network, report(cycles_rtl=8)) == {"cycles": [8, 7]}
    assert differences(network, report(cycles_rtl=8, memory="slow")) == {}
    assert differences(network, report(operations=[])) == {f"{name} stays on the chip": True}
    assert differences(network, report(equal=False)) == {"first": "None"}


def test_a_run_has_all_its_steps_where_its_answers_leave_early(tmp_path: Path) -> None:
    """Steps of an unread map come long behind the last answer."""
    file = tmp_path / "network.npz"
    save_network(unread_rows(), file)
    with cheap():
        chip = find_chip(file, Recipe(factor=1.2, objective="image"), tmp_path)
    subject = load_subject(file, chip)
    program = program_of(Context(work=tmp_path, console=None), subject)
    model = CycleModel(program, subject.arch)
    timing = model.predict().timing
    assert timing.drain == 0
    assert timing.cycles == timing.first + timing.steps * timing.step_clocks


@pytest.mark.dear
@pytest.mark.parametrize("seed", CHEAP)
def test_a_random_network_on_its_chip(seed: int, tmp_path: Path) -> None:
    """One by one and as a stream, one of the two behind a slow memory."""
    with cheap():
        outcome = try_seed(seed, tmp_path)
    assert outcome.result == "equal", outcome.line


@pytest.mark.long
def test_two_hundred_networks_on_their_chips() -> None:
    """What is done stays in `build/random_chips`: a second try goes on."""
    results = results_of(range(200))
    refused = [each for each in results if each["result"] == "refused"]
    wrong = [each for each in results if each["result"] not in ("equal", "refused")]
    assert wrong == []
    assert len(refused) <= MOST_REFUSED, [each["why"] for each in refused]
