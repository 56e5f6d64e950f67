"""The shipped transformers beside onnxruntime, in every map; a part of docs/results/runtimes.md.

`scripts/results transformers --data FOLDER` runs this with the images of FOLDER/cifar10; it needs
`pip install '.[transformer]'` and Verilator.
"""

import argparse
import contextlib
import io
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from golden.network import predict
from hwgen.cli import main
from hwgen.data import load_dataset
from hwgen.errors import FormatError
from hwgen.network import QuantizedNetwork
from hwgen.network.csd import phi
from hwgen.network.file import load_network
from studies.tests.corpus.equality import flags
from studies.tests.corpus.transformer_chips import ChipRow, chip_row, chip_table
from tests.corpus.drawn import NOISE, calibrated, with_noise, zero_blocks
from tests.corpus.transformers import TRANSFORMERS
from tests.zoo.exports import EXPORTERS

ROOT = Path(__file__).parents[3]
NETWORKS, PAGE = ROOT / "configs/networks", ROOT / "docs/results/transformers.md"
IMAGES, AT_ONCE = 1000, 100
TEXT = """# Transformers, beside their runtime

onnxruntime {version}, all graph optimizations, on a processor with
{flags}. Each shipped transformer is trained by its recipe in
`configs/train` (half of the blocks of weights pruned, at most two signed digits a weight),
quantized by onnxruntime and imported. `hwgen compare NETWORK --against NETWORK.onnx --maps` on
{images} images: test images, and where those are fewer, again with noise of up to {noise} steps.
Accuracy: of golden, on all test images.

"""
USUAL = """## As torch exports them

Transformers with drawn weights (`tests/corpus/transformers.py`: one or two blocks as timm,
torchvision, BERT, CCT, MLP-Mixer, MobileViT and DeiT write them), by both exporters of torch,
quantized by `hwgen import --calibrate`, compared on {images} drawn images."""
USUAL_COLUMNS = ("network", "exporter", "layers", "maps", "elements compared", "different")
FEW_IMAGES = 64
COLUMNS = (
    "network", "weights", "pruned blocks", "digits", "accuracy (test images)", "maps",
    "elements compared", "different", "answers different",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A network: what was compared, and what it gets right (0 to 1)."""

    network: str
    digest: str
    weights: int
    pruned: float
    digits: int
    accuracy: float
    test_images: int
    maps: int
    elements: int
    different: int
    answers_different: int


def row_of(name: str, data: Path | None) -> Row:
    """Compare a network, and count what it gets right."""
    network = load_network(NETWORKS / f"{name}.npz")
    dataset = load_dataset(network.graph.dataset, data)
    weights = [each.weights for each in network.parameters.values()]
    found = [
        predict(network, dataset.test_images[first : first + AT_ONCE])
        for first in range(0, len(dataset.test_images), AT_ONCE)
    ]
    files = (NETWORKS / f"{name}.npz", NETWORKS / f"{name}.onnx")
    report = compared_files(*files, with_noise(dataset.test_images, IMAGES))
    layers = [each["end_to_end"] for each in report["layers"]]
    return Row(
        network=name,
        digest=network.digest,
        weights=sum(each.size for each in weights),
        pruned=float(np.mean(np.concatenate([zero_blocks(each) for each in weights]))),
        digits=max(phi(int(value)) for each in weights for value in np.unique(each)),
        accuracy=float(np.mean(np.concatenate(found) == dataset.test_labels)),
        test_images=len(dataset.test_labels),
        maps=len(layers),
        elements=sum(each["elements"] for each in layers),
        different=sum(each["one_step"] + each["larger"] for each in layers),
        answers_different=report["output"]["one_step"] + report["output"]["larger"],
    )


def compared_files(network: Path, file: Path, images: np.ndarray) -> Any:
    """Return the report of a comparison of every map."""
    with tempfile.TemporaryDirectory() as folder:
        data, report = Path(folder) / "images.npz", Path(folder) / "report.json"
        np.savez(data, images=images)
        given = ["compare", str(network), "--against", str(file), "--maps"]
        with contextlib.redirect_stdout(io.StringIO()):
            main([*given, "--data", str(data), "--json", str(report)])
        return json.loads(report.read_text())


@dataclass(frozen=True)
class Usual:
    """A transformer as torch exports it: what was compared, or the sentence of its refusal."""

    network: str
    exporter: str
    sentence: str = ""
    layers: int = 0
    maps: int = 0
    elements: int = 0
    different: int = 0


def usual_of(name: str, exporter: str, folder: Path) -> Usual:
    """Export a transformer with drawn weights, quantize, import and compare it."""
    try:
        made = calibrated(*TRANSFORMERS[name], exporter, folder)
    except FormatError as refused:
        return Usual(name, exporter, sentence=str(refused).replace(f"{folder}/", ""))
    error, network = io.StringIO(), folder / "network.npz"
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        code = main(["import", str(made), "--out", str(network)])
    if code:
        lines = error.getvalue().strip().splitlines()
        sentence = " ".join(lines).replace(str(made), made.name).removeprefix("hwgen: ")
        return Usual(name, exporter, sentence=sentence)
    image = load_network(network).graph.input
    drawn_ones = np.random.default_rng(1).integers(0, 256, (FEW_IMAGES, *image.shape))
    report = compared_files(network, made, drawn_ones.astype(np.uint8))
    layers = [each["end_to_end"] for each in report["layers"]]
    return Usual(
        name,
        exporter,
        layers=len(load_network(network).layers),
        maps=len(layers),
        elements=sum(each["elements"] for each in layers),
        different=sum(each["one_step"] + each["larger"] for each in layers),
    )


def usual_rows() -> list[Usual]:
    """Return a row for each transformer and exporter."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name in TRANSFORMERS:
            for exporter in EXPORTERS:
                rows.append(usual_of(name, exporter, Path(folder)))
                print(rows[-1], flush=True)
    return rows


def usual_table(rows: Sequence[Usual]) -> list[str]:
    """Return the lines of the table of usual transformers."""
    lines = [f"| {' | '.join(USUAL_COLUMNS)} |", "|" + " --- |" * len(USUAL_COLUMNS)]
    for row in rows:
        start = f"| {row.network} | {row.exporter} |"
        if row.sentence:
            lines.append(f"{start} refused: {row.sentence} | | | |")
            continue
        found = f"{row.layers} | {row.maps} | {row.elements:,} | {row.different:,} |"
        lines.append(f"{start} {found}")
    return lines


def page(content: Mapping[str, Any]) -> str:
    """Return the page of what the JSON holds."""
    rows = [Row(**each) for each in content["rows"]]
    chips = [ChipRow(**each) for each in content["chips"]]
    usual = [Usual(**each) for each in content["usual"]]
    about = {"version": content["onnxruntime"], "flags": content["flags"]}
    lines = [f"| {' | '.join(COLUMNS)} |", "|" + " --- |" * len(COLUMNS)]
    lines += [
        f"| `{row.network}` | {row.weights:,} | {row.pruned:.1%} | {row.digits} |"
        f" {row.accuracy:.2%} ({row.test_images:,}) | {row.maps} | {row.elements:,} |"
        f" {row.different:,} | {row.answers_different:,} |"
        for row in rows
    ]
    lines += ["", *chip_table(chips)]
    lines += ["", *USUAL.format(images=FEW_IMAGES).splitlines(), "", *usual_table(usual)]
    about |= {"images": f"{content['images']:,}"}
    return TEXT.format(**about, noise=NOISE) + "\n".join([*lines, ""])


def networks() -> list[QuantizedNetwork]:
    """Return the networks that ship with the file that a runtime runs."""
    return [load_network(path.with_suffix(".npz")) for path in sorted(NETWORKS.glob("*.onnx"))]


def write_page() -> None:
    """Compare all, and write page and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cifar10", type=Path, help="folder of its images")
    given = parser.parse_args()
    rows, chips = [], []
    for network in networks():
        data = given.cifar10 if network.graph.dataset == "cifar10" else None
        chips.append(chip_row(network.graph.name))
        print(chips[-1], flush=True)
        rows.append(row_of(network.graph.name, data))
        print(rows[-1], flush=True)
    usual = usual_rows()
    plain = {
        "format": "hwgen.results.transformers",
        "version": 2,
        "onnxruntime": onnxruntime.__version__,
        "flags": flags(),
        "images": IMAGES,
        "rows": [asdict(row) for row in rows],
        "chips": [asdict(row) for row in chips],
        "usual": [asdict(row) for row in usual],
    }
    PAGE.with_suffix(".json").write_text(json.dumps(plain, indent=1) + "\n")
    PAGE.write_text(page(plain))


if __name__ == "__main__":
    write_page()
