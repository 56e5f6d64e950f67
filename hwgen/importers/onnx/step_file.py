"""The file of a decoder's step, as the user has it: its caches go from call to call.

Tests: `tests/importers/onnx/test_past.py`.
"""

from pathlib import Path

import numpy as np

from hwgen.importers.judge import Feeds, Outputs
from hwgen.importers.onnx.as_given import GivenOnnx
from hwgen.importers.onnx.external import read_whole_model
from hwgen.importers.onnx.past import Whole


class StepFile:
    """All tokens of a sequence, a call each; outputs have the tokens on their second axis."""

    setting = ""

    def __init__(self, path: Path, positions: int) -> None:
        """Open a file whose step is that of a causal decoder of so many tokens."""
        whole = Whole(read_whole_model(path), positions, str(path))
        whole.made()
        self._calls, self._given = whole.calls, GivenOnnx(path)
        self.name = self._given.name

    def reset(self) -> None:
        """Do nothing: each sequence begins anew, with empty caches."""

    def __call__(self, feeds: Feeds) -> Outputs:
        """Return all outputs of all tokens, but those that caches become."""
        (tokens,) = feeds.values()
        calls, held, found = self._calls, dict[str, np.ndarray](), list[Outputs]()
        for place in range(tokens.shape[1]):
            token = {calls.token: tokens[:, place : place + 1]}
            found.append(self._given({**calls.inputs_of(place), **held, **token}))
            held = {name: found[-1][after] for name, after in calls.caches.items()}
        shown = [name for name in found[0] if name not in calls.caches.values()]
        return {name: np.concatenate([each[name] for each in found], axis=1) for name in shown}
