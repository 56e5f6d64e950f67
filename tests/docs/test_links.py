"""Every relative link of a page leads to a file that a clone has, or that the site makes."""

import re
import subprocess
from pathlib import Path
from posixpath import normpath

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
HISTORY = ("CHANGELOG.md", "docs/changes/")
"""What links to pages as they were."""
HOME = "docs/index.md"
"""The front page of the site alone: it may lead to what the site makes."""
MADE = ("docs/reference/command-line.md", "docs/reference/python.md")


def tracked(*patterns: str) -> list[str]:
    """Return files that git has, or would have with the next commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [file for file in done.stdout.splitlines() if (ROOT / file).exists()]


PAGES = [page for page in tracked("*.md") if not page.startswith(HISTORY)]


def links_of(text: str) -> list[str]:
    """Return the relative links of a page, without the places in pages."""
    found = [link.partition("#")[0] for link in LINK.findall(CODE.sub("", text))]
    return [link for link in found if link and not re.match(r"[a-z]+:", link)]


@pytest.mark.promise("every relative link of a page leads to a file of the clone")
def test_links_lead_to_files_that_a_clone_has() -> None:
    files = set(tracked())
    known = files | {str(parent) for file in files for parent in Path(file).parents}
    broken = []
    for page in PAGES:
        there = known | set(MADE if page == HOME else ())
        for link in links_of((ROOT / page).read_text(encoding="utf-8")):
            if normpath(f"{Path(page).parent}/{link}") not in there:
                broken.append(f"{page}: {link}")
    assert not broken


def test_links_are_found() -> None:
    text = "[a](b.md#c), `[d](e.md)`, [f](https://g), [h](#i)\n```\n[j](k.md)\n```\n![l](m.svg)"
    assert links_of(text) == ["b.md", "m.svg"]
    assert len(PAGES) > 50
