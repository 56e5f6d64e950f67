"""Units of an ONNX file on the host: a model of their own, dressed, and what runs it.

A session fuses otherwise where a graph ends in integers. So a border of the host's model is the
real numbers that it stands for, with a pair of the border's own numbers at the end; the ends of the
file itself stay as they are.

Tests: `tests/plan/test_pieces.py`.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
import onnx
from onnx import helper

from hwgen.errors import FormatError, MissingToolError
from hwgen.plan.onnx_units import OnnxFile, ran
from hwgen.plan.units import Tensors, Units

PRECISE = "session.x64quantprecision"
"""Setting of a session on a processor without VNNI, which else cuts sums of two products off."""
REAL = "/real"
"""Ends the names of real numbers at a dressed end."""
PLAIN = frozenset(
    {
        "ArgMax", "Cast", "Concat", "Constant", "DequantizeLinear", "Expand", "Flatten", "Gather",
        "Identity", "Pad", "QuantizeLinear", "Reshape", "Shape", "Slice", "Softmax", "Split",
        "Squeeze", "Tile", "Transpose", "Unsqueeze",
    }
)  # fmt: skip
"""Operators that need no runtime: the reference of the package onnx computes them in numpy."""


PLAIN_OPSET = 19
"""The first whose quantizations that reference has."""


def dressed(file: OnnxFile, units: Units, name: str) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Return the model of units on the host, and the borders that are real numbers in it."""
    model, real = file.part(units, name), []
    graph = model.graph
    inputs, outputs = file.units.ends_of(units)
    front: list[onnx.NodeProto] = []
    behind: list[onnx.NodeProto] = []
    have = {tensor.name for tensor in graph.initializer}
    for ends, own, names, operator in (
        (graph.input, file.inputs, inputs, "QuantizeLinear"),
        (graph.output, file.outputs, outputs, "DequantizeLinear"),
    ):
        for end in names:
            numbers = file.numbers_of(end)
            if end in own or numbers is None:
                continue
            missing = [each for each in numbers.names if each not in have]
            graph.initializer.extend(file.stored[each] for each in missing)
            have.update(missing)
            (declared,) = (each for each in ends if each.name == end)
            sides = list(file.tensors[end].sides)
            declared.CopyFrom(helper.make_tensor_value_info(f"{end}{REAL}", 1, sides))
            read, written = (f"{end}{REAL}", end) if own is file.inputs else (end, f"{end}{REAL}")
            node = helper.make_node(operator, [read, *numbers.names], [written], f"{end}/dress")
            (front if own is file.inputs else behind).append(node)
            real.append(end)
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*front, *rest, *behind])
    return model, tuple(real)


class OnnxHost:
    """Runs units on the host: by onnxruntime, or without it where numpy is enough."""

    def __init__(
        self,
        model: onnx.ModelProto,
        *,
        real: Sequence[str],
        numbers: Mapping[str, tuple[float, int, str]],
    ) -> None:
        """Open a model; numbers: scale, zero point and type of each border that is real.

        Raises MissingToolError where a runtime is needed that is not installed.
        """
        self._real = {name: numbers[name] for name in real}
        self._outputs = [each.name for each in model.graph.output]
        stored = {each.name for each in model.graph.initializer}
        self._inputs = [each.name for each in model.graph.input if each.name not in stored]
        self._run: Any = runner_of(model)

    def run(self, tensors: Mapping[str, Any]) -> Tensors:
        """Return what the units write; tensors: all that they read, as the file stores it."""
        given = {name: self._given(name, tensors) for name in self._inputs}
        found = ran(self._run, self._outputs, given, "a piece of the host")
        return dict(
            self._stored(name, value) for name, value in zip(self._outputs, found, strict=True)
        )

    def _given(self, name: str, tensors: Mapping[str, Any]) -> Any:
        """Return an input of the model."""
        border = name.removesuffix(REAL)
        if name in tensors or border not in self._real:
            return tensors[name]
        scale, zero, _ = self._real[border]
        real = (tensors[border].astype(np.int32) - zero).astype(np.float32) * np.float32(scale)
        return np.asarray(real)

    def _stored(self, name: str, value: Any) -> tuple[str, Any]:
        """Return an output as the file stores it, by its name there."""
        border = name.removesuffix(REAL)
        if border == name or border not in self._real:
            return name, np.asarray(value)
        scale, zero, kind = self._real[border]
        steps = np.rint(value / np.float32(scale)).astype(np.int64) + zero
        return border, np.asarray(steps, kind)


def runner_of(model: onnx.ModelProto) -> Any:
    """Return what computes outputs by name of inputs by name."""
    try:
        return default_session(model, model.graph.name or "a piece").run
    except ModuleNotFoundError:
        needed = {node.op_type for node in model.graph.node} - PLAIN
        if needed:
            raise MissingToolError(
                f"{', '.join(sorted(needed))} on the host must be run by onnxruntime, which is not"
                " installed: pip install 'hwgen[onnxruntime]'"
            ) from None
        from onnx.reference import ReferenceEvaluator
        from onnx.version_converter import convert_version

        return ReferenceEvaluator(convert_version(model, PLAIN_OPSET)).run


def default_session(model: onnx.ModelProto, source: str) -> Any:
    """Return a session as a user has it; sums are whole on a processor without VNNI, too.

    Raises ModuleNotFoundError without onnxruntime.
    """
    from hwgen.importers.onnx.runtime import pairs_saturate
    from hwgen.importers.onnx.session_graph import (
        FATAL,
        made_precise,
        options_of,
        quiet,
        session_of,
    )

    if pairs_saturate():
        options = options_of("all")
        options.log_severity_level = FATAL
        with suppress(FormatError), quiet():
            return session_of(made_precise(model, options), options, source)
    return session_of(model, options_of("all"), source)


def runtime_here() -> tuple[str, str]:
    """Return the runtime with its version, and the setting of its sessions; empty: none."""
    try:
        from hwgen.importers.onnx.runtime import pairs_saturate
        from hwgen.importers.onnx.session_graph import RUNTIME
    except ModuleNotFoundError:
        return "", ""
    return RUNTIME, PRECISE if pairs_saturate() else ""


def model_of(content: bytes, source: str) -> onnx.ModelProto:
    """Return the model of a piece."""
    try:
        return onnx.load_model_from_string(content)
    except Exception:  # protobuf raises errors of several kinds
        raise FormatError(
            field="a piece of the host", allowed="an ONNX model", given="other bytes", source=source
        ) from None
