"""Finds each number of `published.yaml` at its place in the texts of the documents.

    python -m hwgen_studies.in_texts FOLDER

FOLDER has a text a document, whose name begins with its number (`001_....txt`). This shares no code
with the pages of the papers, so that what they print beside ours is held to the documents by
somebody else. Prints a line for each number that is not found, and counts; exit code 1 if a number
that has words around it is not there.

Tests: `studies/tests/test_in_texts.py`.
"""

import re
import sys
from pathlib import Path
from typing import Any

import yaml

FOUND, ABSENT, WRONG = "in the text", "not in our text", "not found"
"""At its place; bars, and numbers that the text has lost; words of which the text has none."""
SECTION = ("Section", "Abstract")


def words_of(text: str) -> str:
    """Return a text with one space between words."""
    return " ".join(text.split())


def part_of(text: str, places: dict[str, str], place: str) -> str:
    """Return the words of a place: up to the next section, of a table up to the next place."""
    begins = text.find(places[place])
    if begins < 0:
        return ""
    sections = place.startswith(SECTION)
    others = [
        text.find(heading)
        for name, heading in places.items()
        if not sections or name.startswith(SECTION)
    ]
    ends = min((each for each in others if each > begins), default=len(text))
    return text[begins:ends]


def verdict(number: dict[str, Any], text: str, places: dict[str, str]) -> str:
    """Return whether a number stands at its place, once; text: of its document, one space apart."""
    quoted = number.get("text")
    if quoted is None:
        return ABSENT
    marked = re.findall(r"\[([\d.]+)\]", quoted)
    around = words_of(re.sub(r"\[([\d.]+)\]", r"\1", quoted))
    part = part_of(text, places, number["place"])
    here = re.findall(rf"(?<![\d.]){re.escape(around)}(?![\d])", part)
    same = len(marked) == 1 and float(marked[0]) == number["value"]
    return FOUND if same and len(here) == 1 else WRONG


def verdicts(folder: Path, published: Path | None = None) -> dict[str, str]:
    """Return the verdict of each number by its id, of the documents whose texts are there.

    published: the file of the numbers [default: that beside this program]
    """
    file = published or Path(__file__).with_name("published.yaml")
    content = yaml.safe_load(file.read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for document, numbers in content["numbers"].items():
        for path in sorted(folder.glob(f"{document}*.txt"))[:1]:
            text = words_of(path.read_text(encoding="utf-8"))
            places = content["documents"][document]["places"]
            found |= {each["id"]: verdict(each, text, places) for each in numbers}
    return found


def main(arguments: list[str]) -> int:
    """Print what is not found, and how many are; return the exit code."""
    folder = Path(arguments[0]) if len(arguments) == 1 else None
    found = verdicts(folder) if folder is not None and folder.is_dir() else {}
    if not found:
        print("in_texts: give a folder with texts such as 001_NAME.txt", file=sys.stderr)
        return 2
    for name, told in found.items():
        if told != FOUND:
            print(f"{name}: {told}")
    counts = (f"{list(found.values()).count(each)} {each}" for each in (FOUND, ABSENT, WRONG))
    print(", ".join(counts))
    return int(WRONG in found.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
