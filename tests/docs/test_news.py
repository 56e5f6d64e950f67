"""Each change has a file of its own, and a release joins them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\+[a-z0-9-]+\.(added|changed|fixed|removed)\.md")


@pytest.mark.promise("news are one file a change, and a release joins all into the changelog")
def test_news_are_joined() -> None:
    files = sorted((ROOT / "docs/changes").glob("*.md"))
    assert not [file.name for file in files if not NAME.fullmatch(file.name)]
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "9.9.9"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("## 9.9.9, ")
    said = " ".join(done.stdout.split())
    for file in files:
        assert " ".join(file.read_text(encoding="utf-8").split()) in said, file.name
