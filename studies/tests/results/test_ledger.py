"""Pages of results say what they were made from, and that something changed since."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from studies.tests.results import run
from studies.tests.results.ledger import (
    MARK,
    ROOT,
    Page,
    Record,
    changes,
    mark_of,
    marked,
    read_ledger,
    read_pages,
    write_ledger,
)
from tests.same.run import everything, line_names, made_now

PAGE = Page(page="docs/results/a.md", commands="true", lines=["model * small", "verilog small"])
LINES = {"model x small": "1", "model y small": "2", "verilog small": "3", "verilog tiny": "4"}
RECORD = Record(
    commit="abc",
    day="2026-11-25",
    seconds=None,
    text="",
    lines=PAGE.chosen(LINES),
    inputs={},
    versions={},
)
AGAIN = " `scripts/results a` makes it again."


def any_lines() -> dict[str, str]:
    """Return the names of all lines, with a text that none has."""
    return dict.fromkeys(line_names(), "a text")


@pytest.mark.promise(
    "each page of results says of which commit it is, and what has changed since it was made"
)
def test_mark_writes_what_changed_into_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lines are made where the text has changed, and are those of the record where it has not."""
    file = tmp_path / "a.md"
    file.write_text("# A page\n")
    page, made = replace(PAGE, page=str(file)), {**LINES, "model x small": "9"}
    monkeypatch.setattr(run, "read_pages", lambda: {"a": page})
    monkeypatch.setattr(run, "read_ledger", lambda: {"a": replace(RECORD, text="then")})
    monkeypatch.setattr(run, "line_names", made.keys)
    monkeypatch.setattr(run, "made_today", lambda wanted: {name: made[name] for name in wanted})
    monkeypatch.setattr(run, "text_now", lambda: "then")
    assert run.main(["--mark"]) == 0 and file.read_text() == "# A page\n"
    monkeypatch.setattr(run, "text_now", lambda: "now")
    mark = f"> Of commit abc, since when changed: model x small.{AGAIN}\n\n"
    for _ in range(2):
        assert run.main(["--mark"]) == 0 and file.read_text() == f"{mark}# A page\n"


def test_every_page_is_in_the_ledger_and_stands_on_lines_that_exist() -> None:
    pages, lines = read_pages(), any_lines()
    there = set((ROOT / "docs/results").glob("*.md"))
    assert there <= {ROOT / page.page for page in pages.values()}
    assert set(read_ledger()) <= set(pages)
    for page in pages.values():
        assert page.text().startswith(("# ", MARK)), page.name
        assert not page.part or not page.written.exists(), page.name
    for page in pages.values():
        for pattern in page.lines:
            assert replace(page, lines=[pattern]).chosen(lines), (page.name, pattern)
        assert page.lines or page.history, page.name
        for pattern in page.reads:
            assert replace(page, lines=[], reads=[pattern]).chosen(lines), (page.name, pattern)


def test_every_file_that_a_command_names_decides_its_page() -> None:
    """What it writes alone does not; networks and chips stand in lines."""
    for page in read_pages().values():
        text = re.sub(r"\\\n", " ", page.commands)
        text = re.sub(r"--(out|json|html)\s+\S+", "", text)
        named = {each.strip("();") for each in text.split() if "/" in each and "$" not in each}
        files = {file.relative_to(ROOT) for each in named for file in ROOT.glob(each.lstrip("/"))}
        words = {word for line in page.chosen(any_lines()) for word in line.split()}
        covered = {f"configs/networks/{word}.npz" for word in words}
        covered |= {f"configs/{word}.yaml" for word in words}
        covered |= {name.removeprefix("file ") for name in page.chosen(any_lines())}
        assert {str(file) for file in files if (ROOT / file).is_file()} <= covered, page.name


def test_a_page_is_stale_where_a_file_that_it_reads_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studies.tests.results.ledger.ROOT", tmp_path)
    read = tmp_path / "studies/results/b.json"
    read.parent.mkdir(parents=True)
    read.write_text("1")
    page = replace(PAGE, reads=["studies/results/b.json"])
    record = replace(RECORD, lines=page.chosen(LINES))
    assert mark_of(page, record, LINES) == ""
    read.write_text("2")
    assert "since when changed: file studies/results/b.json." in mark_of(page, record, LINES)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"model x small": "9"}, "model x small"),
        ({"model z small": "1"}, "model z small"),
        ({"model x small": None, "verilog small": "5"}, "model x small, verilog small"),
        (
            {"model x small": "9", "model y small": "9", "model z small": "9", "verilog small": ""},
            "model x small, model y small, model z small and 1 more",
        ),
    ],
)
def test_a_page_is_stale_where_one_of_its_lines_is_another(
    change: dict[str, str | None], named: str
) -> None:
    now = {name: text for name, text in {**LINES, **change}.items() if text is not None}
    assert mark_of(PAGE, RECORD, now) == f"> Of commit abc, since when changed: {named}.{AGAIN}"


def test_a_fresh_page_and_history_have_no_mark() -> None:
    assert mark_of(PAGE, RECORD, {**LINES, "verilog tiny": "9"}) == ""
    assert changes(PAGE, RECORD, LINES) == []
    dated = replace(PAGE, commands="", lines=[], history=True)
    assert mark_of(dated, None, LINES) == ""


def test_what_is_not_recorded_says_so() -> None:
    nothing = replace(RECORD, lines={})
    told = mark_of(PAGE, nothing, LINES)
    assert told == f"> Of commit abc; what it was made from is not recorded.{AGAIN}"
    by_hand = mark_of(replace(PAGE, commands=""), None, LINES)
    assert by_hand == "> Of a commit that nobody wrote down. No command makes it again."


def test_a_mark_comes_and_goes_and_leaves_the_text() -> None:
    text = "# A page\n\nFigures.\n"
    once = marked(text, "> Of commit abc.")
    assert once == "> Of commit abc.\n\n# A page\n\nFigures.\n"
    assert marked(once, "> Of commit d.").startswith("> Of commit d.\n\n# A page")
    assert marked(once, "") == marked(text, "") == text


def test_a_part_is_written_into_its_page_and_read_as_it_was_written(tmp_path: Path) -> None:
    """Other parts stay, headings are one level lower there, and a mark stands behind the title."""
    file = tmp_path / "a.md"
    file.write_text(
        "# All\n\n<!-- a: `scripts/results a` -->\n\n## Old\n\n<!-- end of a -->\n\n"
        "<!-- b: `scripts/results b` -->\n\n## B\n\n<!-- end of b -->\n"
    )
    page, other = (replace(PAGE, page=str(file), part=name) for name in "ab")
    text = "> Of commit abc.\n\n# New\n\n## Table\n\nFigures.\n"
    page.put(text)
    assert page.name == "a" and page.text() == text and other.text() == "# B\n"
    assert "\n\n## New\n\n> Of commit abc.\n\n### Table\n\n" in file.read_text()
    with pytest.raises(ValueError, match="must have the part c"):
        replace(page, part="c").put(text)


def test_a_ledger_is_read_back(tmp_path: Path) -> None:
    write_ledger({"a": RECORD}, tmp_path / "ledger.json")
    assert read_ledger(tmp_path / "ledger.json") == {"a": RECORD}
    assert read_ledger(tmp_path / "none.json") == {}


@pytest.fixture
def one_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of one page, which a command writes."""
    command = 'printf "# A page\\n" > "$DATA/a.md"'
    page = Page(
        page=str(tmp_path / "a.md"),
        commands=command,
        needs={"data": ["images"]},
        lines=["import digits_vit"],
    )
    monkeypatch.setattr(run, "read_pages", lambda: {"a": page})
    monkeypatch.setattr(run, "read_ledger", lambda: read_ledger(tmp_path / "ledger.json"))
    monkeypatch.setattr(
        run, "write_ledger", lambda records: write_ledger(records, tmp_path / "ledger.json")
    )
    return tmp_path


@pytest.mark.promise(
    "one command makes a page again and writes down what it was made from; a failure leaves no"
    " record"
)
def test_a_page_is_made_and_recorded(
    one_page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (one_page / "images").mkdir()
    (one_page / "images/test.bin").write_bytes(b"images")
    assert run.main(["a", "--data", str(one_page)]) == 0
    assert (one_page / "a.md").read_text() == "# A page\n"
    (record,) = read_ledger(one_page / "ledger.json").values()
    made = made_now(everything(long=False), "import digits_vit".__eq__)
    assert record.lines == made and len(made["import digits_vit"]) == 64
    assert set(record.inputs) == {"images"} and "numpy" in record.versions
    assert run.main(["--stale"]) == 0
    # Lines are made again where the text has changed.
    monkeypatch.setattr(run, "text_now", lambda: "another text")
    assert run.main(["--stale"]) == 0
    monkeypatch.setattr(
        run, "made_now", lambda lines, only: {name: "another" for name, _ in lines if only(name)}
    )
    assert run.main(["--stale"]) == 1
    assert "stale: import digits_vit" in capsys.readouterr().out
    assert run.main(["--list"]) == 0
    assert record.commit in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["a"], "a needs --data with images, got None without images"),
        (["b"], "PAGE must be one of a, got b"),
        ([], "give --list, --stale, --renew, --mark, or pages to make again, got none"),
    ],
)
def test_mistakes_are_one_sentence(
    given: list[str], sentence: str, one_page: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run.main(given) == 2
    assert capsys.readouterr().err == f"scripts/results: {sentence}\n"
    assert not (one_page / "ledger.json").exists()


def test_a_command_that_fails_leaves_no_record(
    one_page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (one_page / "images").mkdir()
    kept = f"{mark_of(run.read_pages()['a'], None, {})}\n\n# A page\n"
    (one_page / "a.md").write_text(kept)
    # The command finds the page without its mark, and the mark stays where it fails.
    command = """head -1 "$DATA/a.md" | grep '^# A page' && test -f "$DATA/lent" && exit 3"""
    page = replace(run.read_pages()["a"], commands=command)
    monkeypatch.setattr(run, "read_pages", lambda: {"a": page})
    # So is its record, which is brought back.
    monkeypatch.setattr(run, "lend", (one_page / "lent").write_text)
    monkeypatch.setattr(run, "keep", (one_page / "lent").unlink)
    with pytest.raises(SystemExit, match="the commands of a ended with 3"):
        run.main(["a", "--data", str(one_page)])
    assert not (one_page / "ledger.json").exists()
    assert (one_page / "a.md").read_text() == kept
    assert not (one_page / "lent").exists()


def test_stale_pages_are_renewed_and_one_that_fails_stays(
    one_page: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (one_page / "images").mkdir()
    good = run.read_pages()["a"]
    bad = replace(good, page=str(one_page / "b.md"), commands="exit 3")
    fresh = replace(good, page=str(one_page / "c.md"))
    (one_page / "b.md").write_text("# B\n")
    monkeypatch.setattr(run, "read_pages", lambda: {"b": bad, "a": good, "c": fresh})
    monkeypatch.setattr(run, "mark_of", lambda page, record, _: "" if page is fresh else "stale")
    assert run.main(["--renew", "--data", str(one_page)]) == 1
    assert "the commands of b ended with 3\n" in capsys.readouterr().err
    assert (one_page / "a.md").read_text() == "# A page\n"
    assert list(read_ledger(one_page / "ledger.json")) == ["a"]


def test_pages_of_a_chip_stand_on_what_its_sources_make() -> None:
    """A constant of `hwgen/dbpim/facts` changes programs, Verilog and predictions of its chips."""
    lines, pages = any_lines(), read_pages()
    for family in ("dbpim", "mram"):
        now = {n: f"{text}x" if f" {family}/" in n else text for n, text in lines.items()}
        stale = {
            name
            for name, page in pages.items()
            if mark_of(page, replace(RECORD, lines=page.chosen(lines) or {"none": ""}), now)
        }
        own = {name for name, page in pages.items() if name.startswith(family) and not page.history}
        assert own <= stale


@pytest.mark.long
def test_a_changed_constant_names_the_pages_of_its_family(tmp_path: Path) -> None:
    """In a copy of the sources whose DB-PIM programs have another version."""
    for name in ("hwgen", "golden", "configs", "tests/same", "studies/tests/results"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "*.nb?")
        )
    programs = {"dbpim-tiny": "dbpim/tiny", "mram-tiny": "mram/tiny"}
    pages: list[dict[str, Any]] = [
        {"page": f"docs/results/{name}.md", "lines": [f"program digits_small_cnn {chip}"]}
        for name, chip in programs.items()
    ]
    (tmp_path / "studies/tests/results/pages.yaml").write_text(yaml.safe_dump(pages))
    wanted = {f"program digits_small_cnn {chip}" for chip in programs.values()}
    today = made_now(everything(long=False), wanted.__contains__)
    (tmp_path / "studies/results").mkdir(parents=True)
    records = {
        page.name: replace(RECORD, lines=page.chosen(today))
        for page in (Page(**each) for each in pages)
    }
    write_ledger(records, tmp_path / "studies/results/ledger.json")
    facts = tmp_path / "hwgen/dbpim/facts/instructions.py"
    text = facts.read_text()
    assert "\nVERSION = 5\n" in text

    def stale() -> tuple[int, str]:
        command = [sys.executable, "-m", "studies.tests.results.run", "--stale"]
        environment = {"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout

    code, said = stale()
    assert code == 0, said
    facts.write_text(text.replace("\nVERSION = 5\n", "\nVERSION = 6\n"))
    code, said = stale()
    assert code == 1
    rows = {line.split()[0]: line for line in said.splitlines() if "tiny" in line}
    assert "stale: program digits_small_cnn dbpim/tiny" in rows["dbpim-tiny"]
    assert "fresh" in rows["mram-tiny"]
