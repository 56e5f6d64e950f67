"""The file of a decoder's step, as the user has it: its caches go from call to call.

Tests: `tests/importers/onnx/test_past.py`.
"""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from hwgen.importers.judge import Feeds, Outputs
from hwgen.importers.onnx.as_given import GivenOnnx
from hwgen.importers.onnx.external import read_whole_model
from hwgen.importers.onnx.masks import LOWEST
from hwgen.importers.onnx.past import PASSED, Whole

SCATTERS = ("Concat", "ScatterElements", "ScatterND", "Where")


class StepFile:
    """All tokens of a sequence, a call each; outputs have the tokens on their second axis."""

    setting = ""

    def __init__(self, path: Path, positions: int) -> None:
        """Open the file; what is no token and no cache is a position or a mask of positions."""
        model = read_whole_model(path)
        self._positions = positions
        self._token = Whole(model, positions, str(path)).tokens.name
        pairs = cache_pairs(model, self._token)
        self._given = GivenOnnx(path, states=pairs)
        self.name = self._given.name
        stored = {each.name for each in model.graph.initializer}
        self._others = [
            each for each in model.graph.input if each.name not in {*stored, *pairs, self._token}
        ]

    def reset(self) -> None:
        """Begin anew: caches are empty."""
        self._given.reset()

    def __call__(self, feeds: Feeds) -> Outputs:
        """Return all outputs of all tokens."""
        (tokens,) = feeds.values()
        self.reset()
        found = []
        for place in range(tokens.shape[1]):
            others = {each.name: self._at(each, place) for each in self._others}
            found.append(self._given({self._token: tokens[:, place : place + 1], **others}))
        return {name: np.concatenate([each[name] for each in found], axis=1) for name in found[0]}

    def _at(self, about: onnx.ValueInfoProto, place: int) -> NDArray[Any]:
        """Return a position, or a mask that leaves the positions up to it."""
        kind = onnx.helper.tensor_dtype_to_np_dtype(about.type.tensor_type.elem_type)
        sides = [side.dim_value or 1 for side in about.type.tensor_type.shape.dim]
        if kind.kind in "iu":
            return np.full(sides, place, kind)
        count = place + 1 if not about.type.tensor_type.shape.dim[-1].dim_value else sides[-1]
        open_ = np.arange(count) <= place
        mask = open_ if kind.kind == "b" else np.where(open_, 0, LOWEST)
        return np.broadcast_to(mask, (*sides[:-1], count)).astype(kind)


def cache_pairs(model: onnx.ModelProto, token: str) -> dict[str, str]:
    """Return by input that is a cache the output that it becomes."""
    stored = {each.name for each in model.graph.initializer}
    given = {each.name for each in model.graph.input} - {*stored, token}
    origin = dict(zip(given, given, strict=True))
    after: dict[str, str] = {}
    for node in model.graph.node:
        known = [name for name in node.input if name in origin]
        if node.op_type in PASSED and node.input[0] in origin:
            origin[node.output[0]] = origin[node.input[0]]
        elif node.op_type in PASSED and node.input[0] in after:
            after[node.output[0]] = after[node.input[0]]
        elif node.op_type in SCATTERS and known:
            after[node.output[0]] = origin[known[-1 if node.op_type == "Where" else 0]]
    outputs = {each.name for each in model.graph.output}
    return {past: name for name, past in after.items() if name in outputs}
