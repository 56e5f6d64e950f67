"""How far a quantized model is from the float model that it was made of, on the same images.

Both run in onnxruntime. What golden has otherwise than the runtime is said apart from this.

Tests: `tests/importers/onnx/test_distance.py`.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Distance:
    """Of one output, over all images.

    decibels: 10 log10 of the sum of squares of the float output over that of the difference; None:
        one of the two is zero, or the output has integers
    classes: share of images whose largest element is the same, of outputs that are one vector; of
        outputs of integers the share of equal elements; None: others
    """

    output: str
    images: int
    decibels: float | None
    classes: float | None


@dataclass
class Sums:
    """What is summed over images of one output."""

    signal: float = 0.0
    noise: float = 0.0
    equal: list[NDArray[np.bool_]] = field(default_factory=list)

    def add(self, real: NDArray[Any], given: NDArray[Any]) -> None:
        """Add a batch; real: of the float model."""
        if real.dtype.kind != "f":
            self.equal.append((real == given).reshape(-1))
            return
        inside = np.isfinite(real) & np.isfinite(given)
        wide, other = (np.where(inside, each, 0).astype(np.float64) for each in (real, given))
        self.signal += float((wide**2).sum())
        self.noise += float(((wide - other) ** 2).sum())
        if real.ndim > 1 and max(real.shape[1:]) == real[0].size > 1:
            flat, found = real.reshape(len(real), -1), given.reshape(len(real), -1)
            self.equal.append(flat.argmax(axis=1) == found.argmax(axis=1))

    def distance(self, output: str, images: int) -> Distance:
        """Return the distance."""
        known = self.signal > 0 and self.noise > 0
        return Distance(
            output=output,
            images=images,
            decibels=10 * math.log10(self.signal / self.noise) if known else None,
            classes=float(np.concatenate(self.equal).mean()) if self.equal else None,
        )


def distances(
    real: onnx.ModelProto, quantized: onnx.ModelProto, inputs: Iterable[dict[str, NDArray[Any]]]
) -> tuple[Distance, ...]:
    """Return the distance of each output; inputs: batches, by the name of the image."""
    sessions = [
        onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        for model in (real, quantized)
    ]
    names = [each.name for each in sessions[0].get_outputs()]
    sums, images = [Sums() for _ in names], 0
    for each in inputs:
        wanted, given = (session.run(None, each) for session in sessions)
        for summed, *pair in zip(sums, wanted, given, strict=True):
            summed.add(*pair)
        images += len(next(iter(each.values())))
    return tuple(summed.distance(name, images) for summed, name in zip(sums, names, strict=True))
