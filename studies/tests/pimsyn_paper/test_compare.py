"""The comparison with a paper: its rows, with searches that are small but real."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hwgen_studies.comparison import PaperRow, row
from hwgen_studies.comparison_page import cell, merged
from hwgen_studies.pimsyn_paper.compare import Request, pimsyn_paper
from hwgen_studies.pimsyn_paper.published import (
    GAINS,
    IMAGENET,
    OVER_ISAAC,
    PARAMETERS,
    SPACE_DECADES,
)
from hwgen_studies.pimsyn_paper.report import PaperReport
from hwgen_studies.pimsyn_paper.rows import mean, over, ratio
from hwgen_studies.pimsyn_paper.searches import METHODS
from hwgen_studies.pimsyn_paper.table import paper_files, paper_table
from rich.console import Console

from hwgen.commands.context import Context
from hwgen.crossbar.facts.rules import PUBLISHED
from hwgen.errors import ConfigError
from hwgen.jobs.executors import ProcessExecutor
from hwgen.report.files import report_text
from tests.schemas import follows

ROOT = Path(__file__).parents[3]
EVALUATIONS = 30


def request(**changes: Any) -> Request:
    """Return a request for two networks and little effort."""
    given: dict[str, Any] = {
        "networks": ("alexnet", "cifar_alexnet"),
        "power_w": 49.0,
        "components": ROOT / "configs/crossbar/components.yaml",
        "rules": PUBLISHED,
        "seed": 1,
        "evaluations": EVALUATIONS,
        "workers": 1,
    }
    return Request(**{**given, **changes})


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("paper")


@pytest.fixture(scope="module")
def report(work: Path) -> PaperReport:
    return pimsyn_paper(Context(work=work, console=None), request())


def of(report: PaperReport, figure: str, what: str = "") -> list[PaperRow]:
    """Return the rows of a figure."""
    return [each for each in report.rows if each.figure == figure and what in each.what]


@pytest.mark.promise(
    "every published table and figure has a row; what cannot be had is null, with a reason"
)
def test_it_follows_its_schema(report: PaperReport) -> None:
    follows(json.loads(report_text(report)), "paper")


def test_every_table_and_figure_is_there(report: PaperReport) -> None:
    figures = dict.fromkeys(each.figure for each in report.rows)
    assert list(figures) == [
        "Section III",
        "Fig. 5",
        "Table III",
        "Table IV",
        "Fig. 6",
        "Table V",
        "Fig. 7",
        "Fig. 8",
        "Fig. 9",
        "public code",
        "Section V",
        "search",
    ]
    published = [each.published for each in of(report, "Table IV")]
    assert published == [3.07, 0.63, 0.14, 0.5, 0.84, 0.68]
    for what in OVER_ISAAC:
        assert [each.network for each in of(report, "Fig. 6", f"{what}")][:1] == ["alexnet"]
    assert {gain.figure for gain in GAINS.values()} <= set(figures)
    assert len(of(report, "search")) == 3


def test_a_figure_that_cannot_be_had_is_null_and_every_row_has_a_reason(
    report: PaperReport,
) -> None:
    for each in report.rows:
        assert each.reason.endswith(".")
        assert len(each.reason) > 20
        nothing = each.published is None or each.ours is None
        assert (each.deviation_percent is None) == nothing
        if not nothing:
            assert math.isfinite(each.deviation_percent or 0.0)


def test_what_was_found_is_plausible(report: PaperReport) -> None:
    peak = of(report, "Table IV", "PIMSYN")[0].ours
    assert peak is not None
    assert 0.1 < peak < 3.07
    isaac = of(report, "Table IV", "ISAAC")[0]
    assert isaac.ours == pytest.approx(0.6757, abs=1e-4)
    found = {each.what: each.ours for each in of(report, "search")}
    assert all(value is None or 10 < value < 800 for value in found.values())
    assert found["efficiency, bounded search"]


def test_too_little_power_for_the_weights_is_said(report: PaperReport) -> None:
    """16-bit weights of the usual networks do not fit the mean power that the paper implies."""
    rows = of(report, "Table V", "ours at 0.604 W")
    assert len(rows) == 12
    for each in rows:
        assert each.ours is None
        assert "needs 5.94 W" in each.reason
    others = [each for each in of(report, "Table V") if each not in rows]
    assert {each.what.rpartition(" at ")[2] for each in others} == {"7.43 W", "49 W"}
    for each in others:
        assert each.ours is not None or "The search found no design" in each.reason


@pytest.mark.promise("finished searches are cached")
def test_what_was_searched_is_found_again(
    report: PaperReport, work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: ProcessExecutor, __: str, tasks: Sequence[object]) -> Any:
        assert not tasks
        yield from ()

    monkeypatch.setattr(ProcessExecutor, "run", refuse)
    assert pimsyn_paper(Context(work=work, console=None), request()) == report


def test_the_table_shows_every_row_and_reason(report: PaperReport) -> None:
    console = Console(width=120, file=StringIO())
    console.print(paper_table(report), highlight=False)
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()
    for name in ("PipeLayer", "Fig. 9", "cifar_alexnet", "public code"):
        assert name in text
    assert f"[{len({each.reason for each in report.rows})}] " in text


@pytest.mark.promise("a network that the paper does not have is refused in one sentence")
@pytest.mark.parametrize("networks", [(), ("alexnet", "lenet")])
def test_other_networks_are_refused(networks: tuple[str, ...], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--networks must be some of alexnet,.*cifar_resnet18"):
        pimsyn_paper(Context(work=tmp_path, console=None), request(networks=networks))


def test_deviation() -> None:
    made = row("f", "w", None, published=2.0, ours=3.0, unit="x", reason="r")
    assert asdict(made)["deviation_percent"] == 50
    assert mean([1.0, None, 3.0]) == 2
    assert mean([None]) is None
    assert ratio(3.0, 2.0) == 1.5
    assert ratio(None, 2.0) is None
    assert over(IMAGENET, IMAGENET) == "the same 5 networks"
    assert over(("msra",), IMAGENET) == "msra alone, where the paper has 5 networks"


@pytest.mark.promise("an ablation changes one thing, and searches as long")
def test_ablations_change_one_thing_each() -> None:
    whole = METHODS["text"]
    for name in GAINS:
        assert len({*METHODS[name].items()} ^ {*whole.items()}) == 1


def test_ablations_search_as_long_for_each_weight_duplication(report: PaperReport) -> None:
    assert all(METHODS[name]["equal"] for name in ("text", *GAINS))
    for name in ("Fig. 7", "Fig. 8", "Fig. 9"):
        for each in of(report, name, "(text)"):
            assert "as many for each weight duplication of an ablation" in each.reason


def test_shared_adcs_of_the_example(report: PaperReport) -> None:
    rows = of(report, "Fig. 5")
    assert [each.network for each in rows] == ["alexnet"] * 4
    assert all(each.published is None and each.ours for each in rows)
    assert all((each.ours or 1) < 1 for each in of(report, "Fig. 5", "ADCs of the chip"))


def test_parameters_are_those_of_the_code(report: PaperReport) -> None:
    paper = {each.what: each for each in of(report, "Table III", ", paper")}
    code = of(report, "Table III", ", public code")
    assert len(paper) == len(PARAMETERS) == len(code) + 1
    assert paper["scratchpad, bus, paper"].published == 256
    assert paper["scratchpad, bus, paper"].ours == 1024
    for each in code:
        assert each.deviation_percent == pytest.approx(0), each.what


def test_the_design_space_has_a_published_size_for_vgg13_alone(report: PaperReport) -> None:
    copies, both = of(report, "Section III")
    assert copies.published is both.published is None
    assert 10 < (copies.ours or 0) < (both.ours or 0) < 40
    assert SPACE_DECADES == {"vgg13": 27.0}


def test_cifar_100_is_the_same_design_with_more_classes(report: PaperReport) -> None:
    for who, published in (("PIMSYN", 0.024), ("Gibbon", 0.38)):
        for watts in ("7.43 W", "49 W"):
            (ten,) = of(report, "Table V", f"EDP, {who}; ours at {watts}")
            (hundred,) = of(report, "Table V", f"EDP, {who}, CIFAR-100; ours at {watts}")
            assert hundred.published == published
            if ten.ours is not None and hundred.ours is not None:
                assert ten.ours <= hundred.ours < 1.1 * ten.ours
                assert "100 in its last layer" in hundred.reason
            else:
                assert "does not hold 100" in hundred.reason or "no design" in hundred.reason


def test_chips_without_known_parts_are_not_modelled(report: PaperReport) -> None:
    for name in ("PipeLayer", "PRIME", "PUMA", "Atomlayer"):
        (each,) = of(report, "Table IV", name)
        assert each.ours is None
        assert "counts and powers" in each.reason


def test_its_files_are_a_page_and_the_report(report: PaperReport) -> None:
    files = paper_files(report)
    assert set(files) == {"pimsyn-paper.md", "pimsyn-paper.json"}
    assert json.loads(files["pimsyn-paper.json"])["rows"][0]["figure"] == "Section III"
    page = files["pimsyn-paper.md"]
    for each in of(report, "Fig. 6"):
        assert f"| {cell(each)} |" in page, each
    reasons = merged([each.reason for each in of(report, "Fig. 6")])
    assert all(reason in page for reason in reasons) and len(page.split()) < 600
