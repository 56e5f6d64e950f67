"""Make every export, import it, compare it with its runtime, and write docs/import-corpus.md.

`python -m studies.tests.corpus.run [--only PART] [--keep FOLDER]`, which
`scripts/results import-corpus` runs too; it needs `pip install '.[corpus]'`.
"""

import argparse
import contextlib
import io
import json
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.cli import main
from hwgen.network.file import load_network
from tests.corpus.exports import Export, exports

PAGE = Path(__file__).parents[3] / "docs" / "import-corpus.md"
IMAGES = 8
DIFFERENT = 1
"""Exit code of a comparison in which some element differs."""


@dataclass(frozen=True)
class Row:
    """What became of an export.

    equal: elements of the answer that equal the runtime's, and all of them; step: largest
        difference there; layer_equal, layer_step: of the layer with most differences on the
        inputs of the runtime; None where the runtime shows neither
    """

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


def row_of(export: Export, path: Path, folder: Path) -> Row:
    """Import a file and compare it."""
    about = (export.network, export.source, export.way)
    out, error = folder / "network.npz", io.StringIO()
    out.unlink(missing_ok=True)
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        code = main(["import", str(path), "--out", str(out)])
    if code:
        lines = error.getvalue().strip().splitlines()
        sentence = " ".join(lines).replace(str(path), path.name).removeprefix("hwgen: ")
        if code != 2:
            raise RuntimeError(f"{path}: {sentence}")
        return Row(*about, accepted=False, sentence=sentence)
    network = load_network(out)
    default, reference = comparisons(out, path, folder, count=IMAGES)
    answer, layers = default["output"], reference["layers"]
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
    )


def comparisons(network: Path, path: Path, folder: Path, *, count: int) -> tuple[Any, Any]:
    """Return how a network compares with its file on drawn images: default, reference kernels."""
    image, data = load_network(network).graph.input, folder / "images.npz"
    chance = np.random.default_rng(1)
    images = chance.integers(0, 1 << image.bits, (count, *image.shape)).astype(image.dtype)
    np.savez(data, images=images)
    given = ["compare", str(network), "--against", str(path), "--data", str(data)]
    report = folder / "report.json"
    default = compared([*given, "--kernels", "default"], report)
    return default, compared([*given, "--kernels", "reference"], report)


def compared(arguments: list[str], report: Path) -> Any:
    """Return the report of a comparison."""
    error = io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        code = main([*arguments, "--json", str(report)])
    if code not in (0, DIFFERENT):
        raise RuntimeError(error.getvalue())
    return json.loads(report.read_text())


def page(rows: Iterable[Row]) -> str:
    """Return the page of the corpus."""
    rows = list(rows)
    accepted = sum(row.accepted for row in rows)
    lines = [
        "# Files in today's styles, imported",
        "",
        "Small networks, and those of torchvision for images of 64 x 64, with drawn weights,",
        "exported and quantized in the usual ways: by hwgen, onnxruntime, torch.ao, Brevitas and",
        "Keras. Imported by `hwgen import` and compared with the runtime of their format on",
        f"{IMAGES} drawn images. `scripts/results import-corpus` makes the files and this page;",
        "`pip install '.[corpus]'` brings what makes them.",
        "",
        "Answer: elements that differ from those of the runtime's default kernels, end to end, and",
        "the largest difference in steps. Layers: the layer with most differences from the",
        "runtime's reference kernels where each is fed their maps, and the largest step; the",
        "network rounds as the default kernels do. Of a refused file stands its sentence.",
        "",
        f"{len(rows)} exports, {accepted} accepted.",
        "",
        "| network | from | quantized by | layers | answer: different, largest step |"
        " layers: least equal, largest step |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in rows:
        start = f"| {row.network} | {row.source} | {row.way}"
        if not row.accepted:
            lines.append(f"{start} | refused | {row.sentence} | |")
            continue
        answer = f"{row.different} of {row.elements}, {row.step}" if row.elements else "-"
        layers = f"{100 * row.layer_equal:.2f} %, {row.layer_step}"
        lines.append(f"{start} | {row.layers} | {answer} | {layers} |")
    return "\n".join([*lines, ""])


def corpus() -> None:
    """Run the whole corpus, or a part of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="exports with this in their name; no page")
    parser.add_argument("--keep", type=Path, help="folder that keeps the files")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for export in exports():
            if given.only not in export.name:
                continue
            begun = time.process_time()
            row = row_of(export, export.make(folder), Path(scratch))
            rows.append(row)
            seconds = time.process_time() - begun
            print(f"{export.name}: {json.dumps(asdict(row))} {seconds:.1f} s", flush=True)
    if not given.only:
        PAGE.write_text(page(rows))
    print(f"{sum(row.accepted for row in rows)} of {len(rows)} accepted")


if __name__ == "__main__":
    corpus()
