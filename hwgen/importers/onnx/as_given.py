"""An ONNX file in a default session of onnxruntime: unchanged, with all outputs, call by call.

Tests: `tests/importers/test_judge.py`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray

from hwgen.errors import FormatError
from hwgen.importers.judge import Feeds, Outputs, said_version
from hwgen.importers.onnx.constants_apart import with_constants_apart
from hwgen.importers.onnx.external import read_whole_model
from hwgen.importers.onnx.inputs import parts_of
from hwgen.importers.onnx.qdq.qonnx import is_qonnx, without_quants
from hwgen.importers.onnx.runtime import ELEMENTS, PAIRS_JOINED, REWRITTEN, pairs_saturate
from hwgen.importers.onnx.session_graph import PRECISE, options_of

SATURATES = "on a processor without VNNI, where sums of two products saturate"
IDS: dict[str, np.dtype[Any]] = {
    "tensor(int64)": np.dtype(np.int64), "tensor(int32)": np.dtype(np.int32),
    "tensor(bool)": np.dtype(np.bool_),
}  # fmt: skip


class GivenOnnx:
    """A session of a file; an image that holds several inputs is put together of them.

    name: of the runtime; setting: of the processor, where it decides
    """

    def __init__(
        self,
        model: onnx.ModelProto | Path,
        *,
        states: Mapping[str, str] | None = None,
        precise: bool = False,
    ) -> None:
        """Open the file; states: by input the output that the next call reads."""
        self.name = f"onnxruntime {said_version('onnxruntime', onnxruntime.__version__)}"
        self.setting = SATURATES if pairs_saturate() else ""
        options, unchanged = options_of("all"), list[str]()
        if precise:
            options.add_session_config_entry(PRECISE, "1")
            self.setting = f"with {PRECISE}=1 {SATURATES}"
        source = str(model) if isinstance(model, Path) else "the network"
        read = read_whole_model(model) if isinstance(model, Path) else model
        if rewritten := is_qonnx(read):
            read = without_quants(read, source)
            self.name, unchanged = f"{self.name}, {REWRITTEN}", [PAIRS_JOINED]
        self._parts = parts_of(read)
        read = with_constants_apart(read) if precise else read
        plain = isinstance(model, Path) and not (rewritten or precise)
        content = str(model) if plain else read.SerializeToString()
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"], disabled_optimizers=unchanged
            )
        except Exception as error:  # the library's exceptions have no common base
            raise refused(error, source) from None
        self._source, self._pairs = source, dict(states or {})
        self._states: dict[str, NDArray[Any]] = {}
        self._inputs = self._session.get_inputs()
        names = [each.name for each in self._session.get_outputs()]
        after = set(self._pairs.values())
        self._names, self._shown = names, [each for each in names if each not in after] or names

    def reset(self) -> None:
        """Begin anew: states are zeros."""
        self._states = {}

    def __call__(self, feeds: Feeds) -> Outputs:
        """Return all outputs of a call, but what states become beside other outputs."""
        given = {each.name: self._given(each, feeds) for each in self._inputs}
        try:
            found = dict(zip(self._names, self._session.run(self._names, given), strict=True))
        except Exception as error:  # as above
            raise refused(error, self._source) from None
        self._states = {name: found[output] for name, output in self._pairs.items()}
        return {name: found[name] for name in self._shown}

    def _given(self, about: Any, feeds: Feeds) -> NDArray[Any]:
        """Return one input: of the feeds, a state, or an image that holds several of both."""
        name: str = about.name
        sides: list[Any] = about.shape
        kind = (ELEMENTS | IDS)[about.type]
        if self._parts and name not in feeds and name not in self._pairs:
            held = {
                part: np.zeros(high - low, np.float32) for part, (low, high) in self._parts.items()
            }
            held |= {**self._states, **{each: feeds[each] for each in held if each in feeds}}
            return np.concatenate([held[each].reshape(1, -1) for each in self._parts], 1)
        if name in self._pairs:
            # A side that is left open is that of rows which come: none before the first call.
            empty = [
                side if isinstance(side, int) else int(not at) for at, side in enumerate(sides)
            ]
            return self._states.get(name, np.zeros(empty, kind))
        array: NDArray[Any] = feeds[name].astype(kind)
        fixed = all(isinstance(side, int) for side in sides)
        return array.reshape(sides) if fixed else array


def refused(error: Exception, source: str) -> FormatError:
    """Return the error of a file that onnxruntime does not run."""
    return FormatError(
        field="the network",
        allowed="ONNX that onnxruntime runs",
        given=" ".join(str(error).split())[:200],
        source=source,
    )


def as_given(
    model: onnx.ModelProto | Path,
    *,
    states: Mapping[str, str] | None = None,
    precise: bool = False,
) -> GivenOnnx:
    """Return a file in a default session; precise: with exact sums where a processor saturates.

    Raises FormatError for a file that onnxruntime does not open.
    """
    return GivenOnnx(model, states=states, precise=precise)
