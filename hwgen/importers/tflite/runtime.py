"""Run a TFLite file with LiteRT and its reference kernels, for comparison."""

from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from hwgen.errors import FormatError
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.runtime import Outcome, stored, unsigned
from hwgen.importers.tflite.file import read_file

KERNELS = {
    "reference": OpResolverType.BUILTIN_REF,
    "optimized": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}
"""Kernels of LiteRT in order of preference."""


class LiteRT:
    """A file in the LiteRT interpreter; every map is visible."""

    def __init__(self, path: Path, graph: IntegerGraph) -> None:
        """Load a file whose graph was read without refusals."""
        file = read_file(path)
        self._image = graph.maps[graph.input]
        self._maps = graph.maps
        self._numbers = {tensor.name: number for number, tensor in enumerate(file.tensors)}
        self._answer = file.outputs[0]
        self._interpreter, kernels = interpreter_of(path)
        self.name = f"LiteRT {version('ai-edge-litert')}, {kernels} kernels"
        self._input = self._interpreter.get_input_details()[0]

    def run(self, images: NDArray[Any], names: list[str]) -> Outcome:
        """Run unsigned NHWC images and return the maps of `names`."""
        found: dict[str, list[NDArray[Any]]] = {
            name: [] for name in names if name in self._numbers and name in self._maps
        }
        answers = []
        for image in stored(images, self._image):
            self._invoke(image)
            for name, values in found.items():
                values.append(self._interpreter.get_tensor(self._numbers[name]))
            answers.append(self._interpreter.get_tensor(self._answer).reshape(-1))
        return Outcome(
            maps={
                name: unsigned(np.stack(values), self._maps[name]) for name, values in found.items()
            },
            answers=np.stack(answers),
        )

    def _invoke(self, image: NDArray[Any]) -> None:
        """Run one image of integers; a file that quantizes by itself gets their real values."""
        given = image
        if self._input["dtype"] == np.float32:
            centred = image.astype(np.float64) - self._image.zero_point
            given = (self._image.scale * centred).astype(np.float32)
        self._interpreter.set_tensor(self._input["index"], given.reshape(self._input["shape"]))
        self._interpreter.invoke()


def interpreter_of(path: Path) -> tuple[Interpreter, str]:
    """Return an interpreter with memory, and which kernels: a few operators have no reference."""
    refusals = []
    for kernels, resolver in KERNELS.items():
        try:
            interpreter = Interpreter(
                model_path=str(path),
                experimental_op_resolver_type=resolver,
                experimental_preserve_all_tensors=True,
                num_threads=1,
            )
            interpreter.allocate_tensors()
        except (RuntimeError, ValueError) as error:
            refusals.append(" ".join(str(error).split()))
            continue
        return interpreter, kernels
    raise FormatError(
        field="the file", allowed="one that LiteRT runs", given=refusals[0], source=str(path)
    )


def runtime_of(path: Path, graph: IntegerGraph) -> LiteRT:
    """Return a file in its runtime."""
    return LiteRT(path, graph)
