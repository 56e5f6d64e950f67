"""What the host does around a chip: the steps from a raw image to the integers of the input.

Tests: `tests/importers/onnx/test_host.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import groupby
from types import MappingProxyType
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.maps import Complaint, FeatureMap

Operation = Literal[
    "add", "subtract", "subtract_from", "multiply", "divide", "at_least", "at_most", "round"
]
Value = Annotated[float, Field(allow_inf_nan=False)]

WORDS: Mapping[Operation, str] = MappingProxyType(
    {
        "add": "plus",
        "subtract": "minus",
        "subtract_from": "subtracted from",
        "multiply": "times",
        "divide": "divided by",
        "at_least": "at least",
        "at_most": "at most",
        "round": "rounded to a multiple of",
    }
)
"""How each operation reads before its constants."""

APPLY: Mapping[Operation, Callable[..., Any]] = MappingProxyType(
    {
        "add": np.add,
        "subtract": np.subtract,
        "subtract_from": lambda image, values: values - image,
        "multiply": np.multiply,
        "divide": np.divide,
        "at_least": np.maximum,
        "at_most": np.minimum,
        "round": lambda image, _: np.rint(image),
    }
)
"""What each operation computes of an image and its constants."""

UNDO: Mapping[Operation, Callable[..., Any]] = MappingProxyType(
    {
        "add": np.subtract,
        "subtract": np.add,
        "subtract_from": APPLY["subtract_from"],
        "multiply": np.divide,
        "divide": np.multiply,
    }
)
"""What takes each operation back; limits and roundings cannot be."""

FACTORS = ("multiply", "divide")

LARGEST_OF_ONE = 2.0
"""A raw image whose range ends below is one of 0 to 1."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ImageStep:
    """An operation on the raw image, in float32.

    node: that it stands for in the file; values: one, or one for each channel
    """

    node: str
    operation: Operation
    values: Annotated[tuple[Value, ...], Field(min_length=1)]

    def apply(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return an image, (..., channels), after the step."""
        applied: NDArray[np.float32] = APPLY[self.operation](
            image, np.array(self.values, np.float32)
        )
        return applied

    def undo(self, image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return an image before the step; limits and roundings are not undone."""
        undo = UNDO.get(self.operation)
        return image if undo is None else undo(image, np.array(self.values, np.float64))

    def words(self) -> str:
        """Return the step with its constants; of equal ones in a row, for how many channels."""
        runs = [(value, len(list(equal))) for value, equal in groupby(self.values)]
        short = len(runs) == 1 or len(runs) == len(self.values)
        told = (f"{value:.9g}{'' if short else f' for {count}'}" for value, count in runs)
        return f"{WORDS[self.operation]} {', '.join(told)}{'' if short else ' channels'}"


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RawImage:
    """The image as the imported file reads it, where that is not the real image of the input.

    steps: in order; then the image is quantized
    byte: number of the raw image that a byte of 1 of a data set is
    """

    steps: tuple[ImageStep, ...]
    byte: Annotated[float, Field(gt=0, allow_inf_nan=False)]

    def integers(self, raw: NDArray[Any], image: FeatureMap) -> NDArray[Any]:
        """Return raw images, (..., height, width, channels), as integers of the input.

        In float32, rounded to even, as QuantizeLinear of onnxruntime does.
        """
        values, real = image.quantization[0], raw.astype(np.float32)
        with np.errstate(over="ignore", invalid="ignore"):
            for step in self.steps:
                real = step.apply(real)
            steps = np.rint(real / np.float32(values.scale)).astype(np.float64) + values.zero_point
        integers: NDArray[Any] = steps.clip(0, (1 << image.bits) - 1).astype(image.dtype)
        return integers

    def of_bytes(self, images: NDArray[np.uint8], image: FeatureMap) -> NDArray[Any]:
        """Return images of a data set as integers of the input."""
        return self.integers(images.astype(np.float32) * np.float32(self.byte), image)

    def reals(self, integers: NDArray[Any], image: FeatureMap) -> NDArray[np.float64]:
        """Return raw images that become integers of the input, as near as the steps allow."""
        values = image.quantization[0]
        real = (integers.astype(np.float64) - values.zero_point) * values.scale
        for step in reversed(self.steps):
            real = step.undo(real)
        return real

    def sentence(self) -> str:
        """Return what the host does to a raw image before its quantization."""
        steps = "".join(f", {step.words()} ({step.node})" for step in self.steps)
        byte = "as they are" if self.byte == 1 else f"times {self.byte:.9g}"
        return f"real = the raw image{steps}: by the host; bytes of a data set are read {byte}"


def raw_image_complaints(raw: RawImage, image: FeatureMap) -> Iterator[Complaint]:
    """Check that each step has constants for the channels of the image and can be undone."""
    for step in raw.steps:
        if len(step.values) not in (1, image.channels):
            yield f"raw_image, {step.node}", f"1 or {image.channels} values", len(step.values)
        if step.operation in FACTORS and 0 in step.values:
            yield f"raw_image, {step.node}", "factors other than 0", 0
        if step.operation == "round" and set(step.values) != {1}:
            yield f"raw_image, {step.node}", "rounded to multiples of 1", step.values


def byte_of(steps: tuple[ImageStep, ...], image: FeatureMap, *, integers: bool) -> float:
    """Return what a byte counts: 1 where the file reads integers or far above 1, else 1 / 255."""
    ends = np.array([0, (1 << image.bits) - 1]).reshape(2, 1)
    largest = RawImage(steps=steps, byte=1.0).reals(ends, image).max()
    return 1.0 if integers or largest > LARGEST_OF_ONE else 1 / 255
