"""A simulation that differs in one element, one cycle or one shape is noticed, and only then."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import hwgen.sim.dbpim
from hwgen.cli import main
from hwgen.flow.context import Context
from hwgen.flow.engines import expected_maps, layer_inputs
from hwgen.flow.images import choose_images
from hwgen.flow.run import run_network
from hwgen.flow.subject import Subject, load_subject, program_of
from hwgen.model.dbpim import CycleModel
from tests.flow.made_up import Simulated, made_up_run

ROOT = Path(__file__).parents[2]
NETWORK, ARCH = ROOT / "configs/networks/digits_small_cnn.npz", ROOT / "configs/dbpim/small.yaml"
IMAGES = 2


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return Context(work=tmp_path_factory.mktemp("work"), console=None)


@pytest.fixture(scope="module")
def subject() -> Subject:
    return load_subject(NETWORK, ARCH)


@pytest.fixture
def perfect(context: Context, subject: Subject) -> list[Simulated]:
    """What a chip without fault would show."""
    batch = choose_images(subject.network, None, IMAGES)
    maps = expected_maps(context, subject, batch)
    model = CycleModel(program_of(context, subject), subject.arch)
    return [made_up_run(subject.network, maps, model, image) for image in range(IMAGES)]


@pytest.fixture
def simulated(perfect: list[Simulated], monkeypatch: pytest.MonkeyPatch) -> list[Simulated]:
    """Put these results in the place of the simulator."""
    monkeypatch.setattr(hwgen.sim.dbpim, "simulate", lambda *_, **__: perfect)
    return perfect


def a_byte(run: Simulated) -> None:
    run.maps["conv3"][1, 2, 3] ^= 1


def a_logit(run: Simulated) -> None:
    run.logits[4] += 1


def a_shape(run: Simulated) -> None:
    run.maps["conv1"] = run.maps["conv1"][:, :, :15]


def a_retirement(run: Simulated) -> None:
    run.retirements[3] += 1


def a_load_cycle(run: Simulated) -> None:
    run.load_cycles += 1


def nothing(run: Simulated) -> None:
    pass


@pytest.mark.parametrize(
    ("fault", "mismatches", "layers"),
    [
        (nothing, 0, []),
        (a_byte, 1, ["conv3"]),
        (a_logit, 1, ["head"]),
        (a_shape, 8 * 8 * 16, ["conv1"]),
        (a_retirement, 0, ["conv3", "residual"]),
        (a_load_cycle, 0, []),
    ],
)
def test_every_difference_is_seen(
    *,
    context: Context,
    subject: Subject,
    simulated: list[Simulated],
    fault: Callable[[Simulated], None],
    mismatches: int,
    layers: list[str],
) -> None:
    fault(simulated[1])
    batch = choose_images(subject.network, None, IMAGES)
    report = run_network(context, subject, batch, engine="rtl", seed=5)
    assert report.equal is (fault is nothing)
    assert report.mismatches == mismatches
    assert report.seeds == {"power_on": 5}
    differing = [
        layer.name
        for layer in report.layers
        if layer.mismatches or layer.cycles_rtl != layer.cycles_model
    ]
    assert differing == layers


@pytest.mark.parametrize(("fault", "code"), [(nothing, 0), (a_byte, 1), (a_retirement, 1)])
def test_exit_code(
    context: Context,
    simulated: list[Simulated],
    capfd: pytest.CaptureFixture[str],
    fault: Callable[[Simulated], None],
    code: int,
) -> None:
    fault(simulated[0])
    arguments = [
        "run",
        NETWORK,
        ARCH,
        "--engine",
        "rtl",
        "--images",
        IMAGES,
        "--work",
        context.work,
    ]
    assert main([str(argument) for argument in arguments]) == code
    out = capfd.readouterr().out
    assert ("differ" in out) == bool(code)


def test_each_layer_gets_the_map_that_it_reads(context: Context, subject: Subject) -> None:
    batch = choose_images(subject.network, None, IMAGES)
    maps = expected_maps(context, subject, batch)
    inputs = layer_inputs(subject, maps, 1)
    for layer, given in zip(subject.network.layers, inputs, strict=True):
        assert np.array_equal(given, maps[layer.inputs[0]][1])
