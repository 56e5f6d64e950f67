"""A language model: characters and their places become tokens, which read those before them.

Tests: `tests/train/characters/test_train.py`.
"""

from collections.abc import Callable
from functools import partial
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hwgen.train.characters.recipe import Decoder
from hwgen.train.characters.text import ALPHABET
from hwgen.train.chip_weights import TWO_DIGITS, FixedDigits
from hwgen.train.fake_quantization import on_grid
from hwgen.train.transformer.model import Attention, Dense

STEPS = 255
Range = tuple[float, float]
See = Callable[[str, Tensor], Tensor]
"""Takes the name of a map and the map; gives what goes on."""


def grid_of(values: Range) -> tuple[float, int]:
    """Return scale and zero point of the bytes of a range."""
    low, high = values
    scale = max(high - low, 1e-6) / STEPS
    return scale, round(-low / scale)


def of_block(see: See, block: str, name: str, x: Tensor) -> Tensor:
    """Return what happens to a map of a block."""
    return see(f"{block}.{name}", x)


class Causal(Attention):
    """Each token reads itself and the tokens before it, in each head."""

    def forward(self, x: Tensor, see: See | None = None) -> Tensor:
        """Return (n, tokens, width); see: what happens to each map on its way."""
        if see is None:
            layers = self.query, self.key, self.value
            query, key, value = (self.by_head(layer(x)) for layer in layers)
            # The gain of the query is the scale.
            read = functional.scaled_dot_product_attention(
                query, key, value, is_causal=True, scale=1.0
            )
            return cast(Tensor, self.write(read.transpose(1, 2).flatten(2)))
        query, key, value = (
            self.by_head(see(name, getattr(self, name)(x))) for name in ("query", "key", "value")
        )
        scores = see("scores", query @ key.transpose(2, 3))
        counts = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
        shares = see("shares", scores.masked_fill(~counts, -torch.inf).softmax(dim=-1))
        mixed = see("mixed", (shares @ value).transpose(1, 2).flatten(2))
        return see("write", self.write(mixed))


class CausalBlock(nn.Module):
    """Causal attention and two layers on each token, each behind a norm and beside a residual."""

    def __init__(self, given: Decoder, dropout: float) -> None:
        super().__init__()
        width = given.width
        self.before_attention, self.before_layers = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Causal(width, given.heads)
        self.wide, self.narrow = Dense(width, given.hidden), Dense(given.hidden, width)
        self.dropout = dropout

    def forward(self, x: Tensor, see: See | None = None) -> Tensor:
        """Return (n, tokens, width); see: what happens to each map on its way."""
        if see is None:
            x = x + self.dropped(self.attention(self.before_attention(x)))
            hidden = functional.gelu(self.wide(self.before_layers(x)))
            return x + self.dropped(self.narrow(hidden))
        read = self.attention(see("norm_1", self.before_attention(x)), see)
        x = see("sum_1", x + self.dropped(read))
        wide = see("wide", self.wide(see("norm_2", self.before_layers(x))))
        narrow = see("narrow", self.narrow(see("gelu", functional.gelu(wide))))
        return see("sum_2", x + self.dropped(narrow))

    def dropped(self, x: Tensor) -> Tensor:
        """Return `x`, in training without some of its elements."""
        return functional.dropout(x, self.dropout, self.training) if self.dropout else x


class CharacterModel(nn.Module):
    """Logits (n, tokens, characters) of the numbers of characters (n, tokens).

    ranges: of each map by name, once maps are on their grids; empty before
    """

    def __init__(self, given: Decoder, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.ranges: dict[str, Range] = {}
        self.letters = nn.Parameter(torch.empty(len(ALPHABET), given.width))
        self.places = nn.Parameter(torch.empty(given.context, given.width))
        nn.init.normal_(self.letters, std=0.5)
        nn.init.normal_(self.places, std=0.1)
        self.blocks = nn.ModuleList(CausalBlock(given, dropout) for _ in range(given.blocks))
        self.norm, self.head = nn.LayerNorm(given.width), Dense(given.width, len(ALPHABET))
        with torch.no_grad():
            # What a block adds is small at first, so that a deep sum keeps its size.
            for block in self.blocks:
                assert isinstance(block, CausalBlock)
                for layer in (block.attention.write, block.narrow):
                    layer.original.mul_((2 * given.blocks) ** -0.5)
        for dense in self.dense:
            dense.hold(FixedDigits(dense.original, rule=TWO_DIGITS, step="least_error"))

    def forward(self, codes: Tensor) -> Tensor:
        """Return logits."""
        tokens = functional.embedding(codes, self.letters) + self.places[: codes.shape[1]]
        if self.ranges:
            return self.seen(tokens, self.on_its_grid)
        for block in self.blocks:
            tokens = block(tokens)
        return cast(Tensor, self.head(self.norm(tokens)))

    def seen(self, tokens: Tensor, see: See) -> Tensor:
        """Return the logits of tokens (n, tokens, width); see: what happens to each map."""
        x = see("input", tokens)
        for number, block in enumerate(self.blocks):
            x = block(x, partial(of_block, see, f"block_{number}"))
        return see("logits", self.head(see("norm", self.norm(x))))

    def on_its_grid(self, name: str, x: Tensor) -> Tensor:
        """Return a map in 256 steps of its range, with the gradient of what lies inside."""
        scale, zero_point = grid_of(self.ranges[name])
        return on_grid(x, torch.tensor(scale), torch.tensor(zero_point), STEPS)

    @property
    def dense(self) -> list[Dense]:
        """All layers with weights, the head last."""
        return [each for each in self.modules() if isinstance(each, Dense)]

    def to_grids(self) -> None:
        """Put all weights on their integer grids from now on."""
        for layer in self.dense:
            layer.chip.on_grid = True
            layer.digits.renew(layer.original)
