"""Networks quantized by onnxruntime in all its ways, beside its own answers, element by element.

`scripts/results onnxruntime` runs this; it needs `pip install '.[corpus]'`.
"""

import contextlib
import io
import itertools
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from onnxruntime.quantization import QuantFormat, QuantType
from torch import nn

from hwgen.cli import main
from studies.tests.corpus.run import comparisons
from tests.corpus import torch_networks
from tests.corpus.exports import FEW, quantize
from tests.corpus.torch_networks import Conv, drawn, head
from tests.zoo.exports import export

PAGE = Path(__file__).parents[3] / "docs" / "results" / "onnxruntime.md"
CPU_FACTS = Path("/proc/cpuinfo")
FLAGS = ("avx2", "avx_vnni", "avx512f", "avx512bw", "avx512_vnni", "amx_int8")
"""What onnxruntime chooses its integer kernels by."""
IMAGES = 100
MAPS = {"uint8": QuantType.QUInt8, "int8": QuantType.QInt8}
TEXT = """# Bit for bit what onnxruntime answers

onnxruntime {version} on a processor with {flags}. Four networks
of torch with drawn weights, quantized by `quantize_static` in eight ways each, compared on {images}
drawn images. `scripts/results onnxruntime` makes the files and this page.

Answer: elements that differ from those of the optimized runtime, end to end, and the largest step.
Layers: operators of which elements differ, each fed the maps that the runtime shows without
optimization; there a QDQ file computes in float32 between its pairs. What then differs in a
QOperator file is a BatchNormalization in front of its convolution, computed in float32. An Add has
the factors with which the most of all 65,536 pairs of elements are the runtime's.

{equal} of {files} files answer alike in every element.

| network | format | maps | weight scales | answer: different, largest step | layers that differ |
| --- | --- | --- | --- | --- | --- |"""
FORMS = (QuantFormat.QDQ, QuantFormat.QOperator)


def separable() -> nn.Module:
    """Return a DS-CNN: depthwise convolutions, each with one of 1 x 1 behind it."""
    blocks = [layer for _ in range(3) for layer in (Conv(16, 16, g=16), Conv(16, 16, 1))]
    return nn.Sequential(Conv(1, 16, 5, 2), *blocks, head(16))


def networks() -> Iterator[tuple[str, nn.Module, tuple[int, ...]]]:
    """Yield name, module and shape of an image, channels first."""
    for name in ("resnet", "mobilenet_v2", "densenet"):
        yield name, *torch_networks.network(name)
    yield "ds_cnn", drawn(separable, seed=0), (1, 24, 16)


@dataclass(frozen=True)
class Row:
    """A file: elements of its answer, those that differ, largest step; sentence: if refused.

    layers: of operators with a difference on the same inputs: name, elements that differ, all
    """

    file: tuple[str, str, str, str]
    sentence: str = ""
    elements: int = 0
    different: int = 0
    step: int = 0
    layers: tuple[tuple[str, int, int], ...] = ()


def rows(folder: Path) -> Iterator[Row]:
    """Make, import and compare each file."""
    for name, module, shape in networks():
        path = export(module, shape, folder / f"{name}.onnx", "script")
        images = np.random.default_rng(0).random((FEW, *shape), np.float32)
        for form, maps, per_channel in itertools.product(FORMS, MAPS, (False, True)):
            scales = "a filter" if per_channel else "one"
            made = quantize(
                path, images, folder / "quantized.onnx",
                form=form, maps=MAPS[maps], per_channel=per_channel,
            )  # fmt: skip
            yield row_of((name, form.name, maps, scales), made, folder)


def row_of(file: tuple[str, str, str, str], path: Path, folder: Path) -> Row:
    """Import a file and compare it."""
    network, error = folder / "network.npz", io.StringIO()
    with contextlib.redirect_stderr(error), contextlib.redirect_stdout(io.StringIO()):
        code = main(["import", str(path), "--out", str(network)])
    if code:
        lines = error.getvalue().strip().splitlines()
        return Row(file, sentence=" ".join(lines).replace(str(path), path.name))
    default, reference = comparisons(network, path, folder, count=IMAGES)
    answer = default["output"]
    return Row(
        file,
        elements=answer["elements"],
        different=answer["one_step"] + answer["larger"],
        step=answer["largest"],
        layers=tuple(differing(reference["layers"])),
    )


def differing(layers: list[Any]) -> Iterator[tuple[str, int, int]]:
    """Yield each operator that is not equal, its elements that differ, and all in such layers."""
    found: dict[str, tuple[int, int]] = {}
    for layer in layers:
        same = layer["same_inputs"]
        different = same["one_step"] + same["larger"]
        if different:
            operator = layer["name"].removesuffix("_quant").rpartition("_")[2]
            before = found.get(operator, (0, 0))
            found[operator] = before[0] + different, before[1] + same["elements"]
    for operator, (some, whole) in found.items():
        yield operator, some, whole


def flags() -> str:
    """Return what this processor has of the flags that choose kernels."""
    lines = CPU_FACTS.read_text().splitlines()
    has = next(line for line in lines if line.startswith("flags")).split()
    return ", ".join(flag for flag in FLAGS if flag in has)


def page(found: list[Row]) -> str:
    """Return the page."""
    whole = [row for row in found if row.elements]
    equal = sum(not row.different for row in whole)
    about = {"version": onnxruntime.__version__, "flags": flags(), "images": IMAGES}
    lines = [TEXT.format(**about, equal=equal, files=len(found))]
    for row in found:
        start = f"| {' | '.join(row.file)} |"
        if row.sentence:
            lines.append(f"{start} refused: {row.sentence} | |")
            continue
        layers = ", ".join(f"{name} {some:,} of {whole:,}" for name, some, whole in row.layers)
        answer = f"{row.different:,} of {row.elements:,}, {row.step}"
        lines.append(f"{start} {answer} | {layers or 'none'} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        found = []
        for row in rows(Path(scratch)):
            print(row, flush=True)
            found.append(row)
    PAGE.write_text(page(found))
