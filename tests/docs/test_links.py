"""Every relative link of a page, and every path and module in its code, is one of the clone."""

import re
import subprocess
from pathlib import Path
from posixpath import normpath

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)")
CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
PATH = re.compile(
    r"(?<![\w./<>$*{}-])((?:configs|docs|golden|hwgen|scripts|studies|tests|verif)/[\w./-]*\w)(?![\w*<>{}$/-])"
)
MODULE = re.compile(
    r"(?:\bpython3? -m|\bfrom|\bimport) ((?:golden|hwgen\w*|studies|tests|verif)(?:\.\w+)+)"
)
ROOTS = {"hwgen_studies": "studies/hwgen_studies"}
"""Of packages that do not lie in the root."""
PLACEHOLDER = re.compile(r"\b[A-Z]{3,}\b|_NAME\b")
"""In a path: what a person puts there; `README.md` and the like begin a name."""
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


def paths_of(text: str) -> list[str]:
    """Return the paths of the clone in the code of a page, those to fill in left out."""
    found = [path for code in CODE.findall(text) for path in PATH.findall(code)]
    return [path for path in found if not PLACEHOLDER.search(path.rpartition(".")[0] or path)]


def modules_of(text: str) -> list[str]:
    """Return what the code of a page runs or imports from packages of the clone, as paths."""
    found = [name for code in CODE.findall(text) for name in MODULE.findall(code)]
    tops = [name.partition(".") for name in found]
    return [f"{ROOTS.get(top, top)}/{rest.replace('.', '/')}" for top, _, rest in tops]


@pytest.mark.promise("every path and module in the code of a page is one of the clone")
def test_paths_and_modules_of_code_are_those_of_the_clone() -> None:
    files = set(tracked())
    known = files | {str(parent) for file in files for parent in Path(file).parents}
    broken = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8")
        broken += [f"{page}: {path}" for path in paths_of(text) if path not in known]
        broken += [
            f"{page}: {path}" for path in modules_of(text) if not {path, f"{path}.py"} & known
        ]
    assert not broken


def test_paths_and_modules_are_found() -> None:
    text = "`docs/a.md`, docs/b.md, `docs/NAME.md`, `configs/*.yaml`, `tests/x.py`: `f`\n"
    text += (
        "```\nscripts/setup && python -m hwgen_studies.c.d docs/e.md\nfrom hwgen.f import g\n```"
    )
    assert paths_of(text) == ["docs/a.md", "tests/x.py", "scripts/setup", "docs/e.md"]
    assert modules_of(text) == ["studies/hwgen_studies/c/d", "hwgen/f"]


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
