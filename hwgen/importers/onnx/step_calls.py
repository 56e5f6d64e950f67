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
from hwgen.importers.onnx.check import label
from hwgen.importers.onnx.masks import HOPELESS, LOWEST
from hwgen.importers.onnx.runtime import showing
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

    def check(
        self, whole: onnx.ModelProto, along: Mapping[str, int], scores: Mapping[str, str]
    ) -> None:
        """Refuse a step that is not, call by call, the causal decoder of all tokens.

        along: the axis of the tokens of each output
        scores: by what a softmax reads the scores, to which nothing of the tokens comes after
        """
        wrong = list[FormatError]()
        for self.way in WAYS:
            fault = next(self.faults(whole, along, scores), None)
            if fault is None:
                return
            wrong.append(fault)
        raise wrong[0]

    def faults(
        self, whole: onnx.ModelProto, along: Mapping[str, int], scores: Mapping[str, str]
    ) -> Iterator[FormatError]:
        """Yield what calls have otherwise than all tokens; see `check`."""
        size = (1, self.positions, self.inputs_of(0)[self.token].shape[-1])
        tokens = np.random.default_rng(0).normal(size=size).astype(np.float32)
        names, options = [each.name for each in whole.graph.output], options_of("all")
        of_all = session_of(whole, options, self.source).run(names, {self.token: tokens})
        wanted = dict(zip(names, of_all, strict=True))
        shown = showing(self.model, {*scores, *scores.values()})
        session, held = session_of(shown, options, self.source), dict[str, Array]()
        for position in range(self.positions):
            token = {self.token: tokens[:, position : position + 1]}
            found = self.run(session, position, {**held, **token})
            held = {name: found[after] for name, after in self.caches.items()}
            for read, score in scores.items():
                if not is_causal(found[read], found[score], position):
                    node = next(each for each in self.model.graph.node if read in each.output)
                    yield self.refused(
                        f"{label(node)}, which a softmax reads,",
                        "scores behind a causal mask: in call p those of keys 0 to p, no addend",
                        f"another mask in call {position}, as of ALiBi, a window, a rolling cache",
                    )
            for name, rows in wanted.items():
                apart = np.abs(found[name] - rows.take([position], along[name])).max()
                if not apart <= ALIKE * np.abs(rows).max():
                    yield self.refused(
                        "a step",
                        "one whose call p answers as a causal decoder of all tokens does",
                        f"another output {name} in call {position}",
                    )

    def run(self, session: Any, position: int, given: Mapping[str, Array]) -> dict[str, Array]:
        """Return the outputs of a call; given: inputs that are no zeros."""
        names = [each.name for each in session.get_outputs()]
        try:
            return dict(
                zip(names, session.run(None, {**self.inputs_of(position), **given}), strict=True)
            )
        except Exception as error:  # the library's exceptions have no common base
            said = " ".join(str(error).split())[:200]
            allowed = f"one that onnxruntime runs in each of {self.positions} calls"
            raise self.refused("a step", allowed, f"in call {position} {said}") from None

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


def is_causal(read: Array, scores: Array, position: int) -> bool:
    """Return whether a softmax reads, at a position, the scores of keys 0 to it and no other.

    read, scores: (..., keys); all may have one addend
    """
    with np.errstate(invalid="ignore"):
        added = (read - scores).reshape(-1, read.shape[-1]).astype(np.float64)
    met, first = np.arange(added.shape[1]) <= position, added[:, :1]
    even = np.abs(added - first) <= EVEN * (1 + np.abs(first) + np.abs(scores).max())
    masked = added <= first + HOPELESS / 2
    return bool(np.where(met, even, masked).all() and met.sum() > position)
