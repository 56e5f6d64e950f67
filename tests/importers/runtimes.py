"""Judge every file of the corpus by the runtimes that are installed; scripts/runtimes calls it.

Writes a row for each runtime and version into docs/import.md, in place of one of that name.
Exit code 1: a file differs where no line names it.
"""

import sys
import tempfile
from collections import Counter
from pathlib import Path

from hwgen.commands.described import describe_import
from hwgen.commands.judged import judged
from hwgen.errors import HwgenError
from hwgen.network.verdict import Verdict
from hwgen.report.import_tables import judged_line
from tests.importers.corpus import CORPUS

PAGE = Path("docs/import.md")
BEGIN = "| runtime | files | judged | equal | differ as a line names it | differ otherwise |"
HERE = Path(__file__).parent
FOLDERS = (
    HERE / "files",
    HERE / "onnx" / "cases",
    HERE / "tflite" / "cases",
    Path("configs/networks"),
)
SUFFIXES = {".onnx": "onnxruntime", ".tflite": "LiteRT"}


def verdicts(folder: Path) -> list[tuple[str, str, Verdict | None]]:
    """Return by runtime and file what it says; None: the file is refused."""
    made = [(each.name, each.make) for each in CORPUS if each.imported]
    kept = [
        (path.name, lambda _, path=path: path)
        for each in FOLDERS
        for path in sorted(each.iterdir())
        if path.suffix in SUFFIXES
    ]
    found = []
    for number, (name, make) in enumerate([*made, *kept]):
        place = folder / str(number)
        place.mkdir()
        path = make(place)
        try:
            verdict = describe_import(path, judge=judged).judged
        except HwgenError:
            verdict = None
        found.append((SUFFIXES[path.suffix], name, verdict))
    return found


def row_of(runtime: str, found: list[Verdict | None]) -> str:
    """Return the row of one runtime."""
    asked = [each for each in found if each is not None]
    seen = [each for each in asked if not each.unjudged]
    kinds = Counter(
        "equal" if each.equal else "foreseen" if each.foreseen else "other" for each in seen
    )
    (name,) = {each.runtime.partition(",")[0].partition(" (")[0] for each in seen}
    cells = (name, len(asked), len(seen), kinds["equal"], kinds["foreseen"], kinds["other"])
    return f"| {' | '.join(map(str, cells))} |"


def main() -> int:
    """Judge, and write the rows."""
    with tempfile.TemporaryDirectory() as folder:
        found = verdicts(Path(folder))
    rows = [
        row_of(runtime, [verdict for kind, _, verdict in found if kind == runtime])
        for runtime in SUFFIXES.values()
    ]
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = lines.index(BEGIN) + 2
    end = begin + lines[begin:].index("")
    names = {row.split(" | ")[0] for row in rows}
    kept = [row for row in lines[begin:end] if row.split(" | ")[0] not in names]
    lines[begin:end] = sorted([*kept, *rows])
    PAGE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    code = 0
    for _, name, verdict in found:
        if verdict is not None and (verdict.unforeseen or verdict.unjudged):
            code = 1
            print(name, judged_line(verdict), *verdict.unforeseen, sep="\n  ")
    print(*rows, sep="\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
