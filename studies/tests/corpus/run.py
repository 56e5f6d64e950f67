"""Make every export, import it, compare it with its runtime, and write a part of a page.

`python -m studies.tests.corpus.run [--only PART] [--keep FOLDER] [--store FOLDER]`, which
`scripts/results import-corpus` runs too; it needs `pip install '.[corpus]'`. With `--popular` the
exports are those of 65 popular networks, and the part is `popular-networks`; it needs torch,
torchao and onnxscript alone.

Tests: `studies/tests/corpus/test_run.py`.
"""

import argparse
import contextlib
import io
import json
import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.cli import main
from hwgen.errors import HwgenError
from hwgen.files.digests import digest_of_code
from hwgen.jobs.store import MISSING, Store
from hwgen.network.file import load_network
from tests.corpus.exports import (
    FX,
    HWGEN,
    ONNXRUNTIME,
    PT2E,
    TOOLS,
    Export,
    NotExportedError,
    exports,
    popular_exports,
)

RESULTS = Path(__file__).parents[3] / "docs/results"
PAGE, POPULAR_PAGE = RESULTS / "import-corpus.md", RESULTS / "popular-networks.md"
IMAGES = 8
CHIPS = ("dbpim/paper_float32", "dbpim/paper_rows", "mram/paper_float32")
"""Those that ship with the rounding of the runtimes; the second has a row unit."""
BAD_INPUT = 2
DIFFERENT = 1
DRAWN = "drawn_"
"""Begins the name of a network of drawn layers."""
FEW = 80
"""Letters that are told of what a tool says where it writes no file."""
"""Exit code of a comparison in which some element differs."""


@dataclass(frozen=True)
class Row:
    """What became of an export.

    equal: elements of the answer that equal the runtime's, and all of them; step: largest
        difference there; layer_equal, layer_step: of the layer with most differences on the
        inputs of the runtime; None where the runtime shows neither
    chips: those of `CHIPS` for which `hwgen info` tells how they run it
    announced: the import says that something is not exact, or may differ
    unforeseen: the file in its runtime answers otherwise where no line of the import names it
    cured: refused by a sentence that names --calibrate, and accepted with it
    exported: the tool wrote the file; where it did not, `sentence` is what it said
    """

    tool: str
    network: str
    source: str
    way: str
    accepted: bool
    sentence: str = ""
    layers: int = 0
    elements: int = 0
    different: int = 0
    step: int = 0
    layer_equal: float = 1.0
    layer_step: int = 0
    chips: Sequence[str] = ()
    announced: bool = False
    unforeseen: bool = False
    cured: bool = False
    exported: bool = True

    @property
    def exact(self) -> bool:
        """Whether every element of the answer is the runtime's."""
        return self.elements > 0 and not self.different


def row_of(
    export: Export, path: Path, folder: Path, chips: Sequence[str] = CHIPS, count: int = IMAGES
) -> Row:
    """Import a file and compare it; chips: that may run it; count: of images."""
    about = (export.tool, export.network, export.source, export.way)
    out, report, error = folder / "network.npz", folder / "import.json", io.StringIO()
    out.unlink(missing_ok=True)
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        code = main(["import", str(path), "--out", str(out), "--json", str(report)])
    if code not in (0, DIFFERENT):
        sentence = sentence_of(error.getvalue(), path)
        if code != BAD_INPUT:
            raise RuntimeError(f"{path}: {sentence}")
        cured = is_cured(export, error.getvalue(), path.parent, out)
        return Row(*about, accepted=False, sentence=sentence, cured=cured)
    network, content = load_network(out), json.loads(report.read_text())["content"]
    default, reference = comparisons(out, path, folder, count=count)
    answer, layers = default["output"], reference["layers"] if reference else []
    worst = min((layer["same_inputs"]["equal"] for layer in layers), default=1.0)
    step = max((layer["same_inputs"]["largest"] for layer in layers), default=0)
    return Row(
        *about,
        accepted=True,
        layers=len(network.layers),
        elements=answer["elements"] if answer else 0,
        different=answer["one_step"] + answer["larger"] if answer else 0,
        step=answer["largest"] if answer else 0,
        layer_equal=worst,
        layer_step=step,
        chips=[chip for chip in chips if runs_on(out, chip)],
        announced=any(content[each] for each in ("notes", "differences", "unknown")),
        unforeseen=code == DIFFERENT,
    )


def is_cured(export: Export, error: str, folder: Path, out: Path) -> bool:
    """Return whether the cure that a refusal names works: --calibrate, of the file it names."""
    if export.cure is None or "--calibrate" not in error:
        return False
    try:
        path = export.cure(folder, "the float file" in error)
    except HwgenError:
        return False
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        return not main(["import", str(path), "--out", str(out), "--no-check"])


def sentence_of(error: str, path: Path) -> str:
    """Return what stands in the way of a file: of several things the first, and their count."""
    first, *others = error.strip().splitlines()
    first = first.replace(str(path), path.name).removeprefix("hwgen: ")
    return f"{first} {others[0]}" if others else first


def runs_on(network: Path, chip: str) -> bool:
    """Return whether a chip runs a network: whether `hwgen info` compiles it."""
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        code = main(["info", str(network), chip])
    if code not in (0, BAD_INPUT):
        raise RuntimeError(error.getvalue())
    return not code


def comparisons(network: Path, path: Path, folder: Path, *, count: int) -> tuple[Any, Any]:
    """Return how a network compares with its file on drawn images: default, reference kernels.

    None for the latter of a file that can be read as the runtime rewrites it alone.
    """
    image, data = load_network(network).graph.input, folder / "images.npz"
    chance = np.random.default_rng(1)
    images = chance.integers(0, 1 << image.bits, (count, *image.shape)).astype(image.dtype)
    np.savez(data, images=images)
    given = ["compare", str(network), "--against", str(path), "--data", str(data)]
    report = folder / "report.json"
    default = compared([*given, "--kernels", "default"], report)
    return default, compared([*given, "--kernels", "reference"], report)


def compared(arguments: list[str], report: Path) -> Any:
    """Return the report of a comparison; None where the file has no reference kernels."""
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        code = main([*arguments, "--json", str(report)])
    if code == BAD_INPUT and "--kernels must be default" in error.getvalue():
        return None
    if code not in (0, DIFFERENT):
        raise RuntimeError(error.getvalue())
    return json.loads(report.read_text())


INTRODUCTION = """# Files in today's styles, imported

For who has a quantized file and asks whether a tool's files are read; five minutes.
{files} exports, {accepted} accepted. Small networks, and those of torchvision for images of
64 x 64, with drawn weights, exported and quantized in the usual ways by the tools of the first
table; `drawn` are networks of layers that a seed chooses. Imported by `hwgen import` and compared
with the runtime of their format on {images} drawn images. `scripts/results import-corpus` makes the
files and this page; `pip install '.[corpus]'` brings what makes them.

Exact: every element of the answer is that of the runtime's default kernels. Runs on: chips that
ship for which `hwgen info` tells how they run it. Not foreseen: `hwgen import` ends with 1, as the
file in its runtime answers otherwise where no line names it. {layers}
"""
LAYERS = """\
Layers that are fed the maps of the runtime's reference
kernels equal them in {least:.2f} % of elements or more, and differ by at most {step}; the network
rounds as the default kernels do."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Return the lines of a table."""
    lines = [columns, ["---"] * len(columns), *rows]
    # Words of a tool may look like the end of a cell, or like a link.
    cells = [
        [str(cell).replace("|", "\\|").replace("](", "] (") for cell in line] for line in lines
    ]
    return [f"| {' | '.join(line)} |" for line in cells]


POPULAR_INTRODUCTION = """# Popular networks, imported

For who asks whether a network like theirs is read, and by which road: 65 networks as their authors
publish them, made small, with drawn weights (`tests/corpus/popular`), exported by torch and
quantized in four ways; five minutes. Imported by `hwgen import` and compared with onnxruntime on
{images} drawn images. `python -m studies.tests.corpus.run --popular` makes the files and this page.

Files: what the tool writes; the shares are of them. Exact: every element of the answer is that of
the runtime's default kernels. Runs on: `hwgen info` tells how {chip} runs it. Refused, cured: the
sentence names `--calibrate`, and with that the file that it names is accepted. Silent: an answer
differs, and the import says of nothing that it may. {layers}
"""
BY_NETWORK = """
## Every network

A cell is `exact`, or how many elements of the answer differ and by how many steps at most; a number
in brackets is the cause below for which the file is refused, or not written by the tool. `no chip`:
{chip} does not run it.
"""
POPULAR_CHIP = "dbpim/paper_rows"
POPULAR_TOOLS = (HWGEN, ONNXRUNTIME, FX, PT2E)


def popular_page(rows: Iterable[Row]) -> str:
    """Return the page of the popular networks."""
    rows = list(rows)
    lines = []
    for tool in POPULAR_TOOLS:
        networks = [row for row in rows if row.tool == tool]
        of_tool = [row for row in networks if row.exported]
        counts = [
            sum(map(kind, of_tool))
            for kind in (
                lambda row: row.accepted,
                lambda row: row.exact,
                lambda row: POPULAR_CHIP in row.chips,
            )
        ]
        shares = [f"{each} ({100 * each / max(len(of_tool), 1):.0f} %)" for each in counts]
        refused = [row for row in of_tool if not row.accepted]
        cured = sum(row.cured for row in refused)
        silent = sum(row.different > 0 and not row.announced for row in of_tool)
        files = (len(networks), len(of_tool))
        lines.append((tool, *files, *shares, cured, len(refused) - cured, silent))
    columns = ("quantized by", "networks", "files", "accepted", "exact", "runs on",
               "refused, cured", "refused, others", "silent")  # fmt: skip
    about = {"images": IMAGES, "chip": POPULAR_CHIP, "layers": worst_layers(rows)}
    parts = (*table(columns, lines), BY_NETWORK.format(chip=POPULAR_CHIP), *by_network(rows), "")
    return "\n".join([POPULAR_INTRODUCTION.format(**about), *parts])


def page(rows: Iterable[Row]) -> str:
    """Return the page of the corpus."""
    rows = list(rows)
    accepted = sum(row.accepted for row in rows)
    about = {"images": IMAGES, "files": len(rows), "accepted": accepted}
    start = INTRODUCTION.format(**about, layers=worst_layers(rows))
    parts = (*by_tool(rows), *refusals(rows), *by_way(rows), *exceptions(rows), "")
    return "\n".join([start, *parts])


def worst_layers(rows: Sequence[Row]) -> str:
    """Return a sentence on the layers of all files that are accepted."""
    least = min((row.layer_equal for row in rows if row.accepted), default=1.0)
    step = max((row.layer_step for row in rows if row.accepted), default=0)
    return LAYERS.format(least=100 * least, step=step)


def by_tool(rows: Sequence[Row]) -> list[str]:
    """Return what became of the files of each tool."""
    lines = []
    for tool in TOOLS:
        of_tool = [row for row in rows if row.tool == tool]
        accepted = [row for row in of_tool if row.accepted]
        share = f"{len(accepted)} ({100 * len(accepted) / max(len(of_tool), 1):.0f} %)"
        exact = sum(row.exact for row in accepted)
        chips = [sum(chip in row.chips for row in accepted) for chip in CHIPS]
        some = sum(bool(row.chips) for row in accepted)
        unforeseen = sum(row.unforeseen for row in accepted)
        lines.append((tool, len(of_tool), share, exact, unforeseen, *chips, some))
    names = [f"runs on {chip}" for chip in CHIPS]
    return table(
        ("tool", "files", "accepted", "exact", "not foreseen", *names, "on one of them"), lines
    )


def refusals(rows: Sequence[Row]) -> list[str]:
    """Return what is refused, each cause with its count."""
    refused = [row for row in rows if not row.accepted and row.exported]
    text = ["", "## Refused", "", "The first cause of each file, without names and numbers.", ""]
    found = Counter((row.tool, cause_of(row.sentence)) for row in refused).most_common()
    lines = [(f"[{place}]", *key, count) for place, (key, count) in enumerate(found, 1)]
    return [*text, *table(("", "tool", "cause", "files"), lines)]


def by_network(rows: Sequence[Row]) -> list[str]:
    """Return a row for each network with what each tool's file becomes, then the causes."""
    failed = [row for row in rows if not row.accepted]
    families: dict[str, Counter[str]] = {}
    for row in failed:
        family, given = family_of(row)
        families.setdefault(family, Counter())[given] += 1
    places = {family: place for place, family in enumerate(families, 1)}
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        told = answer_of(row)
        if not row.accepted:
            told = f"[{places[family_of(row)[0]]}]{', cured' if row.cured else ''}"
        elif POPULAR_CHIP not in row.chips:
            told += ", no chip"
        lines.setdefault(row.network, {})[row.tool] = told
    cells = [(name, *(of.get(tool, "") for tool in POPULAR_TOOLS)) for name, of in lines.items()]
    told = [
        f"{places[family]}. {family}{got_of(given)}".replace("](", "] (")
        for family, given in families.items()
    ]
    return [*table(("network", *POPULAR_TOOLS), cells), "", *told]


def family_of(row: Row) -> tuple[str, str]:
    """Return the cause of a row without what was given and where, and these."""
    if not row.exported:
        kind, _, rest = row.sentence.partition(": ")
        return f"not written, {kind}", f"{rest[:FEW].rstrip()} ..." if len(rest) > FEW else rest
    cause, _, got = cause_of(row.sentence).partition(", got ")
    where, split, what = cause.partition(": ")
    return (
        (what, f"{where}, {got}" if got else where) if split and " " not in where else (cause, got)
    )


def got_of(given: Counter[str]) -> str:
    """Return what was given, each with its count if it is not alone."""
    told = (f"{what} ({count})" if count > 1 else what for what, count in given.items() if what)
    return f": {'; '.join(told)}" if any(given) else ""


def answer_of(row: Row) -> str:
    """Return how an answer compares with the runtime's."""
    if not row.elements:
        return "accepted"
    return "exact" if row.exact else f"{row.different} of {row.elements}, {row.step}"


def cause_of(sentence: str) -> str:
    """Return what a sentence says of any file."""
    first = re.sub(r"^\d+ nodes cannot be imported \([^)]*\): ", "", sentence)
    first = re.sub(r" \([^()]*\.(onnx|tflite)\)$| \(and \d+ more of this cause\)$", "", first)
    first = re.sub(r"\bnode \S+ \((\w+)\)", r"\1", first)
    first = re.sub(r"(what) \S+ (reads)|(what follows) \S+", r"\1\3 it \2", first)
    first = re.sub(r" as node \d+ of \d+", "", first)
    return re.sub(r"\s+", " ", first)


def by_way(rows: Sequence[Row]) -> list[str]:
    """Return the files by how they were made: how many, and the names of their networks."""
    ways: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        ways.setdefault((row.source, row.way), []).append(row)
    groups: dict[tuple[str, str], list[str]] = {}
    for (source, way), of in ways.items():
        names = [row.network for row in of if not row.network.startswith(DRAWN)]
        drawn = len(of) - len(names)
        told = ", ".join([*names, *([f"{drawn} drawn"] if drawn else [])])
        exact = sum(row.exact for row in of)
        groups.setdefault((source, told), []).append(f"{way}: {exact} of {len(of)}")
    lines = ((source, "; ".join(of), told) for (source, told), of in groups.items())
    columns = ("from", "quantized by: exact of all files", "networks")
    return ["", "## By way of making", "", *table(columns, lines)]


def exceptions(rows: Sequence[Row]) -> list[str]:
    """Return by network each file that is refused, whose answer differs, or that no chip runs."""
    refused = Counter((row.tool, cause_of(row.sentence)) for row in rows if not row.accepted)
    places = {key: place for place, (key, _) in enumerate(refused.most_common(), 1)}
    found: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if not row.accepted:
            told = f"[{places[row.tool, cause_of(row.sentence)]}]"
        elif row.exact and row.chips:
            continue
        else:
            told = answer_of(row) if row.chips else f"{answer_of(row)}, no chip"
        found.setdefault((row.network, row.source), []).append(f"{row.way}: {told}")
    text = (
        "Of an answer that differs: elements that do, and the largest difference in steps; in"
        " brackets the cause of a refusal. All other files are exact and run on a chip."
    )
    lines = ((*key, "; ".join(told)) for key, told in found.items())
    columns = ("network", "from", "quantized by: what")
    return ["", "## Exceptions", "", text, "", *table(columns, lines)]


def row_in(
    store: Store | None,
    export: Export,
    folder: Path,
    scratch: Path,
    chips: Sequence[str] = CHIPS,
) -> Row:
    """Return what became of an export, from the store where it is there."""
    task = {"export": export.name} | ({} if chips == CHIPS else {"chips": list(chips)})
    kept = MISSING if store is None else store.read(FUNCTION, task)
    if kept is not MISSING:
        return Row(**kept)
    try:
        row = row_of(export, export.make(folder), scratch, chips)
    except NotExportedError as error:
        about = (export.tool, export.network, export.source, export.way)
        row = Row(*about, accepted=False, sentence=str(error), exported=False)
    if store is not None:
        store.write(FUNCTION, task, asdict(row))
    return row


FUNCTION = "import_corpus"
CODE = ("hwgen", "golden", "tests.corpus", "tests.zoo", "studies.tests.corpus.run")
"""Packages that decide what becomes of an export."""


def corpus() -> None:
    """Run the whole corpus, or a part of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="exports with this in their name; no page")
    parser.add_argument("--popular", action="store_true", help="65 popular networks, their page")
    parser.add_argument("--keep", type=Path, help="folder that keeps the files")
    parser.add_argument("--store", type=Path, help="folder of results, with which a run goes on")
    given = parser.parse_args()
    store = Store(given.store, code=digest_of_code(*CODE)) if given.store else None
    chips, rows = (POPULAR_CHIP,) if given.popular else CHIPS, []
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for export in popular_exports() if given.popular else exports():
            if given.only not in export.name:
                continue
            begun = time.process_time()
            row = row_in(store, export, folder, Path(scratch), chips)
            rows.append(row)
            seconds = time.process_time() - begun
            print(f"{export.name}: {json.dumps(asdict(row))} {seconds:.1f} s", flush=True)
    if not given.only:
        found = popular_page(rows) if given.popular else page(rows)
        (POPULAR_PAGE if given.popular else PAGE).write_text(found)
    print(f"{sum(row.accepted for row in rows)} of {len(rows)} accepted")


if __name__ == "__main__":
    corpus()
