"""Drawn decoders: causal blocks of attention and two layers, of all tokens at once."""

from dataclasses import dataclass, replace

import numpy as np

from hwgen.network import CausalSoftmax, QuantizedNetwork
from hwgen.network.tokens import TokenRows
from verif.dbpim.network_builder import SIGNED, NetworkBuilder


@dataclass(frozen=True)
class DecoderShape:
    """Sizes of a decoder; tokens: positions that it has."""

    blocks: int
    width: int
    heads: int
    hidden: int
    tokens: int


def drawn_shape(rng: np.random.Generator, *, word: int = 8) -> DecoderShape:
    """Return sizes that a chip of words of `word` bytes runs."""
    heads = int(rng.integers(1, 4))
    return DecoderShape(
        blocks=int(rng.integers(1, 4)),
        width=heads * word * int(rng.integers(1, 3)),
        heads=heads,
        hidden=word * int(rng.integers(2, 8)),
        tokens=word * int(rng.integers(1, 5)),
    )


def drawn_decoder(
    seed: int, shape: DecoderShape, *, classes: int = 16, placed: bool = False
) -> QuantizedNetwork:
    """Return a decoder of all its tokens, scaled by drawn ones.

    placed: constants are added to its image and multiplied by its keys; its image is of 32 ids
    """
    size = (shape.tokens, 1, shape.width)
    build = Decoders(name="drawn decoder", shape=size, seed=seed, zero_point=128, images=4)
    tokens = build.add("input", build.constant(like="input"), output=SIGNED) if placed else "input"
    for _ in range(shape.blocks):
        read = build.attention(tokens, shape, placed=placed)
        tokens = build.add(tokens, read, output=SIGNED)
        hidden = build.dense(build.layer_norm(tokens, output=SIGNED), shape.hidden)
        hidden = build.table(hidden, np.tanh, output=SIGNED)
        tokens = build.add(tokens, build.dense(hidden, shape.width), output=SIGNED)
    build.dense(build.layer_norm(tokens, output=SIGNED), classes)
    rows = build.rng.integers(0, 256, (32, shape.width), dtype=np.uint8)
    made = build.build()
    return replace(made, token_rows=TokenRows(name="", rows=rows)) if placed else made


class Decoders(NetworkBuilder):
    """Layers of causal networks."""

    def dense(self, source: str, outputs: int) -> str:
        """Append a layer that reads each token alone."""
        weights = self.rng.integers(-127, 128, (outputs, self.features[source].channels))
        return self.conv(source, weights.astype(np.int8), kernel=(1, 1), padding=0, output=SIGNED)

    def causal_softmax(self, source: str, *, groups: int) -> str:
        """Append shares of the channels of each group that count."""
        self.softmax(source, groups=groups)
        layer = self._layers.pop()
        fields = {**vars(layer), "op": "causal_softmax", "keys": "pixel"}
        return self._append(CausalSoftmax(**fields))

    def attention(self, source: str, shape: DecoderShape, *, placed: bool = False) -> str:
        """Append what each token reads of itself and those before it; placed: keys have places."""
        read = self.layer_norm(source, output=SIGNED)
        query, key, value = (self.dense(read, shape.width) for _ in range(3))
        if placed:
            key = self.multiply(key, self.constant(like=key), output=SIGNED)
        scores = self.matmul(query, key, groups=shape.heads, transposed=True, output=SIGNED)
        shares = self.causal_softmax(scores, groups=shape.heads)
        mixed = self.matmul(shares, value, groups=shape.heads, transposed=False, output=SIGNED)
        return self.dense(mixed, shape.width)
