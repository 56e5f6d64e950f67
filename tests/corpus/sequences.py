"""Networks on (batch, tokens, channels) with drawn weights, as their authors publish them."""

import math
import random
from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as f

DRAWN = 12
"""Sequences that are drawn."""
CLASSES, WIDTH, HEADS, TOKENS = 8, 32, 2, 16
TEXT = (TOKENS, WIDTH)
LOWEST = torch.finfo(torch.float32).min
FILLS = {"fill_inf": -torch.inf, "fill_1e9": -1e9, "fill_1e4": -1e4, "fill_lowest": LOWEST}
SUMS = {"add_1e4": -1e4, "add_lowest": LOWEST, "add_inf": -torch.inf, "add_50": -50.0}
MASKS = ("sdpa", "fill_inf", "fill_1e9", "fill_1e4", *SUMS)
"""Ways in which a causal mask is written, in the order of what is drawn."""


class Causal(nn.Module):
    """Attention of which each token sees those before it; how: one of MASKS, or none at all."""

    def __init__(self, how: str = "") -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.how = how
        behind = torch.triu(torch.ones(TOKENS, TOKENS, dtype=torch.bool), 1)
        self.register_buffer("behind", behind, persistent=False)
        if how in SUMS:
            added = torch.zeros(TOKENS, TOKENS).masked_fill(behind, SUMS[how])
            self.register_buffer("added", added, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        heads = (n, tokens, HEADS, width // HEADS)
        q, k, v = (each.reshape(heads).transpose(1, 2) for each in self.qkv(x).chunk(3, -1))
        if self.how == "sdpa":
            y = f.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            scores = q @ k.transpose(-2, -1) / math.sqrt(width // HEADS)
            if self.how in FILLS:
                scores = scores.masked_fill(self.behind, FILLS[self.how])
            elif self.how in SUMS:
                scores = scores + self.added
            y = scores.softmax(-1) @ v
        return self.proj(y.transpose(1, 2).reshape(n, tokens, width))


class Gpt(nn.Module):
    """Two blocks behind learned positions; the answer is that of each token, or of the last."""

    def __init__(self, how: str, *, last: bool = False) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(1, TOKENS, WIDTH) / 4)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in range(5))
        self.attentions = nn.ModuleList(Causal(how) for _ in range(2))
        self.mlps = nn.ModuleList(
            nn.Sequential(nn.Linear(WIDTH, 64), nn.GELU(), nn.Linear(64, WIDTH)) for _ in range(2)
        )
        self.head, self.last = nn.Linear(WIDTH, CLASSES), last

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.place
        for block, (attention, mlp) in enumerate(zip(self.attentions, self.mlps, strict=True)):
            x = x + attention(self.norms[2 * block](x))
            x = x + mlp(self.norms[2 * block + 1](x))
        x = self.head(self.norms[4](x))
        return x[:, -1] if self.last else x


class Encoder(nn.Module):
    """A layer of torch's own encoder, its mean over the tokens and a head."""

    def __init__(self, *, norm_first: bool, activation: str) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 2 * WIDTH, dropout=0.0, activation=activation, batch_first=True,
            norm_first=norm_first,
        )  # fmt: skip
        self.head = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(x).mean(1))


class Conformer(nn.Module):
    """The convolution module of a conformer between half a feed-forward layer and a norm."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.norm, self.end = (nn.LayerNorm(WIDTH) for _ in range(3))
        self.forward_1, self.forward_2 = nn.Linear(WIDTH, 64), nn.Linear(64, WIDTH)
        self.wide, self.narrow = nn.Conv1d(WIDTH, 2 * WIDTH, 1), nn.Conv1d(WIDTH, WIDTH, 1)
        self.depth = nn.Conv1d(WIDTH, WIDTH, 7, padding=3, groups=WIDTH)
        self.batch_norm, self.head = nn.BatchNorm1d(WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = x + 0.5 * self.forward_2(f.silu(self.forward_1(self.first(x))))
        y = f.glu(self.wide(self.norm(x).transpose(1, 2)), 1)
        y = self.narrow(f.silu(self.batch_norm(self.depth(y))))
        return self.head(self.end(x + y.transpose(1, 2)).mean(1))


class LinearAttention(nn.Module):
    """Attention without a softmax: keys times values first."""

    def __init__(self) -> None:
        super().__init__()
        self.q, self.k, self.v, self.out = (nn.Linear(WIDTH, WIDTH) for _ in range(4))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x)
        q, k, v = f.relu(self.q(y)), f.relu(self.k(y)), self.v(y)
        x = x + self.out(q @ (k.transpose(-2, -1) @ v / TOKENS))
        return self.head(x.mean(1))


class Cross(nn.Module):
    """Constant queries that attend to the input, by torch's own decoder layer."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerDecoderLayer(
            WIDTH, HEADS, 2 * WIDTH, dropout=0.0, batch_first=True
        )
        self.queries = nn.Parameter(torch.randn(1, 8, WIDTH))
        self.head = nn.Linear(WIDTH, 6)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.layer(self.queries.expand(len(x), -1, -1), x))


class Recurrent(nn.Module):
    """An LSTM and the classes of its last step."""

    def __init__(self) -> None:
        super().__init__()
        self.cells, self.head = nn.LSTM(16, 16, batch_first=True), nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.cells(x)[0][:, -1])


class Steps(nn.Module):
    """Convolutions over the steps of (batch, channels, steps)."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv1d(8, 16, 3, padding=1), nn.Conv1d(16, 16, 3)
        self.head = nn.Linear(16, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(f.relu(self.second(f.relu(self.first(x)))).mean(2))


class Mixing(nn.Module):
    """A layer over the tokens of each channel."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(TOKENS, TOKENS)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.transpose(1, 2)).transpose(1, 2)


class Gated(nn.Module):
    """Half of the channels times a function of the other half."""

    def __init__(self) -> None:
        super().__init__()
        self.wide, self.narrow = nn.Linear(WIDTH, 2 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        one, other = self.wide(x).chunk(2, -1)
        return self.narrow(f.silu(one) * other)


class Shifted(nn.Module):
    """A depthwise convolution over the tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv1d(WIDTH, WIDTH, 3, padding=1, groups=WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x.transpose(1, 2)).transpose(1, 2)


class Drawn(nn.Module):
    """Blocks between residuals, drawn from a seed, with or without positions."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        chance = random.Random(seed)
        kinds = [lambda: Causal(chance.choice(("", *MASKS))), Mixing, Gated, Shifted]
        blocks = [kinds[seed % len(kinds)](), *(chance.choice(kinds)() for _ in range(2))]
        self.blocks = nn.ModuleList(blocks)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH) for _ in blocks)
        # What mixes tokens at once would have them as channels of the image.
        mixing = isinstance(blocks[0], Mixing)
        self.first, self.last = (
            mixing or chance.random() < 0.5,
            chance.choice(("mean", "each", "first")),
        )
        self.place = nn.Parameter(torch.randn(1, TOKENS, WIDTH) / 4)
        self.placed, self.head = chance.random() < 0.5, nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.place if self.placed else x
        for block, norm in zip(self.blocks, self.norms, strict=True):
            x = x + block(norm(x)) if self.first else norm(x + block(x))
        if self.last == "mean":
            x = x.mean(1)
        return self.head(x[:, 0] if self.last == "first" else x)


SEQUENCES: Mapping[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = MappingProxyType(
    {
        "encoder_post": (lambda: Encoder(norm_first=False, activation="relu"), TEXT),
        "encoder_pre": (lambda: Encoder(norm_first=True, activation="gelu"), TEXT),
        "conformer": (Conformer, TEXT),
        "linear_attention": (LinearAttention, TEXT),
        "gpt_last": (lambda: Gpt("sdpa", last=True), TEXT),
        "gpt_no_mask": (lambda: Gpt(""), TEXT),
        **{f"drawn_{seed}": (lambda seed=seed: Drawn(seed), TEXT) for seed in range(DRAWN)},
        **{f"gpt_{how}": (lambda how=how: Gpt(how), TEXT) for how in MASKS},
    }
)
"""By name: what makes it, and (tokens, channels) of its input."""

STEPS: Mapping[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = MappingProxyType(
    {"lstm": (Recurrent, (8, 16)), "conv1d": (Steps, (8, 16))}
)
"""Whose rows are channels: an LSTM's steps, and what Conv1d reads."""
