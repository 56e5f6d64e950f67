"""Run a TFLite file with LiteRT, with its default or its reference kernels, for comparison."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from numpy.typing import NDArray

from hwgen.errors import FormatError
from hwgen.files.given import read_given
from hwgen.importers.integer.graph import IntegerGraph
from hwgen.importers.integer.runtime import Outcome, stored, unsigned
from hwgen.importers.tflite.file import read_file

KERNELS = {
    "reference": OpResolverType.BUILTIN_REF,
    "optimized": OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
}
"""Kernels that leave every map visible, in order of preference."""
STDERR = 2
DEFAULT = {"default": OpResolverType.AUTO}
"""What people run: XNNPACK, and other kernels where it has none."""


class LiteRT:
    """A file in the LiteRT interpreter.

    With the kernels of ``KERNELS`` every map is visible; with the default ones, whose fusions it
    would change, the outputs of the network alone: in an interpreter of its own each is the file's
    first output.
    """

    def __init__(
        self, path: Path, graph: IntegerGraph, *, answers: Sequence[str], default: bool
    ) -> None:
        """Load a file whose graph was read without refusals.

        answers: names of the maps that are the network's outputs; default: with the default kernels
        """
        file = read_file(path)
        self._image = graph.maps[graph.input]
        self._maps = graph.maps
        self._numbers = {tensor.name: number for number, tensor in enumerate(file.tensors)}
        content = read_given(path, what="the file", allowed="a TFLite file")
        interpreter, kernels = interpreter_of(content, path, default=default)
        self._shown = dict.fromkeys(self._maps, interpreter)
        if default:
            self._shown = {}
            # Each output is shown by the file that ends there.
            for name in self._numbers.keys() & set(answers):
                ending = ending_at(content, self._numbers[name])
                self._shown[name], _ = interpreter_of(ending, path, default=True)
        self.name = f"LiteRT {version('ai-edge-litert')}, {kernels} kernels"

    def run(self, images: NDArray[Any], names: list[str]) -> Outcome:
        """Run unsigned NHWC images and return the maps of `names`."""
        found: dict[str, list[NDArray[Any]]] = {
            name: [] for name in names if name in self._numbers and name in self._shown
        }
        for image in stored(images, self._image):
            for interpreter in {self._shown[name] for name in found}:
                self._invoke(interpreter, image)
            for name, values in found.items():
                values.append(self._shown[name].get_tensor(self._numbers[name]))
        return Outcome(
            images=images,
            maps={
                name: unsigned(np.stack(values), self._maps[name]) for name, values in found.items()
            },
        )

    def _invoke(self, interpreter: Interpreter, image: NDArray[Any]) -> None:
        """Run one image of integers; a file that quantizes by itself gets their real values."""
        about = interpreter.get_input_details()[0]
        given = image
        if about["dtype"] == np.float32:
            centred = image.astype(np.float64) - self._image.zero_point
            given = (self._image.scale * centred).astype(np.float32)
        interpreter.set_tensor(about["index"], given.reshape(about["shape"]))
        interpreter.invoke()


def ending_at(content: bytes, tensor: int) -> bytes:
    """Return a TFLite file whose first output is another tensor."""
    changed = bytearray(content)
    graph = tflite.Model.GetRootAs(changed, 0).Subgraphs(0)
    graph.OutputsAsNumpy()[0] = tensor
    return bytes(changed)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep off the console that a delegate was made; errors are exceptions."""
    kept, nothing = os.dup(STDERR), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, STDERR)
    try:
        yield
    finally:
        os.dup2(kept, STDERR)
        os.close(kept)
        os.close(nothing)


def interpreter_of(content: bytes, path: Path, *, default: bool) -> tuple[Interpreter, str]:
    """Return an interpreter with memory, and which kernels: a few operators have no reference."""
    refusals = []
    for kernels, resolver in (DEFAULT if default else KERNELS).items():
        try:
            with quiet():
                interpreter = Interpreter(
                    model_content=content,
                    experimental_op_resolver_type=resolver,
                    experimental_preserve_all_tensors=not default,
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


def runtime_of(
    path: Path, graph: IntegerGraph, *, answers: Sequence[str] = (), default: bool = False
) -> LiteRT:
    """Return a file in its runtime; answers: names of maps that its default kernels show."""
    return LiteRT(path, graph, answers=answers, default=default)
