"""A language model: characters and their places become tokens, which read those before them.

Tests: `tests/train/characters/test_train.py`.
"""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from hwgen.train.characters.recipe import Decoder
from hwgen.train.characters.text import ALPHABET
from hwgen.train.fake_quantization import WeightQuantizer
from hwgen.train.fta import project
from hwgen.train.transformer.model import Attention, Dense

TWO_DIGITS = 2
LEAST = 3
"""The smallest integer of two digits, 4 - 1."""


class TwoDigits(WeightQuantizer):
    """int8 by filter: each weight has exactly two digits, or is zero.

    The step of a filter is that of least square error, chosen once.
    """

    def __init__(self, filters: int) -> None:
        super().__init__(filters, rule="mode", common=False, step="least_error")

    def renew(self, weight: Tensor, mask: Tensor) -> None:
        """Choose the step of each filter, unless it is chosen."""
        self.phi.fill_(TWO_DIGITS)
        if not self.stretch.any():
            self.stretch.copy_(self.best_stretch(weight, mask))

    @torch.no_grad()
    def integers(self, weight: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return the integers, float32 whole numbers, and the step of each filter."""
        scale = self.scale(weight)
        q = self.round(weight, scale)
        # The halfway to the smallest member lies between 1 and 2.
        return project(q, mask & (q.abs() * 2 > LEAST), weight.detach(), self.phi), scale


class Causal(Attention):
    """Each token reads itself and the tokens before it, in each head."""

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, tokens, width)."""
        query, key, value = (self.by_head(layer(x)) for layer in (self.query, self.key, self.value))
        # The gain of the query is the scale.
        read = functional.scaled_dot_product_attention(query, key, value, is_causal=True, scale=1.0)
        return cast(Tensor, self.write(read.transpose(1, 2).flatten(2)))


class CausalBlock(nn.Module):
    """Causal attention and two layers on each token, each behind a norm and beside a residual."""

    def __init__(self, given: Decoder, dropout: float) -> None:
        super().__init__()
        width = given.width
        self.before_attention, self.before_layers = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Causal(width, given.heads)
        self.wide, self.narrow = Dense(width, given.hidden), Dense(given.hidden, width)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, tokens, width)."""
        x = x + self.dropped(self.attention(self.before_attention(x)))
        hidden = functional.gelu(self.wide(self.before_layers(x)))
        return cast(Tensor, x + self.dropped(self.narrow(hidden)))

    def dropped(self, x: Tensor) -> Tensor:
        """Return `x`, in training without some of its elements."""
        return functional.dropout(x, self.dropout, self.training) if self.dropout else x


class CharacterModel(nn.Module):
    """Logits (n, tokens, characters) of the numbers of characters (n, tokens)."""

    def __init__(self, given: Decoder, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.letters = nn.Parameter(torch.empty(len(ALPHABET), given.width))
        self.places = nn.Parameter(torch.empty(given.context, given.width))
        nn.init.normal_(self.letters, std=0.5)
        nn.init.normal_(self.places, std=0.1)
        self.blocks = nn.ModuleList(CausalBlock(given, dropout) for _ in range(given.blocks))
        self.norm, self.head = nn.LayerNorm(given.width), Dense(given.width, len(ALPHABET))
        with torch.no_grad():
            # What a block adds is small at first, so that a deep sum keeps its size.
            for block in self.blocks:
                for layer in (block.attention.write, block.narrow):
                    layer.weight.mul_((2 * given.blocks) ** -0.5)
        for layer in self.dense:
            layer.quantizer = TwoDigits(len(layer.weight))

    def forward(self, codes: Tensor) -> Tensor:
        """Return logits."""
        return self.of_tokens(
            functional.embedding(codes, self.letters) + self.places[: codes.shape[1]]
        )

    def of_tokens(self, x: Tensor) -> Tensor:
        """Return the logits of tokens (n, tokens, width): characters with their places."""
        for block in self.blocks:
            x = block(x)
        return cast(Tensor, self.head(self.norm(x)))

    @property
    def dense(self) -> list[Dense]:
        """All layers with weights, the head last."""
        return [each for each in self.modules() if isinstance(each, Dense)]

    def to_grids(self) -> None:
        """Put all weights on their integer grids from now on."""
        for layer in self.dense:
            layer.on_grid = True
            layer.quantizer.renew(layer.kept(), layer.mask)
