"""Drawn networks with states: golden answers call by call as a session of onnxruntime does."""

import sys
from pathlib import Path
from random import Random

import numpy as np
import onnx
from onnx import numpy_helper, parser

from golden.states import calls
from hwgen.commands.differences import differences_of
from hwgen.errors import HwgenError
from hwgen.importers.integer import IntegerGraph, lower
from hwgen.importers.integer.states import with_states
from hwgen.importers.onnx.calibrate import quantized_model
from hwgen.importers.onnx.inputs import parts_of
from hwgen.importers.onnx.quantized import integer_graph_of
from hwgen.importers.onnx.runtime import pairs_saturate
from hwgen.importers.onnx.session_graph import options_of, session_of
from tests.quantized_onnx import saved

CALLS, IMAGES = 8, 16
FUNCTIONS = ("Relu", "Sigmoid", "Tanh", "Identity", "HardSigmoid")


def played(
    path: Path, pairs: dict[str, str], images: np.ndarray
) -> tuple[np.ndarray, np.ndarray, IntegerGraph]:
    """Return what golden and onnxruntime answer in some calls, in steps; and what was read.

    images: (images, 1, 1, channels), of all inputs; the first input of the file is no state
    onnxruntime has the file that was quantized, and gets the states back as real numbers.
    """
    made = quantized_model(path, images, states=pairs.values())
    parts = parts_of(made)
    graph = integer_graph_of(made, name=path.stem, source=path.name)
    graph = with_states(graph, parts, pairs)
    network = lower(graph, kernels="onnxruntime").network
    assert len(network.states) == len(pairs)
    given, answer = (
        each.quantization[0] for each in (network.graph.input, network.map_of(network.answer))
    )
    first, size = next(iter(parts.values()))
    real = images[:CALLS, 0, 0, first:size]
    steps = np.rint(real / np.float32(given.scale)) + given.zero_point
    found = calls(network, steps.clip(0, 255).astype(np.uint8).reshape(CALLS, 1, 1, -1))
    options = options_of("all")
    if pairs_saturate():
        options.add_session_config_entry("session.x64quantprecision", "1")
    session, image = session_of(made, options, path.name), made.graph.input[0].name
    names, wanted = [each.name for each in session.get_outputs()], []
    held = {name: np.zeros(high - low, np.float32) for name, (low, high) in parts.items()}
    for each in real:
        row = np.concatenate([each, *list(held.values())[1:]])[np.newaxis]
        results = dict(zip(names, session.run(None, {image: row}), strict=True))
        held |= {name: results[after].ravel() for name, after in pairs.items()}
        wanted.append(results[names[0]].ravel() / np.float32(answer.scale) + answer.zero_point)
    steps_found = found[network.answer].reshape(CALLS, -1).astype(float)
    return steps_found, np.rint(np.array(wanted)), graph


def drawn(random: Random) -> tuple[onnx.ModelProto, dict[str, str], list[int]]:
    """Return a file with states, what they become, and the sizes of its inputs.

    States are what layers compute, delays of others, and lists of two.
    """
    sizes = [random.choice((2, 4, 6)) for _ in range(random.choice((2, 3, 4)))]
    names = [f"s{place}" if place else "x" for place in range(len(sizes))]
    pairs, lines, stored = {}, list[str](), dict[str, tuple[int, int]]()

    def layer(inputs: int, outputs: int, function: str) -> str:
        name = f"h{len(stored)}"
        stored[f"w_{name}"] = (inputs, outputs)
        lines.append(f"{name}_sum = MatMul(all, w_{name}) {name} = {function}({name}_sum)")
        return name

    lines.append(f"all = Concat<axis = 1>({', '.join(names)})")
    for place, (name, size) in enumerate(zip(names[1:], sizes[1:], strict=True)):
        after = pairs[name] = f"n{place + 1}"
        kind = random.choice(("layer", "layer", "delay", "list", "read"))
        if kind == "delay" and sizes[place] == size:
            lines.append(f"{after} = Identity({names[place]})")
        elif kind == "list":
            parts = [layer(sum(sizes), size // 2, random.choice(FUNCTIONS)) for _ in range(2)]
            lines.append(f"{after} = Concat<axis = 1>({', '.join(parts)})")
        else:
            made = layer(sum(sizes), size, random.choice(FUNCTIONS))
            lines.append(f"{after} = Identity({made})")
            if kind == "read":
                lines.append(f"{after}_r = Relu({made}) {after}_p = MatMul({after}_r, {after}_w)")
                stored[f"{after}_w"] = (size, 3)
    answer = layer(sum(sizes), 3, "Identity")
    for read in [f"{after}_p" for after in pairs.values() if f"{after}_w" in stored]:
        lines.append(f"{read}_sum = Add({answer}, {read})")
        answer = f"{read}_sum"
    lines.append(f"y = Identity({answer})")
    inputs = ", ".join(f"float[1, {size}] {name}" for name, size in zip(names, sizes, strict=True))
    states = "".join(
        f", float[1, {size}] {after}" for after, size in zip(pairs.values(), sizes[1:], strict=True)
    )
    head = '<ir_version: 8, opset_import: ["": 17]>'
    model = parser.parse_model(
        f"{head} g ({inputs}) => (float[1, 3] y{states}) {{ {' '.join(lines)} }}"
    )
    rows = np.random.default_rng(random.randrange(1 << 30))
    for name, shape in stored.items():
        array = (rows.normal(size=shape) / np.sqrt(shape[0])).astype(np.float32)
        model.graph.initializer.append(numpy_helper.from_array(array, name))
    for place, node in enumerate(model.graph.node):
        node.name = f"node{place}"
    return model, pairs, sizes


def same_calls(random: Random) -> int:
    """Compare a drawn network with states with its session; 1: another answer, and no line."""
    model, pairs, sizes = drawn(random)
    rows = np.random.default_rng(random.randrange(1 << 30))
    images = rows.normal(size=(IMAGES, 1, 1, sum(sizes))).astype(np.float32)
    if random.random() < 0.5:
        images *= np.repeat(rows.choice([0.1, 1.0, 4.0], len(sizes)), sizes).astype(np.float32)
    else:
        images[0], images[1] = 3, -3
        images = images.clip(-3, 3)
    path = saved(model, Path())
    try:
        found, wanted, graph = played(path, pairs, images)
    except HwgenError as error:
        print(f"hwgen: {error}", file=sys.stderr)
        return 2
    finally:
        path.unlink()
    lowered = lower(graph, kernels="onnxruntime")
    told, _ = differences_of(graph, lowered, "onnxruntime")
    if (steps := np.abs(found - wanted).max()) and not (told or lowered.notes):
        print(f"answers differ by {steps:.0f} steps, and nothing says so", file=sys.stderr)
        return 1
    return 0
