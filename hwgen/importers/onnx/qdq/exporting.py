"""The model that an export writes: its maps, and what all layers share.

Tests: `tests/importers/onnx/test_export.py`.
"""

import numpy as np
from numpy.typing import NDArray

from hwgen.errors import FormatError
from hwgen.importers.onnx.qdq.builder import Builder
from hwgen.network import FeatureMap, MapQuantization, QuantizedNetwork
from hwgen.network.host import Operation

FLAT = 2
"""Rank of the tensors that a fully connected layer writes; other maps have rank 4."""


class Exporting:
    """An export under way.

    build: the model so far
    named_scales: `weight_scale` of each layer whose scales in the model are others
    """

    def __init__(self, network: QuantizedNetwork, source: str) -> None:
        self.network = network
        self.build = Builder()
        self.named_scales: dict[str, list[float]] = {}
        self._source = source
        self._flat: set[str] = set()

    def image(self, name: str) -> None:
        """Append the image: a float input, the steps that the host did, and its quantization."""
        feature, raw = self.network.graph.input, self.network.raw_image
        height, width, channels = feature.shape
        self.build.input(name, (channels, height, width))
        real = name
        for number, step in enumerate(raw.steps if raw else (), start=1):
            values = np.array(step.values, np.float32).reshape(1, -1, 1, 1)
            limit = step.operation in ("at_least", "at_most")
            constant = self.build.constant(
                f"{name}/constant{number}", values.reshape(-1)[0] if limit else values
            )
            operator, inputs = step_node(step.operation, real, constant)
            real = self.build.node(operator, inputs, f"{name}/step{number}", name=step.node)
        self.quantize(name, real, feature, real_out=f"{name}/dequantized")

    def values(self, name: str) -> MapQuantization:
        """Return the quantization of a map."""
        return self.network.map_of(name).quantization[0]

    def scale(self, name: str) -> float:
        """Return the scale of a map."""
        return self.values(name).scale

    def real(self, name: str, *, rank: int = 4) -> str:
        """Return the tensor that holds a map as real numbers, of a rank (2: rows of values)."""
        tensor = f"{name}/dequantized" if name == "input" else name
        flat = name in self._flat
        if (rank == FLAT) == flat:
            return tensor
        if rank == FLAT:
            return self.build.node("Flatten", [tensor], f"{name}/flat/{self.build.size}", axis=1)
        shape = self.build.integers(f"{name}/shape", 0, 0, 1, 1)
        output = f"{name}/map/{self.build.size}"
        return self.build.node("Reshape", [tensor, shape], output)

    def all_flat(self, names: tuple[str, ...]) -> bool:
        """Return whether all maps are rows of values."""
        return set(names) <= self._flat

    def mark_flat(self, name: str) -> None:
        """Remember that a layer writes rows of values."""
        self._flat.add(name)

    def clipped(self, name: str, real: str, feature: FeatureMap, *, node_name: str = "") -> str:
        """Return `real` inside the range of its map; a range of all integers needs no node."""
        values = feature.quantization[0]
        whole = np.iinfo(feature.dtype)
        if (values.low, values.high) == (whole.min, whole.max):
            return real
        if values.low == values.zero_point and values.high == whole.max:
            return self.build.node("Relu", [real], f"{name}/relu", name=node_name)
        step = float(np.float32(values.scale))
        limits = [
            self.build.scalar(f"{name}/{key}", (integer - values.zero_point) * step)
            for key, integer in (("low", values.low), ("high", values.high))
        ]
        return self.build.node("Clip", [real, *limits], f"{name}/clip", name=node_name)

    def quantize(
        self,
        name: str,
        real: str,
        feature: FeatureMap,
        *,
        real_out: str = "",
        node_name: str = "",
    ) -> None:
        """Append the quantization of a map, and its reading as real numbers."""
        grid = self.grid(name, feature)
        self.build.node("QuantizeLinear", [real, *grid], f"{name}/quantized", name=node_name)
        self.dequantize(name, feature, real_out=real_out)

    def dequantize(self, name: str, feature: FeatureMap, *, real_out: str = "") -> None:
        """Append the reading of a map as real numbers."""
        tensors = [f"{name}/quantized", *self.grid(name, feature)]
        self.build.node("DequantizeLinear", tensors, real_out or name, name=f"{name}/dequantize")

    def grid(self, name: str, feature: FeatureMap) -> list[str]:
        """Return scale and zero point of a map."""
        values = feature.quantization[0]
        scale = self.scalar_of(f"{name}/scale", values.scale)
        zero = np.array(values.zero_point, feature.dtype)
        return [scale, self.build.constant(f"{name}/zero_point", zero)]

    def scalar_of(self, name: str, value: float) -> str:
        """Store a scale; refuse one that float32 does not hold."""
        self.check_normal(name, np.array(value, np.float64))
        return self.build.scalar(name, value)

    def check_normal(self, name: str, scales: NDArray[np.floating]) -> None:
        """Refuse scales that float32 does not hold with its full precision."""
        limits = np.finfo(np.float32)
        outside = scales[(scales < limits.tiny) | (scales > limits.max)]
        if outside.size:
            raise FormatError(
                field=name,
                allowed=f"from {limits.tiny:.3g} to {limits.max:.3g} in ONNX",
                given=f"{outside.flat[0]:.3g}",
                source=self._source,
            )

    def refuse(self, field: str, allowed: str, given: object) -> FormatError:
        """Return the error for a property of the network that ONNX cannot hold."""
        return FormatError(field=field, allowed=allowed, given=given, source=self._source)

    def answer(self, name: str) -> None:
        """Declare an output of the network as an output of the model."""
        height, width, channels = self.network.map_of(name).shape
        flat, places = name in self._flat, self.network.answer_places
        if len(parts := self.network.answer_parts) > 1:
            raise self.refuse("the answer", "of one map", f"a list of {', '.join(parts)}")
        if places is None or name != self.network.answer:
            self.build.output(name, (channels,) if flat else (channels, height, width))
            return
        if (places < 0).any():
            raise self.refuse("the order of the answer", "without zeros", "zeros")
        last = name
        if not flat:
            last = self.build.node("Transpose", [name], f"{name}/rows", perm=[0, 2, 3, 1])
        last = self.build.node("Flatten", [last], f"{name}/row", axis=1)
        chosen = self.build.integers(f"{name}/places", *places.reshape(-1).tolist())
        last = self.build.node("Gather", [last, chosen], f"{name}/chosen", axis=1)
        shape = self.build.integers(f"{name}/sides", 0, *places.shape)
        self.build.output(self.build.node("Reshape", [last, shape], f"{name}/answer"), places.shape)


def step_node(operation: Operation, image: str, constant: str) -> tuple[str, list[str]]:
    """Return the operator of a step before the image, and its inputs."""
    if operation == "subtract_from":
        return "Sub", [constant, image]
    if operation == "round":
        return "Round", [image]
    if operation == "at_least":
        return "Clip", [image, constant]
    if operation == "at_most":
        return "Clip", [image, "", constant]
    names = {"add": "Add", "subtract": "Sub", "multiply": "Mul", "divide": "Div"}
    return names[operation], [image, constant]
