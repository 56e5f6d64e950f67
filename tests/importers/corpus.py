"""Every file that the tests make for the importers by hand, with what becomes of it."""

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from tests.importers.onnx import test_quantized as operators
from tests.importers.onnx import test_quantized_refusals as refusals
from tests.importers.tflite import test_operators as tflite_operators
from tests.importers.tflite import test_refusals as tflite_refusals
from tests.importers.tflite.test_damaged import CONTENT
from tests.quantized_onnx import Model, saved
from tests.tflite_files import Writer

Group = Literal["operators", "styles", "refused nodes", "damaged"]


@dataclass(frozen=True)
class File:
    """A file of the corpus; make: writes it into a folder; imported: else it is refused."""

    format: Literal["ONNX", "TFLite"]
    group: Group
    name: str
    make: Callable[[Path], Path]
    imported: bool


class Shell:
    """An object whose pickle would run a command."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return exec, ("raise SystemExit(42)",)


def onnx_model(write: Callable[[Model, str], str]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        model = Model()
        return saved(model.build(write(model, model.image())), folder)

    return make


def onnx_style(kind: type, axis: int | None, zero: int) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        model = Model(("n", 3, 6, 6), kind=kind, opset=13)
        image = model.image(scale=0.02, zero=-7 if kind is np.int8 else 120)
        weights = model.weights(4, 3, 3, 3, axis=axis, zero=zero)
        return saved(
            model.build(model.quantized(model.node("Conv", image, weights), 0.05, 11)), folder
        )

    return make


def onnx_damage(damage: refusals.Change) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        model = refusals.good()
        damage(model)
        return saved(model, folder)

    return make


def of_bytes(content: Callable[[], bytes], suffix: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / f"file.{suffix}"
        path.write_bytes(content())
        return path

    return make


def tflite(build: Callable[[], Writer]) -> Callable[[Path], Path]:
    return lambda folder: build().save(folder / "net.tflite")


def function(name: str) -> Callable[[], Writer]:
    def build() -> Writer:
        options, scale, zero_point = tflite_operators.FUNCTIONS[name]
        writer, x = tflite_operators.image(8, 8, 4)
        y = writer.map(8, 8, 4, scale=scale, zero_point=zero_point)
        writer.operator(name, (x,), y, options)
        return writer

    return build


def onnx_files() -> Iterator[File]:
    for name, (write, _) in operators.CASES.items():
        # Of the image alone: a session joins both pairs, and no layer is left.
        yield File("ONNX", "operators", name, onnx_model(write), name != "another scale")
    for kind in (np.uint8, np.int8):
        for axis in (0, None):
            for zero in (0, 5):
                scales = "a scale" if axis is None else "a scale a filter"
                name = f"{kind.__name__} maps, {scales}, zero point {zero}"
                yield File("ONNX", "styles", name, onnx_style(kind, axis, zero), True)
    for name, (write, _) in refusals.REFUSED.items():
        # Real weights: a session quantizes them itself, and is followed.
        read = name == "weights that are real"
        yield File("ONNX", "refused nodes", name, onnx_model(write), read)
    for damage in refusals.DAMAGED:
        name = damage.__name__.replace("_", " ")
        yield File("ONNX", "damaged", name, onnx_damage(damage), False)
    whole = refusals.good().SerializeToString(deterministic=True)
    yield File("ONNX", "damaged", "truncated", of_bytes(lambda: whole[:5000], "onnx"), False)
    renamed = of_bytes(lambda: pickle.dumps(Shell()), "onnx")
    yield File("ONNX", "damaged", "renamed pickle", renamed, False)


def tflite_files() -> Iterator[File]:
    for name, build in tflite_operators.CONVOLUTIONS.items():
        yield File("TFLite", "operators", f"convolution, {name}", tflite(build), True)
    for name in tflite_operators.FUNCTIONS:
        yield File("TFLite", "operators", name, tflite(function(name)), True)
    for name, (build, _) in tflite_refusals.REFUSED.items():
        yield File("TFLite", "refused nodes", name, tflite(build), False)
    for name, (build, _) in tflite_refusals.FILES.items():
        yield File("TFLite", "damaged", name, tflite(build), False)
    cut = of_bytes(lambda: CONTENT[: len(CONTENT) // 2], "tflite")
    yield File("TFLite", "damaged", "truncated", cut, False)
    renamed = of_bytes(lambda: pickle.dumps(Shell()), "tflite")
    yield File("TFLite", "damaged", "renamed pickle", renamed, False)


CORPUS = [*onnx_files(), *tflite_files()]
