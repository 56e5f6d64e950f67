"""A decoder's step, called at each position by onnxruntime: what its masks do, what it answers.

A step is a decoder of all tokens only if both say so: at position p each softmax meets the keys
0 to p, each as its score says, and no other; and call p answers as row p of all tokens does.

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
"""Share of the largest addend by which addends may differ that are meant to be equal."""
ALIKE = 1e-3
"""Share of the largest answer by which two float models of one network may differ."""
SCORE = "one score for all"


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
        shown = ending_at(scored(self.model, {*scores.values()}), scores)
        session = session_of(shown, options_of("all"), self.source)
        wrong = list[tuple[str, int]]()
        for self.way in WAYS:
            found = next(self.not_causal(session, list(scores)), None)
            if found is None:
                return
            wrong.append(found)
        name, position = wrong[0]
        writer = next(each for each in self.model.graph.node if name in each.output)
        raise FormatError(
            field=f"node {writer.name or name} ({writer.op_type}), which a softmax reads,",
            allowed="scores behind a causal mask: in call p those of keys 0 to p, and no addend",
            given=f"another mask in call {position}, as of ALiBi, a window or a rolling cache",
            source=self.source,
        )

    def not_causal(self, session: Any, names: list[str]) -> Iterator[tuple[str, int]]:
        """Yield the tensors whose mask is not causal, each with the number of the call."""
        for position in range(self.positions):
            none, one = (
                self.run(session, position, {SCORE: np.array(score, np.float32)}, names)
                for score in (0, 1)
            )
            for place, name in enumerate(names):
                if not is_causal_row(none[place], one[place], position):
                    yield name, position

    def check_answers(self, whole: onnx.ModelProto) -> None:
        """Refuse a step that answers otherwise, call by call, than the decoder of all tokens."""
        session = session_of(self.model, options_of("all"), self.source)
        channels = self.inputs_of(0)[self.token].shape[-1]
        size = (1, self.positions, channels)
        tokens = np.random.default_rng(0).normal(size=size).astype(np.float32)
        names = [each.name for each in whole.graph.output]
        of_all = session_of(whole, options_of("all"), self.source)
        wanted = of_all.run(names, {self.token: tokens})
        held: dict[str, Array] = {}
        for position in range(self.positions):
            given = {**held, self.token: tokens[:, position : position + 1]}
            found = self.run(session, position, given, [*names, *self.caches.values()])
            held = dict(zip(self.caches, found[len(names) :], strict=True))
            for name, row, rows in zip(names, found, wanted, strict=False):
                alike = any(
                    np.abs(row - rows.take([position], axis)).max() <= ALIKE * np.abs(rows).max()
                    for axis, side in enumerate(rows.shape)
                    if side == self.positions and row.shape == rows.take([0], axis).shape
                )
                if not alike:
                    raise FormatError(
                        field="a step",
                        allowed="one whose call p answers as a causal decoder of all tokens does",
                        given=f"another output {name} in call {position}",
                        source=self.source,
                    )

    def run(
        self, session: Any, position: int, given: Mapping[str, Array], names: list[str]
    ) -> list[Array]:
        """Return some outputs of a call; given: inputs that are no zeros."""
        asked = [each.name for each in session.get_inputs()]
        known = {**self.inputs_of(position), **given}
        try:
            found: list[Array] = session.run(names, {name: known[name] for name in asked})
        except Exception as error:  # the library's exceptions have no common base
            raise FormatError(
                field="a step",
                allowed=f"one that onnxruntime runs in each of {self.positions} calls",
                given=f"in call {position} {' '.join(str(error).split())[:200]}",
                source=self.source,
            ) from None
        return found

    def inputs_of(self, position: int) -> dict[str, Array]:
        """Return the inputs of a call: zeros as token and caches, its position, causal masks."""
        found: dict[str, Array] = {}
        for each in self.inputs:
            about = each.type.tensor_type
            kind = helper.tensor_dtype_to_np_dtype(about.elem_type)
            known = [side.dim_value for side in about.shape.dim]
            cache = each.name in self.caches
            sides = [side or position + (not cache) for side in known]
            if cache or each.name == self.token:
                found[each.name] = np.zeros(sides, kind)
            elif kind.kind in "iu" and np.prod(known) == 1:
                found[each.name] = np.full(sides, position, kind)
            else:
                met, other = self.way[kind.kind != "f"]
                keys = np.where(np.arange(sides[-1]) <= position, met, other).astype(kind)
                found[each.name] = np.broadcast_to(keys, sides)
        return found


def scored(model: onnx.ModelProto, scores: set[str]) -> onnx.ModelProto:
    """Return a model in which all elements of some tensors are one number, a further input."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    nodes = list[onnx.NodeProto]()
    for node in copy.graph.node:
        nodes.append(node)
        for place, name in enumerate(node.output):
            if name in scores:
                own, zero = f"{name}/own", f"{name}/zero"
                node.output[place] = own
                nodes.append(helper.make_node("Sub", [own, own], [zero]))
                nodes.append(helper.make_node("Add", [zero, SCORE], [name]))
    del copy.graph.node[:]
    copy.graph.node.extend(nodes)
    kind = onnx.TensorProto.FLOAT
    copy.graph.input.append(helper.make_tensor_value_info(SCORE, kind, []))
    return copy


def is_causal_row(none: Array, one: Array, position: int) -> bool:
    """Return whether a mask at a position leaves keys 0 to it as they are, and no other.

    none, one: what a softmax reads, (..., keys), where all scores are 0, and where all are 1
    """
    none, one = (each.reshape(-1, each.shape[-1]).astype(np.float64) for each in (none, one))
    met = np.arange(none.shape[-1]) <= position
    if met.sum() <= position:
        return False
    allowed = EVEN * (1 + np.abs(none[:, :1]))
    with np.errstate(invalid="ignore"):
        shifts = np.stack([none - none[:, :1], one - none - 1])[..., met]
    masked = none[:, ~met] <= none[:, :1] + HOPELESS
    return bool((np.abs(shifts) <= allowed).all() and masked.all())
