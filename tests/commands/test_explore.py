"""A search for chips: what it finds is what the model says, and nothing known beats its front."""

import json
from pathlib import Path
from typing import Any

import pytest

from hwgen import api
from hwgen.commands import points
from hwgen.commands.explore import with_front
from hwgen.dbpim.facts.arch import load_arch
from hwgen.report.explore import ExploredChip, ExploreReport
from hwgen.report.files import report_text
from tests.schemas import follows

pytestmark = pytest.mark.usefixtures("in_this_process")

KEYS = {
    "cores": [1, 2],
    "macros_per_core": [2, 4],
    "macro.compartments": [8, 16],
    "simd_lanes": [8, 16],
}
HELD = {
    "macro.columns": [16],
    "macro.rows": [16],
    "tile_rows": [8],
    "word_channels": [64],
    "buffer_bytes": [8192],
    "psum_entries": [128],
    "mask_bytes": [1024],
    "queue_depth": [8],
    "switch_rate": [8],
    "lanes_per_requantizer": [4],
    "bus_words": [2],
    "port_bits": [64],
}
"""All other keys of the search."""


@pytest.fixture
def context(tmp_path: Path) -> api.Context:
    return api.Context(work=tmp_path / "work", console=None)


def explored(context: api.Context, files: tuple[Path, Path], **options: Any) -> ExploreReport:
    given: dict[str, Any] = {"keys": KEYS | HELD, "points": 12, "area": 1.9, **options}
    return api.explore([files[0]], "dbpim", data=[str(files[1])], context=context, **given)


@pytest.mark.promise(
    "a chip that a search finds takes what the model says, and is written as a file"
)
def test_the_best_chip_is_an_architecture(
    context: api.Context, files: tuple[Path, Path], tmp_path: Path
) -> None:
    report = explored(context, files, out=tmp_path / "best.yaml", plot=tmp_path / "front.svg")
    follows(json.loads(report_text(report)), "explore")
    arch = load_arch(tmp_path / "best.yaml")
    assert (arch.name, arch.cores) == ("paper_explored", report.best.values["cores"])
    found = api.model(files[0], tmp_path / "best.yaml", data=files[1], context=context)
    (run,) = report.best.runs
    assert (run.cycles_model, run.time_us) == (found.cycles_model, found.time_us)
    assert found.energy is not None
    assert run.energy_uj == pytest.approx(found.energy.image_nj / 1e3)
    assert report.best.area_mm2 <= 1.9 and report.best.objective == pytest.approx(run.cycles_model)
    assert (tmp_path / "front.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.dear("latency")
@pytest.mark.promise("no chip of a sweep over the keys of a search is better than its front")
@pytest.mark.parametrize("objective", ["latency", "edp"])
def test_no_chip_of_a_sweep_beats_the_front(
    context: api.Context, files: tuple[Path, Path], objective: str
) -> None:
    """All 16 combinations fit into the search; those within its limits are on it or behind it."""
    report = explored(context, files, points=20, objective=objective, area=1.7)
    held = {key: values for key, values in HELD.items() if key != "word_channels"}
    swept = api.sweep(files[0], "dbpim/paper", KEYS | held, data=files[1], context=context)
    front = [chip for chip in report.chips if chip.front]
    inside = 0
    for point in swept.points:
        assert point.area_mm2 and point.cycles_model and point.energy_uj
        if not report.smallest_mm2 <= point.area_mm2 <= 1.7:
            continue
        figure = {
            "latency": point.cycles_model,
            "energy": point.energy_uj,
            "edp": point.cycles_model * point.energy_uj,
        }[objective]
        inside += 1
        assert any(
            chip.area_mm2 <= point.area_mm2 and chip.objective and chip.objective <= figure * 1.0001
            for chip in front
        )
    assert 3 < inside == len(report.chips) - 1
    assert report.best == min(front, key=lambda chip: chip.objective or 0)


@pytest.mark.dear
def test_several_networks_have_one_mean(context: api.Context, files: tuple[Path, Path]) -> None:
    one = explored(context, files)
    report = api.explore(
        [files[0], files[0]],
        "dbpim",
        area=1.9,
        keys=KEYS | HELD,
        points=12,
        data=[str(files[1])] * 2,
        context=context,
    )
    assert [chip.objective for chip in report.chips] == pytest.approx(
        [chip.objective for chip in one.chips]
    )
    assert all(len(chip.runs) == 2 for chip in report.chips)


@pytest.mark.promise("a search may look for the chip of least cycles times area")
def test_the_area_that_a_network_takes(context: api.Context, files: tuple[Path, Path]) -> None:
    report = explored(context, files, objective="area")
    for chip in report.chips:
        (run,) = chip.runs
        assert chip.objective == pytest.approx(run.cycles_model * chip.area_mm2)
    assert report.best.objective == min(chip.objective or 0 for chip in report.chips)


@pytest.mark.promise("a search that was interrupted resumes: what was predicted is cached")
def test_a_search_resumes(
    context: api.Context, files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    predict, done = points.predict, 0

    def stopped(task: dict[str, Any]) -> dict[str, Any]:
        nonlocal done
        done += 1
        if done == 5:
            raise KeyboardInterrupt
        return predict(task)

    monkeypatch.setattr(points, "predict", stopped)
    with pytest.raises(KeyboardInterrupt):
        explored(context, files)
    report = explored(context, files)
    assert report.computed == len(report.chips) - 4
    again = explored(context, files)
    assert again.computed == 0
    assert again.chips == report.chips


def test_the_first_chip_is_that_of_the_family(
    context: api.Context, files: tuple[Path, Path]
) -> None:
    report = explored(context, files, points=1)
    start = report.chips[0]
    assert start.values == {
        "cores": 8, "macros_per_core": 4, "macro.compartments": 16, "macro.columns": 16,
        "macro.rows": 16, "tile_rows": 8, "buffer_bytes": 32768, "psum_entries": 128,
        "mask_bytes": 1024, "queue_depth": 8, "switch_rate": 8, "simd_lanes": 64,
        "lanes_per_requantizer": 8, "bus_words": 4, "port_bits": 256,
    }  # fmt: skip
    assert start.area_mm2 > 1.9 and not start.front
    assert set(report.keys) == set(KEYS) | set(HELD)
    # Values of the first chip that is searched are the wanted ones.
    assert report.chips[1].values["cores"] == 1 and report.chips[1].front


def test_keys_that_no_search_varies_can_be_added(
    context: api.Context, files: tuple[Path, Path]
) -> None:
    keys = HELD | {"one_digit": ["none", "coded"], "cores": [1], "macros_per_core": [4]}
    keys |= {"macro.compartments": [16], "simd_lanes": [16]}
    report = explored(context, files, keys=keys, points=2)
    assert {chip.values.get("one_digit") for chip in report.chips[1:]} == {None, "coded"}


def test_an_architecture_may_be_the_start(context: api.Context, files: tuple[Path, Path]) -> None:
    report = api.explore(
        [files[0]],
        "dbpim/paper_float32",
        area=1.9,
        keys=KEYS | HELD,
        points=2,
        data=[str(files[1])],
        context=context,
    )
    assert report.start.name == "paper_float32"
    assert report.configuration["rounding"] == ("half_up", "float32")


def test_chips_of_another_family_are_found(context: api.Context) -> None:
    keys = {"array.rows": [256], "array.columns": [256, 512], "port_bits": [256]}
    report = api.explore(["cadnn_digits"], "mram", area=3.0, keys=keys, points=3, context=context)
    assert report.best.area_mm2 <= 3.0 and len(report.chips) >= 3
    assert report.best.runs[0].energy_uj is not None


@pytest.mark.long
@pytest.mark.promise(
    "a search finds a chip that runs ResNet20 at least as fast as one of 32 compartments and 8"
    " macros a core, within its area"
)
def test_a_search_is_as_good_as_the_best_known(context: api.Context) -> None:
    """Cores, macros, compartments, SIMD lanes and requantizers vary; all else is as in `paper`."""
    network, known = "cifar10_resnet20_50", {"macro.compartments": [32], "macros_per_core": [8]}
    (point,) = api.sweep(network, "dbpim/paper", known, context=context).points
    assert point.area_mm2 and point.cycles_model
    wide = {"buffer_bytes": [32768], "queue_depth": [8], "bus_words": [4], "port_bits": [256]}
    held = {key: values for key, values in HELD.items() if key != "lanes_per_requantizer"} | wide
    report = api.explore(
        [network], "dbpim", area=point.area_mm2, keys=held, points=256, context=context
    )
    assert report.best.area_mm2 <= point.area_mm2
    assert report.best.objective and report.best.objective <= point.cycles_model


def chip(area: float, objective: float | None) -> ExploredChip:
    return ExploredChip(
        values={}, area_mm2=area, objective=objective, runs=[], refused=None, front=False
    )


def test_the_front_is_what_no_other_chip_beats() -> None:
    chips = [chip(2, 5), chip(1, 9), chip(2, 4), chip(3, 4), chip(4, None), chip(5, 3), chip(9, 1)]
    assert [each.front for each in with_front(chips, 5.0)] == [
        *(False, True, True, False, False, True, False)
    ]


@pytest.mark.promise("a search that cannot be made is one sentence")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"area": 0.0}, "area must be greater than 0"),
        ({"area": 0.001, "points": 2}, "at least one chip of at most 0.001 mm2 must run"),
        ({"keys": {"cors": [1]}}, "a key must be one of cores, macros_per_core"),
        ({"keys": {"cores": ["x"]}}, "cores must be such as 8, got x"),
        ({"objective": "speed"}, "objective must be"),
        ({"points": 0}, "points must be from 1 on"),
        ({"plot": "front.pdf"}, "plot must be a file that ends with"),
        ({"data": ["a", "b"]}, r"data must be given once a network \(1 times\), got 2 times"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    context: api.Context, files: tuple[Path, Path], options: dict[str, Any], words: str
) -> None:
    given: dict[str, Any] = {"area": 1.9, "points": 2, "data": [str(files[1])], **options}
    with pytest.raises(api.HwgenError, match=words):
        api.explore([files[0]], "dbpim", context=context, **given)


@pytest.mark.promise("a search that cannot be made is one sentence")
def test_a_family_that_cannot_be_explored_says_so(files: tuple[Path, Path]) -> None:
    with pytest.raises(api.HwgenError, match="crossbar cannot be explored yet: it has no list of"):
        api.explore([files[0]], "crossbar", area=3.0)


@pytest.mark.promise("a search that finds no chip with the wanted values says why none is legal")
def test_values_that_no_chip_has(context: api.Context) -> None:
    with pytest.raises(api.HwgenError, match="cores must be a power of two, got 3"):
        api.explore(
            ["digits_small_cnn"],
            "dbpim/tiny",
            area=2.0,
            keys={"cores": [3]},
            points=2,
            workers=1,
            context=context,
        )
