"""`hwgen synthesize --effects`: accuracies of choices, the chip that keeps one, its files."""

import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import jsonschema
import numpy as np
import pytest
from rich.console import Console

from hwgen import api
from hwgen.commands.context import Context
from hwgen.commands.synthesis import Synthesize, SynthesizedChip
from hwgen.crossbar.facts import load_arch
from hwgen.crossbar.facts.components import Components
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.point import Point, clipped, points, stepped
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.record import confirm, design_of
from hwgen.crossbar.pages import REPORTS, limited
from hwgen.crossbar.pages.accuracy import FAMILY, Measured, Measuring, measuring_of
from hwgen.crossbar.pages.problem import problem_of
from hwgen.crossbar.pages.synthesis import ChipAccuracy, ErringReport
from hwgen.crossbar.synthesis.result import SearchResult
from hwgen.errors import ConfigError, DesignError, HwgenError
from hwgen.report.files import report_text, schema_of
from tests.synthesis import COMPONENTS_FILE, candidate, replace_search, result, simple

NETWORK = "digits_small_cnn"
CASES = Path(__file__).parent / "copies"
"""Components with few converters, and devices that vary: a chip needs its copies to be accurate."""
POINT = Point(rram_ratio=None, cell_bits=2, side=128, dac_bits=1)
CHOICES = [each for less in range(4) for each in clipped([POINT], less)]
CLIPPED = {0: 0.9916, 1: 0.9916, 2: 0.8969, 3: 0.1031}
"""Accuracy of the digits by bits less, measured by another model before there was this one."""
WIDER = {(1, 2): 0.4735, (2, 2): 0.4735, (2, 4): 0.2033, (3, 2): 0.4763, (3, 4): 0.2033}
"""By bits less and step, where a code counts several sums."""


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of components with one kind of crossbars, cells and DACs."""
    text = COMPONENTS_FILE.read_text(encoding="utf-8").replace("[1, 2, 4]", "[2]")
    gone = ("- {side: 256", "- {side: 512", "- {bits: 2,", "- {bits: 4, static_w: 5.0e-6")
    lines = [line for line in text.splitlines() if not line.strip().startswith(gone)]
    file = tmp_path_factory.mktemp("parts") / "parts.yaml"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


@pytest.fixture
def asked(tmp_path: Path, parts: Path) -> Callable[..., Synthesize]:
    """Ask for a chip of the digits that bears clipping alone, with some things changed."""
    given: dict[str, Any] = {
        "network": NETWORK,
        "power_w": 1.0,
        "components": parts,
        "effects": "effects/exact",
        "least_accuracy": 0.5,
        "workers": 1,
        "out": tmp_path / "out",
        "context": Context(console=None, work=tmp_path / "work"),
    }
    return lambda **more: Synthesize(**given | more)


def measuring(request: Synthesize) -> Measuring:
    assert request.context is not None
    problem = problem_of(request.context, request)
    return measuring_of(problem, request.erring_chips(FAMILY))


@pytest.mark.dear
@pytest.mark.promise(
    "accuracies of converters of fewer bits are measured once for each choice, with each step from"
    " one sum to the range of those that lose nothing; the most accurate step is found, the finest"
    " of those alike, and no fewer bits where it has too little"
)
def test_accuracy_of_choices(
    asked: Callable[..., Synthesize], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = measuring(asked())
    first.choose()
    assert list(first.tried) == [point for choice in CHOICES for point in stepped(choice)]
    by_step = {
        (point.lossless_bits - point.adc_bits, 1 << point.step_bits): each.mean
        for point, each in first.tried.items()
    }
    assert [by_step[less, 1] for less in CLIPPED] == [
        pytest.approx(accuracy, abs=1e-4) for accuracy in CLIPPED.values()
    ]
    assert [by_step[each] for each in WIDER] == [
        pytest.approx(accuracy, abs=1e-4) for accuracy in WIDER.values()
    ]
    # Three bits less: what clipping takes is more than what a step of two sums does.
    assert list(first.found) == [*CHOICES[:3], stepped(CHOICES[3])[1]]
    assert first.many.exact() == first.found[POINT].mean and len(first.seeds) == 1
    # Nothing is measured again.
    computed: list[Any] = []

    def run(_: object, __: str, tasks: list[Any]) -> Iterator[Any]:
        computed.extend(tasks)
        yield from ()

    monkeypatch.setattr("hwgen.commands.points.WithInputs.run", run)
    again = measuring(asked(least_accuracy=0.95))
    again.choose()
    assert again.found == {each: first.found[each] for each in CHOICES[:3]} and not computed
    with pytest.raises(ConfigError, match=r"--least-accuracy must be at most 0\.99164") as error:
        measuring(asked(least_accuracy=0.995)).choose()
    assert "got 0.995" in str(error.value) and "\n" not in str(error.value)


def test_seeds_are_chips(asked: Callable[..., Synthesize]) -> None:
    """Where devices vary each seed has an accuracy, of as many images as were asked for."""
    some = measuring(asked(effects="effects/reram_study", images_to_choose=40, effect_seeds=3))
    (measured,) = some.measure([POINT], some.few)
    assert (some.many.about.images, measured.images) == (359, 40)
    assert len(set(measured.accuracies)) > 1 and len(measured.accuracies) == 3
    assert measured.deviation > 0
    low, high = measured.interval
    assert low < min(measured.accuracies) and high > max(measured.accuracies)
    assert min(measured.accuracies) < measured.mean < max(measured.accuracies)


@pytest.mark.promise(
    "the accuracy of a chip has an interval at 95 %: of its images by Wilson, of its chips by"
    " Student's t"
)
def test_intervals() -> None:
    # Images alone: Wilson's interval of 85 right ones of 100, and of all right.
    low, high = Measured(images=100, accuracies=(0.85,)).interval
    assert (low, high) == pytest.approx((0.7672, 0.9069), abs=1e-4)
    assert Measured(images=100, accuracies=(1.0,)).interval == pytest.approx(
        (0.9630, 1.0), abs=1e-4
    )
    # Chips alone, of images without end: 2.776 deviations over the root of five, 2.262 of ten.
    for chips, factor in ((5, 2.776), (10, 2.262), (30, 2.045)):
        found = Measured(images=10**9, accuracies=(0.7, 0.8) * (chips // 2) + (0.75,) * (chips % 2))
        half = factor * np.std(found.accuracies, ddof=1) / chips**0.5
        assert found.interval == pytest.approx((0.75 - half, 0.75 + half), abs=2e-4)
    # Both are farther than either.
    both = Measured(images=100, accuracies=(0.8, 0.9, 0.85, 0.85, 0.85)).interval
    assert both[0] < low and both[1] > high
    # Drawn: nineteen of twenty intervals hold the truth, or more.
    rng, holds = np.random.default_rng(1), 0
    for _ in range(1000):
        rates = np.clip(rng.normal(0.8, 0.05, 5), 0, 1)
        hard = rng.random(200)  # the same images on each chip
        drawn = Measured(
            images=200, accuracies=tuple(float(np.mean(hard < each)) for each in rates)
        )
        holds += drawn.interval[0] <= 0.8 <= drawn.interval[1]
    assert holds >= 935


Answer = tuple[int, float, float] | tuple[int, float] | BaseException
"""Place of a choice, its GOPS/W, accuracy of its chip [default: as told]; or what a search ends
with."""
TOLD = (0.99, 0.99, 0.9, 0.6)
"""Accuracies of the choices with one copy of each layer."""


def answered(
    monkeypatch: pytest.MonkeyPatch, answers: Sequence[Answer], **more: Any
) -> tuple[float, list[list[Point]]]:
    """Return GOPS/W of the chip that is taken, and what each search tried."""
    left, tried = list(answers), []

    def search(_: Context, problem: Any) -> Any:
        tried.append(points(problem.components, STRICT))
        answer = left.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        place, efficiency, *others = answer
        best = SimpleNamespace(
            point=CHOICES[place],
            efficiency_gops_per_w=efficiency,
            accuracy=others[0] if others else TOLD[place],
        )
        return SimpleNamespace(best=best, stopped_early=more.get("stopped_early", False))

    monkeypatch.setattr(limited, "search", search)
    measuring: Any = SimpleNamespace(
        found={
            point: Measured(images=1, accuracies=(accuracy,))
            for point, accuracy in zip(CHOICES, TOLD, strict=True)
        },
        least=0.6,
        few="few",
        many="many",
        of_design=lambda best, batch: Measured(
            images=1, accuracies=(best.accuracy - (batch == "many") * more.get("worse", 0.0),)
        ),
        chips=SimpleNamespace(source=SimpleNamespace(name="devices")),
    )
    request = Synthesize(NETWORK, 1.0, context=Context(console=None))
    problem = problem_of(Context(console=None), request)
    design = limited.searched(Context(console=None), problem, measuring)
    return design.result.best.efficiency_gops_per_w, tried


@pytest.mark.promise(
    "a chip whose accuracy, with all its copies, is below the limit is not taken: the search goes"
    " on with choices of more, or refuses in a sentence"
)
def test_the_chip_itself_has_the_accuracy(monkeypatch: pytest.MonkeyPatch) -> None:
    assert answered(monkeypatch, [(3, 400.0)]) == (400.0, [CHOICES])
    low: list[Answer] = [(3, 400.0, 0.5), (2, 300.0, 0.59), (1, 200.0, 0.55)]
    assert answered(monkeypatch, [low[0], (2, 300.0)]) == (300.0, [CHOICES, CHOICES[:3]])
    kept, tried = answered(monkeypatch, [*low[:2], (1, 200.0)])
    assert (kept, tried) == (200.0, [CHOICES, CHOICES[:3], CHOICES[:2]])
    with pytest.raises(ConfigError, match=r"--least-accuracy must be at most 0\.59, the most of"):
        answered(monkeypatch, low)
    none = DesignError("no chip")
    with pytest.raises(ConfigError, match=r"at most 0\.59"):
        answered(monkeypatch, [*low[:2], none])
    # The time of all searches is over.
    with pytest.raises(ConfigError, match=r"at most 0\.5,"):
        answered(monkeypatch, low, stopped_early=True)
    # The printed images count, too.
    assert answered(monkeypatch, [(3, 400.0), (2, 300.0), (1, 200.0)], worse=0.1)[0] == 300.0
    for nothing in (none, KeyboardInterrupt()):
        with pytest.raises(type(nothing)):
            answered(monkeypatch, [nothing])


def one_design(
    network: CrossbarNetwork, components: Components, *, power_w: float, copies: int = 1, **_: Any
) -> SearchResult:
    """Return a search that knows one design, of the last point that it is to try."""
    point, chosen = points(components, STRICT)[-1], simple(network)
    placed = [copies if layer.kind == "conv" else 1 for layer in network.layers]
    chosen = replace(chosen, copies=placed)
    found = confirm(
        network,
        components,
        point=point,
        rules=STRICT,
        power_w=power_w,
        design=design_of(**chosen.as_json()),
    )
    best = candidate(found, chosen)
    return result(power_w=power_w, best=best, candidates=[best], points=[])


@pytest.mark.dear
@pytest.mark.promise(
    "a synthesis with --effects tells the accuracy of its chip, which errs, and its writes"
)
def test_files_of_a_limit(
    asked: Callable[..., Synthesize], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    replace_search(monkeypatch, one_design)
    said = io.StringIO()
    console = Console(file=said, width=300)
    request = asked(
        images_to_choose=40, context=Context(console=console, work=tmp_path / "work"), images=80
    )
    made = request.run()
    assert isinstance(made, SynthesizedChip) and isinstance(made.report, ErringReport)
    assert sorted(made.files) == sorted(path.name for path in made.folder.iterdir())
    assert f"out: {', '.join(made.files)}" in said.getvalue()
    arch = load_arch(made.folder / "architecture.yaml")
    found = made.report.accuracy
    chip = found.chip
    assert arch.effects and arch.adc_bits == 6 == chip.point.adc_bits and chip.bits_less == 2
    assert chip.interval[0] < chip.accuracy < chip.interval[1]
    assert {each.step for each in found.choices} == {1, 2, 4, 8}
    weighted = [layer for layer in arch.layers if layer.kind in ("conv", "fc")]
    weights = sum(
        layer.mapping.copies * layer.mapping.rows * layer.output.channels for layer in weighted
    )
    assert made.report.writing.cells == weights * arch.slices > 0
    assert (found.images_to_choose, found.data.images) == (40, 80)
    content = json.loads((made.folder / "report.json").read_text(encoding="utf-8"))
    assert content == json.loads(report_text(made.report))
    jsonschema.validate(content, json.loads(schema_of(REPORTS["synthesize"])))
    said.truncate(0)
    console.print(request.table(made))
    assert "6 bits, 2 less" in said.getvalue() and "without effects" in said.getvalue()
    assert f"to write {made.report.writing.cells:,} cells in a load" in said.getvalue()
    # The same command writes over its own files.
    assert asdict(request.run().report) == asdict(made.report)


@pytest.mark.dear
@pytest.mark.promise(
    "choices of a synthesis are judged with the copies that a chip of the budget has"
)
def test_a_limit_that_only_chips_with_copies_keep(asked: Callable[..., Synthesize]) -> None:
    """With one copy of each layer no choice has more than 80 %; the chip has 90 to 93 %."""
    given = {"components": CASES / "components.yaml", "effects": CASES / "variation.yaml"}
    limits = {"power_w": 0.6, "least_accuracy": 0.85}
    some = measuring(asked(**given, **limits, images_to_choose=60, effect_seeds=3))
    copied = some.plain_chip(points(some.problem.components, STRICT)[0])
    assert max(copied["copies"]) > 4
    some.choose()
    assert max(each.mean for each in some.found.values()) >= 0.85


def one_point(step: ChipAccuracy) -> Point:
    """Return the choice of a chip."""
    (found,) = clipped([replace(POINT, side=step.point.side)], step.bits_less)
    return stepped(found)[step.step.bit_length() - 1]


@pytest.mark.dear
def test_the_accuracy_of_a_design_is_that_of_its_file(
    asked: Callable[..., Synthesize], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Copies and all: `hwgen effects` says the same of the architecture that is written."""
    given: dict[str, Any] = {"effects": "effects/reram_study", "images": 40, "effect_seeds": 2}
    replace_search(monkeypatch, partial(one_design, copies=2))
    request = asked(**given, images_to_choose=40, least_accuracy=0.6)
    step = cast(ErringReport, request.run().report).accuracy.chip
    some = measuring(request)
    (alone,) = some.measure([one_point(step)], some.many)
    found = api.effects(
        NETWORK,
        tmp_path / "out/architecture.yaml",
        effects="effects/reram_study",
        seeds=2,
        images=40,
        workers=1,
        context=Context(console=None, work=tmp_path / "work"),
    )
    (point,) = found.points
    assert (step.accuracy, step.least, step.most) == (point.mean, point.least, point.most)
    assert alone.accuracies != tuple(point.accuracies)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"effects": None}, "effects must be given with --least-accuracy, got nothing"),
        ({"least_accuracy": None}, "least_accuracy must be given with --effects, got nothing"),
        ({"least_accuracy": 1.5}, "least_accuracy must be"),
        ({"network": "vgg16"}, "effects must be given with a quantized network"),
        ({"rules": "published"}, "effects must be given with --rules strict"),
        ({"effects": "effects/sot_mram"}, "cells.weak_sensing must be 0"),
    ],
)
def test_refusals(
    asked: Callable[..., Synthesize], more: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(HwgenError, match=said) as error:
        asked(**more).run()
    assert "\n" not in str(error.value)
    # No seed was computed.
    assert not (tmp_path / "work/accuracy").exists()


@pytest.mark.long
@pytest.mark.promise(
    "the Verilog of a chip whose converters have fewer bits than lose nothing clips as golden does"
)
def test_a_clipped_chip_runs(parts: Path, tmp_path: Path) -> None:
    """The most efficient chip has 2 bits less; run with the devices that it was chosen for."""
    made = api.synthesize(
        NETWORK,
        0.6,
        components=parts,
        effects="effects/exact",
        least_accuracy=0.8,
        evaluations=1000,
        out=tmp_path / "out",
        then_run=True,
        context=Context(console=None, work=tmp_path / "work"),
    )
    assert made.report.accuracy.chip.bits_less == 2
    assert made.ran is not None and made.ran.equal and made.ran.effects is not None
