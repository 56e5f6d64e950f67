"""Drawn networks that remember: LSTM and GRU cells, a streaming convolutional network."""

from collections.abc import Callable, Sequence

import numpy as np

from hwgen.network import INPUT, Layer, QuantizedNetwork, Rows, Stack, State
from verif.dbpim.calibration import ByteRange, feature_map
from verif.dbpim.network_builder import SIGNED, NetworkBuilder, Shape

UNIT = 6 / 128
"""Step of a state."""


class Remembering(NetworkBuilder):
    """Layers of networks with states; a state is there before what it becomes."""

    def state(self, shape: Shape, *, like: str = "") -> str:
        """Append a state of drawn first values; like: the map whose quantization it has."""
        output = feature_map(shape, SIGNED, scale=UNIT)
        if like:
            before = self.features[like]
            height, width, channels = shape
            output = before.__class__(
                **{**vars(before), "height": height, "width": width, "channels": channels}
            )
        name, values = f"state_{len(self._layers)}", output.quantization[0]
        held = self.rng.integers(values.low, values.high + 1, shape)
        self._held[name] = {"map": held.astype(np.uint8)}
        common = self._common("state", (), output)
        return self._append(State(op="state", next=common["name"], **common))

    def _append(self, layer: Layer) -> str:
        made = super()._append(layer)
        if isinstance(layer, State):
            self.maps[made] = np.repeat(self.maps[made], len(self.maps[INPUT]), axis=0)
        return made

    def keep(self, state: str, source: str) -> str:
        """Let a state become a map, brought to its quantization; return that."""
        if self.features[source].quantization != self.features[state].quantization:
            source = self.rescale(source, like=state)
        self._layers = [
            State(**{**vars(layer), "next": source}) if layer.name == state else layer
            for layer in self._layers
        ]
        return source

    def stack(self, *sources: str) -> str:
        """Append maps of one width and quantization, one below the other."""
        first = self.features[sources[0]]
        height = sum(self.features[name].height for name in sources)
        output = first.__class__(**{**vars(first), "height": height})
        return self._append(Stack(op="stack", **self._common("stack", sources, output)))

    def rows(self, source: str, first: int, count: int) -> str:
        """Append some rows of a map."""
        before = self.features[source]
        output = before.__class__(**{**vars(before), "height": count})
        common = self._common("rows", source, output)
        return self._append(Rows(op="rows", first=first, count=count, **common))

    def dense(self, sources: Sequence[str], outputs: int) -> str:
        """Append the sum of matrices, one for each map of one pixel."""
        parts = []
        for name in sources:
            shape = outputs, self.features[name].channels
            weights = self.rng.integers(-127, 128, shape).astype(np.int8)
            parts.append(self.conv(name, weights, kernel=(1, 1), padding=0, output=SIGNED))
        made = parts[0]
        for part in parts[1:]:
            made = self.add(made, part, output=SIGNED)
        return made

    def sigmoid(self, source: str) -> str:
        """Append 1 / (1 + exp(-x))."""
        return self.table(source, lambda x: 1 / (1 + np.exp(-x)), output=ByteRange(0, 0, 255))

    def tanh(self, source: str) -> str:
        """Append the hyperbolic tangent."""
        return self.table(source, np.tanh, output=SIGNED)


def lstm(seed: int, *, inputs: int = 64, width: int = 64) -> QuantizedNetwork:
    """Return an LSTM cell whose answer is its output."""
    build = Remembering(
        name="drawn LSTM", shape=(1, 1, inputs), seed=seed, zero_point=128, images=8
    )
    hidden, cell = build.state((1, 1, width)), build.state((1, 1, width))
    given = [INPUT, hidden]
    enters, forgets, leaves = (build.sigmoid(build.dense(given, width)) for _ in range(3))
    new = build.tanh(build.dense(given, width))
    kept = build.multiply(forgets, cell, output=SIGNED)
    added = build.multiply(enters, new, output=SIGNED)
    now = build.keep(cell, build.add(kept, added, output=SIGNED))
    build.keep(hidden, build.multiply(leaves, build.tanh(now), output=SIGNED))
    return build.build()


def gru(seed: int, *, inputs: int = 64, width: int = 64) -> QuantizedNetwork:
    """Return a GRU cell whose answer is its output."""
    build = Remembering(name="drawn GRU", shape=(1, 1, inputs), seed=seed, zero_point=128, images=8)
    hidden = build.state((1, 1, width))
    update, reset = (build.sigmoid(build.dense([INPUT, hidden], width)) for _ in range(2))
    past = build.multiply(build.dense([hidden], width), reset, output=SIGNED)
    new = build.tanh(build.add(build.dense([INPUT], width), past, output=SIGNED))
    other = build.table(update, lambda x: 1 - x / x.max(), output=ByteRange(0, 0, 255))
    fresh = build.multiply(new, other, output=SIGNED)
    old = build.multiply(hidden, update, output=SIGNED)
    build.keep(hidden, build.add(fresh, old, output=SIGNED))
    return build.build()


def streaming(seed: int, *, width: int = 4, channels: int = 8) -> QuantizedNetwork:
    """Return a causal network of frames: stride 2, a depthwise layer, a mean over four steps."""
    build = Remembering(
        name="drawn stream", shape=(2, width, channels), seed=seed, zero_point=128, images=8
    )
    before = build.state((1, width, channels), like=INPUT)
    frames = build.stack(before, INPUT)
    build.keep(before, build.rows(frames, 2, 1))
    weights = build.rng.integers(-127, 128, (16, 9 * channels)).astype(np.int8)
    now = build.conv(
        frames, weights, kernel=(3, 3), stride=(2, 1), padding=(0, 1, 0, 1), output=SIGNED
    )
    older = build.state((2, width, 16), like=now)
    taps = build.stack(older, now)
    build.keep(older, build.rows(taps, 1, 2))
    weights = build.rng.integers(-127, 128, (16, 9)).astype(np.int8)
    now = build.depthwise(taps, weights, padding=(0, 1, 0, 1), output=SIGNED)
    window = build.state((3, width, 16), like=now)
    all_steps = build.stack(window, now)
    build.keep(window, build.rows(all_steps, 1, 3))
    mean = build.global_pool(all_steps, output=SIGNED)
    weights = build.rng.integers(-127, 128, (10, 16)).astype(np.int8)
    build.linear(mean, weights, output=SIGNED)
    return build.build()


NETWORKS: dict[str, Callable[[int], QuantizedNetwork]] = {
    "lstm": lstm,
    "gru": gru,
    "streaming": streaming,
}
