"""A simulation that differs in one element, one cycle or one shape is noticed, and only then."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.cli import main
from hwgen.commands.context import Context
from hwgen.commands.engines import expected_maps, maps_of_runs
from hwgen.commands.images import choose_images
from hwgen.commands.run import run_network
from hwgen.commands.subject import Subject, load_subject, program_of
from hwgen.dbpim.model import CycleModel
from hwgen.errors import DataError
from tests.commands.made_up import Simulated, made_up_run, simulation

ROOT = Path(__file__).parents[2]
NETWORK, ARCH = ROOT / "configs/networks/digits_small_cnn.npz", ROOT / "configs/dbpim/small.yaml"
IMAGES = 2

GOLDEN = """
import sys
import golden.network
from hwgen.cli import main
from hwgen.errors import DataError

stored, infer = set(), golden.network.infer

def spy(*given, **options):
    maps = infer(*given, **options)
    stored.update(maps)
    return maps

golden.network.infer = spy
assert main({arguments}) == 0
heavy = ("numba", "verif", "torch", "hwgen.dbpim.model", "hwgen.dbpim.compiler")
heavy += ("hwgen.chip.sim", "hwgen.chip.rtl")
print([name for name in heavy if name in sys.modules], sorted(stored))
"""


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
    return [made_up_run(maps, model, image) for image in range(IMAGES)]


@pytest.fixture
def simulated(perfect: list[Simulated], monkeypatch: pytest.MonkeyPatch) -> list[Simulated]:
    """Put these results in the place of the simulator."""
    monkeypatch.setattr(simulation(), "simulate", lambda *_, **__: perfect)
    return perfect


def a_byte(run: Simulated) -> None:
    run.maps[0]["conv2"][1, 2, 3] ^= 1


def a_logit(run: Simulated) -> None:
    run.maps[0]["head"][0, 0, 4] += 1


def a_shape(run: Simulated) -> None:
    run.maps[0]["conv1"] = run.maps[0]["conv1"][:, :, :15]


def a_retirement(run: Simulated) -> None:
    run.steps[3] = replace(run.steps[3], end=run.steps[3].end + 1)
    run.steps[4] = replace(run.steps[4], begin=run.steps[4].begin + 1)


def a_load_cycle(run: Simulated) -> None:
    run.load_cycles += 1


def a_cycles_register(run: Simulated) -> None:
    run.cycles += 7


def a_counter(run: Simulated) -> None:
    run.counters["layers"] -= 1


def no_logits(run: Simulated) -> None:
    del run.maps[0]["head"]


def nothing(run: Simulated) -> None:
    pass


@pytest.mark.promise(
    "equal means each image, run, step, counter and event by itself; nothing cancels"
)
@pytest.mark.parametrize(
    ("fault", "mismatches", "layers"),
    [
        (nothing, 0, []),
        (a_byte, 1, ["conv2"]),
        (a_logit, 1, ["head"]),
        (a_shape, 8 * 8 * 16, ["conv1"]),
        (a_retirement, 0, ["residual", "max_pool"]),
        (a_load_cycle, 0, []),
        (a_cycles_register, 0, []),
        (a_counter, 0, []),
        (no_logits, 10, ["head"]),
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
    assert [layer.name for layer in report.layers if not layer.equal] == layers
    assert (report.first_difference is None) is (fault is nothing)
    assert [run.equal for run in report.runs] == [True, fault in (nothing, *IN_MAPS)]
    assert [image.equal for image in report.images] == [True, fault not in IN_MAPS]
    assert (report.images[1].class_ is None) is (fault is no_logits)


IN_MAPS = (a_byte, a_logit, a_shape, no_logits)


FAULTS = [a_byte, a_logit, a_retirement, a_load_cycle, a_cycles_register, a_counter, no_logits]


@pytest.mark.parametrize(("fault", "code"), [(nothing, 0), *((fault, 1) for fault in FAULTS)])
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
    assert ("differ" in out) == ("first difference: " in out) == bool(code)


@pytest.mark.parametrize("lacking", ["classes", "labels"])
def test_no_class_where_a_network_names_none(
    context: Context, subject: Subject, lacking: str
) -> None:
    batch = choose_images(subject.network, None, IMAGES)
    if lacking == "labels":
        batch = replace(batch, labels=None)
    else:
        graph = replace(subject.network.graph, class_names=[])
        subject = replace(subject, network=replace(subject.network, graph=graph))
    report = run_network(context, subject, batch, engine="golden")
    assert report.accuracy is None
    assert ([image.class_ for image in report.images] == [None] * IMAGES) is (lacking == "classes")


@pytest.mark.promise(
    "the engine golden compiles nothing and keeps answers only; no class without classes"
)
def test_golden_keeps_no_map_and_compiles_nothing(tmp_path: Path) -> None:
    """Runs in a separate process: the modules imported at its end show what was needed."""
    arguments = ["run", NETWORK, ARCH, "--engine", "golden", "--images", 200, "--work", tmp_path]
    code = GOLDEN.format(arguments=[str(argument) for argument in arguments])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[] ['head']"
    assert list(tmp_path.iterdir()) == []


def test_each_run_gets_the_maps_of_its_images(context: Context, subject: Subject) -> None:
    batch = choose_images(subject.network, None, 4)
    maps = expected_maps(context, subject, batch)
    program = program_of(context, replace(subject, run_images=2))
    first, second = maps_of_runs(program, maps, 4)
    for name, found in maps.items():
        assert np.array_equal(first[name], found[:2])
        assert np.array_equal(second[name], found[2:])
    with pytest.raises(DataError, match="multiple of 2, the images of one run, got 3"):
        maps_of_runs(program, maps, 3)
