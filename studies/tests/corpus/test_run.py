"""The page of the corpus counts what its rows say; a run goes on where another ended."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.jobs.store import Store
from studies.tests.corpus import run
from studies.tests.corpus.run import (
    CHIPS,
    DRAWN,
    POPULAR_CHIP,
    Row,
    cause_of,
    page,
    popular_page,
    row_in,
    row_of,
    sentence_of,
)
from studies.tests.results.ledger import read_pages
from tests.corpus.exports import (
    FX,
    HWGEN,
    ONNXRUNTIME,
    TOOLS,
    Export,
    NotExportedError,
    exports,
    popular_exports,
)
from tests.quantized_onnx import Model, float_conv, saved

ONE, OTHER = TOOLS[:2]
EXACT = Row(
    tool=ONE,
    network="n",
    source="s",
    way="w",
    accepted=True,
    layers=3,
    elements=40,
    chips=CHIPS[:1],
)
REFUSED = Row(
    tool=OTHER, network="m", source="s", way="w", accepted=False, sentence="its mode must be a"
)


def cells(line: str) -> list[str]:
    return [each.strip() for each in line.strip("|").split("|")]


def counts(text: str) -> dict[str, list[str]]:
    """Return the row of each tool in the first table."""
    first = text.partition("\n## ")[0]
    lines = [cells(line) for line in first.splitlines() if line.startswith("| ")]
    return {line[0]: line[1:] for line in lines[2:]}


def test_the_page_counts_by_tool() -> None:
    inexact = replace(EXACT, different=1, step=2, chips=(), unforeseen=True)
    text = page([EXACT, inexact, REFUSED, replace(REFUSED, network="k")])
    assert "4 exports, 2 accepted" in text
    found = counts(text)
    assert list(found) == list(TOOLS)
    assert found[ONE] == ["2", "2 (100 %)", "1", "1", "1", "0", "0", "1"]
    assert found[OTHER] == ["2", "0 (0 %)", "0", "0", "0", "0", "0", "0"]
    assert f"| [1] | {OTHER} | its mode must be a | 2 |" in text
    assert "| s | w: 1 of 4 | n, n, m, k |" in text
    assert "| n | s | w: 1 of 40, 2, no chip |" in text and "| m | s | w: [1] |" in text


@pytest.mark.promise(
    "docs/import-corpus.md counts each export of the corpus by the way it was made, names those"
    " that are refused, differ or run on no chip, and its counts by tool are those of its ways"
)
def test_the_page_that_stands_has_every_export() -> None:
    text = read_pages()["import-corpus"].text()
    table = text.split("## By way of making")[1].partition("\n## ")[0]
    found: dict[tuple[str, str], tuple[int, int, str]] = {}
    for source, ways, names in [cells(line) for line in table.splitlines() if line[:2] == "| "][2:]:
        for each in ways.split("; "):
            way, _, count = each.rpartition(": ")
            exact, files = map(int, count.split(" of "))
            found[source, way] = exact, files, names
    made: dict[tuple[str, str], list[Export]] = {}
    for export in exports():
        made.setdefault((export.source, export.way), []).append(export)
    assert found.keys() == made.keys()
    for key, (_, files, names) in found.items():
        named = [each.network for each in made[key] if not each.network.startswith(DRAWN)]
        drawn = [f"{len(made[key]) - len(named)} drawn"] * (len(made[key]) > len(named))
        assert (files, names) == (len(made[key]), ", ".join([*named, *drawn])), key
    tools = {key: of[0].tool for key, of in made.items()}
    listed = text.split("## Exceptions")[1]
    for tool, (files, accepted, exact, *_) in counts(text).items():
        ways = [found[key] for key, of in tools.items() if of == tool]
        assert int(files) == sum(each[1] for each in ways), tool
        assert int(exact) == sum(each[0] for each in ways), tool
        refused = [line for line in text.splitlines() if f"] | {tool} | " in line]
        told = sum(int(cells(line)[-1]) for line in refused)
        assert told == int(files) - int(accepted.split()[0]), tool
        for place in (cells(line)[0] for line in refused):
            assert place in listed, tool


def test_the_popular_page_counts_cures_and_silence() -> None:
    said = replace(EXACT, tool=HWGEN, different=1, announced=True, chips=(POPULAR_CHIP,))
    refused = replace(REFUSED, tool=ONNXRUNTIME)
    silent = replace(EXACT, tool=ONNXRUNTIME, different=1)
    text = popular_page([said, replace(EXACT, tool=HWGEN), refused, silent,
                         replace(refused, cured=True)])  # fmt: skip
    found = counts(text)
    assert found[HWGEN] == ["2", "2", "2 (100 %)", "1 (50 %)", "1 (50 %)", "0", "0", "0"]
    assert found[ONNXRUNTIME] == ["3", "3", "1 (33 %)", "0 (0 %)", "0 (0 %)", "1", "1", "1"]


def test_what_a_tool_does_not_write_is_told(tmp_path: Path) -> None:
    def fails(folder: Path) -> Path:
        raise NotExportedError("Unsupported: a loop over | data")

    export = Export(FX, "looped", "test", "FX", fails)
    row = row_in(None, export, tmp_path, tmp_path)
    assert not row.exported and not row.accepted
    text = popular_page([row, replace(EXACT, tool=FX)])
    assert counts(text)[FX] == ["2", "1", "1 (100 %)", "1 (100 %)", "0 (0 %)", "0", "0", "0"]
    assert "| looped |  |  | [1] |  |" in text
    assert text.endswith("\n1. not written, Unsupported: a loop over | data\n")


@pytest.mark.promise(
    "docs/import-corpus.md has a row for each of 65 popular networks by each of four tools, and"
    " in no file does an answer differ of which the import says nothing"
)
def test_the_page_of_popular_networks_has_every_export() -> None:
    text = read_pages()["popular-networks"].text()
    table = text.split("## Every network")[1]
    found = {line[0]: line[1:] for line in map(cells, table.splitlines()) if len(line) == 5}
    tools = found.pop("network")
    for each in popular_exports():
        assert found[each.network][tools.index(each.tool)], each.name
    assert len(found) - 1 == len({each.network for each in popular_exports()}) == 65
    assert [silent for *_, silent in counts(text).values()] == ["0"] * 4


def test_a_cure_that_a_refusal_names_is_tried(tmp_path: Path) -> None:
    def refused(folder: Path) -> Path:
        model = Model()
        return saved(model.build(float_conv(model, "x", 8, 3, 3, 3)), folder)

    def cure(folder: Path, from_float: bool) -> Path:
        return small(folder)

    export = Export(ONE, "real", "test", "QDQ", refused, cure)
    row = row_of(export, export.make(tmp_path), tmp_path)
    assert not row.accepted and row.cured and "--calibrate" in row.sentence
    without = row_of(replace(export, cure=None), export.make(tmp_path), tmp_path)
    assert not without.accepted and not without.cured


@pytest.mark.parametrize(
    ("sentence", "cause"),
    [
        (
            "node a/b (Conv): its weights must be integers, got real numbers (x-1.onnx)",
            "Conv: its weights must be integers, got real numbers",
        ),
        (
            "3 nodes cannot be imported (x.tflite): node m_2 (MEAN): its axes must be rows"
            " (and 2 more of this cause)",
            "MEAN: its axes must be rows",
        ),
        (
            "node b (Add): what b reads must be quantized, got real numbers of node c (Mul)"
            " (x.onnx)",
            "Add: what it reads must be quantized, got real numbers of Mul",
        ),
    ],
)
def test_causes_have_no_names_of_nodes(sentence: str, cause: str) -> None:
    assert cause_of(sentence) == cause


def test_the_first_of_several_things_is_told() -> None:
    error = "hwgen: 2 nodes cannot be imported (/tmp/x.onnx):\nnode a (A): b\nnode c (C): d\n"
    sentence = sentence_of(error, Path("/tmp/x.onnx"))
    assert sentence == "2 nodes cannot be imported (x.onnx): node a (A): b"


def small(folder: Path) -> Path:
    model = Model()
    return saved(model.build(model.quantized(model.conv(model.image(), 4, 3, 3, 3))), folder)


def test_a_file_is_imported_compared_and_compiled(tmp_path: Path) -> None:
    export = Export(ONE, "small", "test", "QDQ", small)
    row = row_of(export, export.make(tmp_path), tmp_path)
    assert row.accepted and row.exact and row.layers == 1
    assert set(row.chips) == set(CHIPS)


def test_a_run_goes_on_with_its_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export = Export(ONE, "small", "test", "QDQ", small)
    store, calls = Store(tmp_path / "store", code="c"), []
    monkeypatch.setattr(run, "row_of", lambda *_: calls.append(1) or EXACT)
    first = row_in(store, export, tmp_path, tmp_path)
    again = row_in(store, export, tmp_path, tmp_path)
    assert calls == [1] and page([first]) == page([again])
    row_in(Store(tmp_path / "store", code="another"), export, tmp_path, tmp_path)
    assert len(calls) == 2
