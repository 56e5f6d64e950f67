"""Two states of the sources are compared by what they make."""

import subprocess
from pathlib import Path

import pytest

from tests.same import run

LINE = "energy dbpim_45nm"


@pytest.mark.promise("one command tells what a commit made otherwise, thing by thing")
def test_a_line_of_another_commit_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A commit in a worktree beside it: the same at first, then a table of it is another."""
    clone = tmp_path / "clone"
    local = ["git", "clone", "--quiet", "--shared", str(run.HERE), str(clone)]
    subprocess.run(local, check=True)
    monkeypatch.setattr(run, "HERE", clone)
    monkeypatch.setattr(run, "KEPT", tmp_path / "kept")
    table = (clone / "configs/energy/dbpim_45nm.yaml").read_text()
    monkeypatch.setattr(run, "ROOT", clone)
    base = ["--base", "HEAD", "--only", LINE]
    assert run.main(base) == 0
    assert capsys.readouterr().out.endswith("the same\n")
    (clone / "configs/energy/dbpim_45nm.yaml").write_text(f"# Another.\n{table}")
    # What the commit made is kept under its name.
    monkeypatch.setattr(run, "made_in", None)
    assert run.main(base) == 1
    assert capsys.readouterr().out.startswith(f"{LINE}: ")
    listed = subprocess.run(["git", "worktree", "list"], cwd=clone, capture_output=True, check=True)
    assert len(listed.stdout.splitlines()) == 1


def test_what_is_new_or_gone_is_told() -> None:
    before, now = {"a": "1", "b": "2", "c": "3"}, {"b": "2", "c": "4", "d": "5"}
    assert run.changes(before, now) == ["a: 1 -> nothing", "c: 3 -> 4", "d: nothing -> 5"]


def test_names_need_no_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "digest_of_file", pytest.fail)
    assert {LINE, "verilog dbpim/small", "model digits_small_cnn mram/small"} <= run.line_names()
