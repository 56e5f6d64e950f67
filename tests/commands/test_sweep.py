"""A sweep gives what a prediction gives, keeps it, and says what it refuses."""

import json
from dataclasses import replace
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen import api
from hwgen.chip.family import Family
from hwgen.commands import points, sweep
from hwgen.commands.subject import load_subject
from hwgen.dbpim.facts.arch import load_arch, with_sparsity
from hwgen.errors import ConfigError
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import save_network
from hwgen.report.files import report_text
from hwgen.report.sweep import SweepPoint, SweepReport
from hwgen.report.sweep_plot import across, label, ordered, sweep_picture
from tests.cli.given import NETWORK, ROOT, TINY
from tests.schemas import follows
from verif.dbpim.directed_network import directed
from verif.dbpim.network_builder import NetworkBuilder

CADNN = ROOT / "configs/networks/cadnn_digits.npz"


pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.fixture
def context(tmp_path: Path) -> api.Context:
    return api.Context(work=tmp_path / "work", console=None)


def many_classes() -> QuantizedNetwork:
    """Return a network of the same image with more classes than 16 logits."""
    net = NetworkBuilder(name="many_classes", shape=directed("narrow").graph.input.shape, seed=1)
    ones = np.ones((17, prod(directed("narrow").graph.input.shape)), np.int8)
    net.linear(INPUT, ones, head=True)
    return net.build()


def swept(context: api.Context, files: tuple[Path, Path], **options: Any) -> SweepReport:
    keys = {"queue_depth": [1, 2], "sparsity": ["none", "weight_bits+input_bits"]}
    return api.sweep(files[0], TINY, keys, data=files[1], context=context, **options)


def test_keys_that_the_file_leaves_out_are_varied(
    context: api.Context, files: tuple[Path, Path]
) -> None:
    keys = {"sparsity": ["none"], "sparse_parts": [True, False]}
    report = api.sweep(files[0], "dbpim/small", keys, data=files[1], context=context)
    kept, left_out = report.points
    assert (kept.refused, left_out.refused) == (None, None)
    assert kept.area_mm2 is not None
    assert left_out.area_mm2 is not None
    assert left_out.area_mm2 < kept.area_mm2


def test_a_point_is_what_the_model_says(context: api.Context, files: tuple[Path, Path]) -> None:
    report = swept(context, files, images=2)
    follows(json.loads(report_text(report)), "sweep")
    assert report.images == 2
    assert [tuple(point.values.values()) for point in report.points] == [
        (depth, switches) for depth in (1, 2) for switches in ("none", "weight_bits+input_bits")
    ]
    chip = api.load_architecture(TINY, sparsity="weight_bits,input_bits")
    chip = replace(chip, parameters=replace(chip.parameters, queue_depth=1))  # type: ignore[type-var]
    found = api.model(files[0], chip, data=files[1], images=2, context=context)
    point = report.points[1]
    assert (point.cycles_model, point.load_cycles_model, point.time_us, point.utilization) == (
        *(found.cycles_model, found.load_cycles_model, found.time_us, found.utilization),
    )
    assert report.points[3].cycles_model != point.cycles_model


@pytest.mark.promise(
    "what a sweep has predicted is cached by content, and computed again when it is damaged"
)
def test_what_is_there_is_not_computed_again(
    context: api.Context, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = swept(context, files)
    done: list[str] = []
    predict = points.predict

    def counted(task: dict[str, Any]) -> dict[str, Any]:
        done.append(task["configuration"]["queue_depth"])
        return predict(task)

    monkeypatch.setattr(points, "predict", counted)
    assert swept(context, files) == first
    assert done == []
    kept = sorted((context.work / "points").iterdir())
    assert len(kept) == 4
    kept[0].unlink()
    kept[1].write_text("damaged", encoding="utf-8")
    assert swept(context, files) == first
    assert len(done) == 2
    swept(context, files, images=2)
    assert len(done) == 6


@pytest.mark.promise("a combination that architecture or network refuses is a row with the reason")
def test_a_refused_combination_is_a_row(context: api.Context, files: tuple[Path, Path]) -> None:
    keys = {"cores": [2, 3], "macro.rows": [4, 8]}
    report = api.sweep(files[0], TINY, keys, data=files[1], context=context)
    assert [point.refused is None for point in report.points] == [True, True, False, False]
    assert report.points[3].refused == f"cores must be a power of two, got 3 ({TINY})"
    assert report.points[3].cycles_model is None


@pytest.mark.promise("a sweep predicts every combination of values of keys, as the model does")
def test_a_key_inside_another_one_changes() -> None:
    subject = load_subject(NETWORK, TINY)
    arch: Any = sweep.changed(subject, {"macro.rows": 8, "sparsity": "none"})
    assert arch == replace(
        with_sparsity(load_arch(TINY), "none"), macro=replace(load_arch(TINY).macro, rows=8)
    )
    assert subject.arch == load_arch(TINY)


def test_a_network_that_does_not_fit_is_a_row(
    context: api.Context, files: tuple[Path, Path]
) -> None:
    save_network(many_classes(), files[0])
    keys = {"logit_entries": [32, 16]}
    report = api.sweep(files[0], TINY, keys, data=files[1], context=context)
    assert report.points[0].refused is None
    assert "at most logit_entries (16)" in str(report.points[1].refused)


@pytest.mark.promise("a wrong key or value of a sweep is one sentence")
@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"cors": [1]}, "a key must be one of clock_mhz, cores"),
        ({"macro": [1]}, "a key must be one of"),
        ({"name": ["other"]}, "a key must be one of"),
        ({"cores": ["two"]}, "cores must be such as 2, got two"),
        ({"cores": [True]}, "cores must be such as 2, got True"),
        ({"sparsity.weight_bits": [1]}, "sparsity.weight_bits must be such as True, got 1"),
        ({"cores": [1, 2, 1]}, "cores must be values that differ, got 1, 2 times"),
        ({"cores": [3]}, "at least one combination must work, got none: cores must be"),
        ({"sparsity": ["zeros"]}, "got none: sparsity must be"),
        ({}, "at least one key"),
        ({"cores": list(range(5000))}, "at most 4096, got 5000"),
    ],
)
def test_bad_keys_are_one_sentence(
    keys: dict[str, Any], words: str, context: api.Context, files: tuple[Path, Path]
) -> None:
    with pytest.raises(api.HwgenError, match=words):
        api.sweep(files[0], TINY, keys, data=files[1], context=context)


@pytest.mark.parametrize("text", ["cores", "=1", "cores=", "cores=1,,2", "cores=[1]", "cores={"])
def test_bad_texts_are_one_sentence(text: str) -> None:
    with pytest.raises(ConfigError, match="command line"):
        sweep.values_of([text])


def test_texts_are_values() -> None:
    found = sweep.values_of(["cores=1, 2", "sparsity.input_bits=true,false", "clock_mhz=0.5"])
    assert found == {
        "cores": [1, 2],
        "sparsity.input_bits": [True, False],
        "clock_mhz": [0.5],
    }
    with pytest.raises(ConfigError, match="once"):
        sweep.values_of(["cores=1", "cores=2"])


def test_energy_where_the_family_tells_it(context: api.Context) -> None:
    keys: dict[str, list[int]] = {"memory_latency_cycles": [10, 20]}
    chip = ROOT / "configs/mram/small.yaml"
    report = api.sweep(CADNN, chip, keys, mode="0.25x", context=context)
    subject = load_subject(CADNN, chip)
    found = api.model(CADNN, chip, modes=["0.25x"], context=context)
    assert report.points[0].cycles_model == found.cycles_model
    assert report.points[0].energy_uj is not None and 0.1 < report.points[0].energy_uj < 1
    area = subject.family.need(Family.area).area_um2(subject.arch)
    assert report.points[0].area_mm2 == pytest.approx(sum(area.values()) / 1e6)
    assert report.points[0].time_us == found.time_us


def point(cycles: int | None, **values: Any) -> SweepPoint:
    return SweepPoint(
        values=values,
        refused=None if cycles else "too small",
        cycles_model=cycles,
        load_cycles_model=cycles,
        time_us=None,
        utilization=None,
        energy_uj=None,
        with_outside_uj=None,
        area_mm2=None if cycles is None else 1.5,
    )


@pytest.mark.promise("the picture of a sweep has a plot for each figure, the same bytes every time")
@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_picture_has_a_plot_for_each_figure(
    kind: str, context: api.Context, files: tuple[Path, Path]
) -> None:
    report = replace(
        swept(context, files),
        keys={"cores": [4, 1, 2], "b": [True, False]},
        points=[point(c * 100 if c > 1 else None, cores=c, b=b) for c in (4, 1, 2) for b in (1, 0)],
    )
    assert across(report) == "cores" and ordered([4, 1, 2]) == [1, 2, 4]
    assert label(report.points[0], without="cores") == "b=1"
    made = sweep_picture(report, kind)
    assert made == sweep_picture(report, kind)
    if kind == "svg":
        text = made.decode()
        assert "cycles" in text and "mm2" in text and "uJ" not in text
        assert text.count(">b=0<") == text.count(">b=1<") == 1
    else:
        assert made.startswith(b"\x89PNG")


def test_a_line_without_a_point_has_no_name(context: api.Context, files: tuple[Path, Path]) -> None:
    report = replace(
        swept(context, files),
        keys={"cores": [1, 2, 4, 8], "b": [1, 0, 2]},
        points=[
            point(c * 100 if b else None, cores=c, b=b) for c in (1, 2, 4, 8) for b in (1, 0, 2)
        ],
    )
    text = sweep_picture(report, "svg").decode()
    assert ">b=1<" in text and ">b=2<" in text and ">b=0<" not in text


def test_a_picture_has_a_known_ending(context: api.Context, files: tuple[Path, Path]) -> None:
    with pytest.raises(ConfigError, match="plot must be a file that ends with"):
        swept(context, files, plot="sweep.pdf")
    swept(context, files, plot=context.work / "new/sweep.svg")
    assert (context.work / "new/sweep.svg").read_text(encoding="utf-8").startswith("<?xml")
