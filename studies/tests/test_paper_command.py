"""`hwgen paper`: bad input is one sentence; page, pictures and JSON go where asked."""

import json
from pathlib import Path

import pytest

from tests.cli.given import Command
from tests.schemas import follows


@pytest.mark.promise("a network that the paper does not have is refused in one sentence")
@pytest.mark.promise("a paper refuses the options of other papers")
@pytest.mark.parametrize(
    ("name", "arguments", "word"),
    [
        ("pimsyn", ("--networks", "lenet"), "lenet"),
        ("pimsyn", ("--networks", ","), "nothing"),
        ("pimsyn", ("--power-w", "0"), "--power-w"),
        ("cadnn", ("--training", "nowhere.json"), "No such file"),
        ("dbpim", ("--parts", "race,bars"), "got bars"),
        ("dbpim", ("--parts", ","), "got nothing"),
        ("mlperf-tiny", (), "--published must be a folder"),
        ("cadnn", ("--documents", "configs"), "001_NAME.txt"),
        ("cadnn", ("--energy", "configs/mram/tiny.yaml"), "tiny.yaml"),
    ],
)
def test_bad_paper_options(
    hwgen: Command, name: str, arguments: tuple[str, ...], word: str
) -> None:
    code, out, err = hwgen("paper", name, *arguments)
    assert (code, out) == (2, "")
    assert err.startswith("hwgen: ")
    assert err.count("\n") == 1
    assert word in err


@pytest.mark.promise("options that belong to other papers are refused in one sentence")
@pytest.mark.parametrize(
    ("name", "option"),
    [
        ("pimsyn", "--training"),
        ("pimsyn", "--images"),
        ("cadnn", "--networks"),
        ("cadnn", "--evaluations"),
        ("mlperf-tiny", "--power-w"),
        ("dbpim", "--seed"),
    ],
)
def test_a_paper_has_no_option_of_another(hwgen: Command, name: str, option: str) -> None:
    code, out, err = hwgen("paper", name, option, "1")
    assert (code, out) == (2, "") and f"No such option: {option}" in err


@pytest.mark.promise(
    "operations, sub-arrays, energy and memory by layer, width and schedule are tables and pictures"
)
def test_a_paper_leaves_its_files(hwgen: Command, tmp_path: Path) -> None:
    out, report = tmp_path / "out", tmp_path / "report.json"
    page, texts = tmp_path / "cadnn.html", tmp_path / "texts"
    texts.mkdir()
    (texts / "004_of_ours.txt").write_text("More Like this: among [13.4]", encoding="utf-8")
    given = ("--out", out, "--json", report, "--work", tmp_path, "--page", page)
    code, shown, err = hwgen("paper", "cadnn", *given, "--documents", texts)
    assert (code, err) == (1, ""), "the latencies do not stand in the text"
    assert "Section V-B" in shown
    told = page.read_text(encoding="utf-8")
    assert told.startswith("<!DOCTYPE html>") and "http" not in told
    assert "74 printed" in told and told.count("not found") == 9
    content = json.loads(report.read_text(encoding="utf-8"))
    follows(content, "paper_adaptive")
    assert json.loads((out / "mram-paper.json").read_text(encoding="utf-8")) == content
    row = content["rows"][0]
    assert {"figure", "published", "ours", "unit", "deviation_percent", "reason"} <= set(row)
    assert (out / "mram-paper.md").read_text(encoding="utf-8").startswith("# CA-DNN")
