"""Where the runtime of a file computes other integers than the imported network.

Tests: `tests/commands/test_fit.py`.
"""

import math
from collections.abc import Collection, Iterator, Mapping

import numpy as np

from hwgen.commands.packages import optional_packages
from hwgen.errors import FormatError, MissingToolError
from hwgen.importers.integer import Difference, IntegerGraph, Lowered
from hwgen.importers.integer.arithmetic import Kernels
from hwgen.importers.integer.nodes import Convolution, FullyConnected, SoftmaxOfGroups

ANEW_STEPS = 254
"""Half steps from zero to the largest input of a block."""
ONE = 255
"""Steps of 1/256 up to the largest share that is stored."""
SAME_SHARES = "onnxruntime 1.31"
"""Whose shares of a Softmax golden has, element by element."""
FLOAT = "onnxruntime computes it in float32"
OF_ONE = "onnxruntime stores zero for the share of a value that stands alone, which is one"


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
        sentence = str(error).removesuffix(f" ({graph.source})")
        return found, f"which operators onnxruntime computes in float32 is not known: {sentence}"
    found += kept_differences(lowered, kept.real)
    shares = [each for each in lowered.network.layers if each.op == "softmax"]
    if shares and not graph.runtime.startswith(SAME_SHARES):
        what = f"{graph.runtime} adds exponentials up in another order than {SAME_SHARES}"
        found.append(Difference(operator="Softmax", nodes=len(shares), what=what, steps=1))
    found += shares_of_one(graph)
    return [*found, *anew_differences(graph.read_by(kernels), kept.anew)], ""


def shares_of_one(graph: IntegerGraph) -> Iterator[Difference]:
    """Yield what shares may differ by where each is of one value, and quantized."""
    for node in graph.nodes:
        if isinstance(node, SoftmaxOfGroups) and node.groups == graph.maps[node.inputs[0]].shape[2]:
            what = f"node {node.name}, {OF_ONE}"
            yield Difference(operator=node.operator, nodes=1, what=what, steps=ONE)


def kept_differences(lowered: Lowered, kept: Mapping[str, int]) -> Iterator[Difference]:
    """Yield what operators in float32 may differ by.

    Either side rounds once, so that they differ by a step beside a half, and by more only where
    the network holds what the operator computes with an error of its own, which a note has.
    """
    for operator, nodes in kept.items():
        errors = [note.steps for note in lowered.notes if note.operator == operator]
        steps = 1 + math.floor(max(errors, default=0.0))
        yield Difference(operator=operator, nodes=nodes, what=FLOAT, steps=steps)


def anew_differences(graph: IntegerGraph, names: Collection[str]) -> Iterator[Difference]:
    """Yield by how much products may differ whose inputs onnxruntime quantizes anew.

    names: of nodes of the file. An input moves by half a step of 127 to the largest of its block,
    which is at most the reach of its map.
    """
    for node in graph.nodes:
        if node.name not in names or not isinstance(node, Convolution | FullyConnected):
            continue
        source, output = graph.maps[node.inputs[0]], graph.maps[node.output]
        sums = np.abs(node.weights.centred).reshape(len(node.weights.scales), -1).sum(axis=1)
        moved = sums * source.reach / ANEW_STEPS
        if not output.raw:
            moved = moved * node.weights.scales * source.scale / output.scale
        steps = 1 + math.floor(float(moved.max()))
        what = f"node {node.name}, whose inputs onnxruntime quantizes anew"
        yield Difference(operator=node.operator, nodes=1, what=what, steps=steps)
