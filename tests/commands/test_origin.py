"""The commit that reports name: + where code differs, not where a page is being written."""

import subprocess
from pathlib import Path

import pytest

from hwgen.commands import origin


def test_a_changed_page_is_no_change_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*arguments: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", tmp_path, *who, *arguments], check=True, capture_output=True)

    for name in ("hwgen/__init__.py", "configs/chip.yaml", "docs/results/page.md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    git("init", "-q")
    monkeypatch.setattr(origin, "PACKAGE", tmp_path / "hwgen")
    assert origin.commit() is None
    git("add", "-A")
    git("commit", "-qm", "all")
    plain = origin.commit()
    assert plain is not None and len(plain) == 10
    (tmp_path / "docs/results/page.md").write_text("# A page")
    (tmp_path / "new.py").write_text("")
    assert origin.commit() == plain
    (tmp_path / "configs/chip.yaml").write_text("name: other")
    assert origin.commit() == f"{plain}+"
