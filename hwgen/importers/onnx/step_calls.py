"""A decoder's step, called at each position by onnxruntime: what its masks do, what it answers.

A step is a decoder of all tokens only if both say so: at position p each softmax meets the keys
0 to p, none with an addend of its own, and no other; and call p answers as row p of all tokens.

Tests: `tests/importers/onnx/test_step_masks.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from hwgen.errors import FormatError
from hwgen.importers.onnx.masks import HOPELESS, LOWEST
from hwgen.importers.onnx.runtime import ending_at
from hwgen.importers.onnx.session_graph import options_of, session_of

Array = NDArray[Any]
WAYS = (((0.0, LOWEST), (1, 0)), ((1.0, 0.0), (0, 1)))
"""What a mask that is an input has for keys that are met, and for others: real, and integer."""
EVEN = 1e-5
"""Share of an addend by which addends may differ that are meant to be equal."""
ALIKE = 1e-3
"""Share of the largest answer by which two float models of one network may differ."""


class Calls:
    """The calls of the file of a step.

    model: of the step, with one token and one batch; token: name of its input
    caches: by input the output that it becomes
    """

    def __init__(
        self,
        model: onnx.ModelProto,
        token: str,
        caches: Mapping[str, str],
        positions: int,
        source: str,
    ) -> None:
        self.model, self.token, self.caches = model, token, caches
        self.positions, self.source, self.way = positions, source, WAYS[0]
        stored = {each.name for each in model.graph.initializer}
        self.inputs = [each for each in model.graph.input if each.name not in stored]

    def check_masks(self, scores: Mapping[str, str]) -> None:
        """Refuse a mask that is not causal at each position.

        scores: by what a softmax reads the scores, to which nothing of the tokens comes after
        """
        shown = ending_at(with_zeros(self.model, {*scores.values()}), scores)
        session = session_of(shown, options_of("all"), self.source)
        wrong = list[tuple[str, int]]()
        for self.way in WAYS:
            found = next(self.not_causal(session, list(scores)), None)
            if found is None:
                return
            wrong.append(found)
        name, position = wrong[0]
        writer = next(each for each in self.model.graph.node if name in each.output)
        raise self.refused(
            f"node {writer.name or name} ({writer.op_type}), which a softmax reads,",
            "scores behind a causal mask: in call p those of keys 0 to p, and no addend",
            f"another mask in call {position}, as of ALiBi, a window or a rolling cache",
        )

    def not_causal(self, session: Any, names: list[str]) -> Iterator[tuple[str, int]]:
        """Yield the tensors whose mask is not causal, each with the number of the call."""
        for position in range(self.positions):
            for name, mask in zip(names, self.run(session, position, {}, names), strict=True):
                rows = mask.reshape(-1, mask.shape[-1]).astype(np.float64)
                met, first = np.arange(rows.shape[1]) <= position, rows[:, :1]
                even = np.abs(rows - first) <= EVEN * (1 + np.abs(first))
                masked = rows <= first + HOPELESS
                if not np.where(met, even, masked).all() or met.sum() <= position:
                    yield name, position

    def check_answers(self, whole: onnx.ModelProto, along: Mapping[str, int]) -> None:
        """Refuse a step that answers otherwise, call by call, than the decoder of all tokens.

        along: the axis of the tokens of each output
        """
        size = (1, self.positions, self.inputs_of(0)[self.token].shape[-1])
        tokens = np.random.default_rng(0).normal(size=size).astype(np.float32)
        names, all_tokens = [each.name for each in whole.graph.output], {self.token: tokens}
        wanted = session_of(whole, options_of("all"), self.source).run(names, all_tokens)
        session, held = session_of(self.model, options_of("all"), self.source), list[Array]()
        for position in range(self.positions):
            given = dict(zip(self.caches, held, strict=False))
            given[self.token] = tokens[:, position : position + 1]
            found = self.run(session, position, given, [*names, *self.caches.values()])
            held = found[len(names) :]
            for name, row, rows in zip(names, found, wanted, strict=False):
                apart = np.abs(row - rows.take([position], along[name])).max()
                if not apart <= ALIKE * np.abs(rows).max():
                    raise self.refused(
                        "a step",
                        "one whose call p answers as a causal decoder of all tokens does",
                        f"another output {name} in call {position}",
                    )

    def run(
        self, session: Any, position: int, given: Mapping[str, Array], names: list[str]
    ) -> list[Array]:
        """Return some outputs of a call; given: inputs that are no zeros."""
        known = {**self.inputs_of(position), **given}
        asked = {each.name: known[each.name] for each in session.get_inputs()}
        try:
            found: list[Array] = session.run(names, asked)
        except Exception as error:  # the library's exceptions have no common base
            said = " ".join(str(error).split())[:200]
            allowed = f"one that onnxruntime runs in each of {self.positions} calls"
            raise self.refused("a step", allowed, f"in call {position} {said}") from None
        return found

    def inputs_of(self, position: int) -> dict[str, Array]:
        """Return the inputs of a call: zeros as token and caches, its position, causal masks."""
        found: dict[str, Array] = {}
        for each in self.inputs:
            about, cache = each.type.tensor_type, each.name in self.caches
            kind = helper.tensor_dtype_to_np_dtype(about.elem_type)
            sides = [side.dim_value or position + (not cache) for side in about.shape.dim]
            row: Array = np.zeros(sides[-1])
            if kind.kind in "iu" and all(side.dim_value == 1 for side in about.shape.dim):
                row = row + position
            elif not cache and each.name != self.token:
                met, other = self.way[kind.kind != "f"]
                row = np.where(np.arange(sides[-1]) <= position, met, other)
            found[each.name] = np.broadcast_to(row.astype(kind), sides)
        return found

    def refused(self, field: str, allowed: str, given: str) -> FormatError:
        """Return the error of a file."""
        return FormatError(field=field, allowed=allowed, given=given, source=self.source)


def with_zeros(model: onnx.ModelProto, names: set[str]) -> onnx.ModelProto:
    """Return a model in which some tensors are zero, whatever nodes write."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    del copy.graph.node[:]
    for node in model.graph.node:
        own = [f"{name}/own" if name in names else name for name in node.output]
        copy.graph.node.append(node)
        copy.graph.node[-1].output[:] = own
        changed = (pair for pair in zip(own, node.output, strict=True) if pair[0] != pair[1])
        copy.graph.node.extend(helper.make_node("Sub", [a, a], [b]) for a, b in changed)
    return copy
