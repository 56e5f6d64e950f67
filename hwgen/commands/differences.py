"""Where the runtime of a file computes other integers than the imported network."""

import math
from collections.abc import Iterator, Mapping

from hwgen.commands.packages import optional_packages
from hwgen.errors import FormatError, MissingToolError
from hwgen.importers.integer import Difference, IntegerGraph, Lowered
from hwgen.importers.integer.arithmetic import Kernels

FLOAT = "onnxruntime computes it in float32"


def differences_of(
    graph: IntegerGraph, lowered: Lowered, kernels: Kernels
) -> tuple[list[Difference], str]:
    """Return where the runtime may differ, by how many steps, and why not all of that is known.

    kernels: whose arithmetic the network computes; only that of the runtime is held against it.
    The sentence is empty if all is known.
    """
    found = list(lowered.differences)
    if kernels != "onnxruntime" or graph.model is None:
        return found, ""
    try:
        with optional_packages():
            from hwgen.importers.onnx.kept import kept_in_float32

            kept = kept_in_float32(graph.model(), graph.source)
    except (FormatError, MissingToolError) as error:
        sentence = str(error).removeprefix(f"{graph.source}: ")
        return found, f"which operators onnxruntime computes in float32 is not known: {sentence}"
    return [*found, *kept_differences(lowered, kept)], ""


def kept_differences(lowered: Lowered, kept: Mapping[str, int]) -> Iterator[Difference]:
    """Yield what operators in float32 may differ by.

    Either side rounds once, so that they differ by a step beside a half, and by more only where
    the network holds what the operator computes with an error of its own, which a note has.
    """
    for operator, nodes in kept.items():
        errors = [note.steps for note in lowered.notes if note.operator == operator]
        steps = 1 + math.floor(max(errors, default=0.0))
        yield Difference(operator=operator, nodes=nodes, what=FLOAT, steps=steps)
