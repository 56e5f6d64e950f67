"""Decoders as users write them in torch: ids of a whole sequence in, logits behind each out."""

import contextlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from tests.zoo.exports import OPSET


@dataclass(frozen=True, kw_only=True)
class Kind:
    """keys: heads of keys and values; hidden: of the layers between; places: learned, or turned."""

    width: int = 32
    heads: int = 4
    keys: int = 4
    hidden: int = 48
    blocks: int = 1
    tokens: int = 12
    ids: int = 27
    llama: bool = False
    turned: bool = False
    masked: bool = True


class Norm(nn.Module):
    """Each token over the root of its mean square."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(1 + 0.1 * torch.randn(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * self.weight


class Block(nn.Module):
    """Attention and two layers; llama: RMSNorm and SwiGLU in place of LayerNorm and GELU."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind, self.side = kind, kind.width // kind.heads
        norm = Norm if kind.llama else nn.LayerNorm
        self.before, self.between = norm(kind.width), norm(kind.width)
        sides = (kind.width, kind.keys * self.side, kind.keys * self.side)
        self.query, self.key, self.value = (nn.Linear(kind.width, each) for each in sides)
        self.write = nn.Linear(kind.width, kind.width)
        self.wide, self.narrow = (
            nn.Linear(kind.width, kind.hidden),
            nn.Linear(kind.hidden, kind.width),
        )
        self.gate = nn.Linear(kind.width, kind.hidden) if kind.llama else None
        above = torch.triu(torch.full((kind.tokens, kind.tokens), -torch.inf), 1)
        self.register_buffer("mask", above)
        rates = 10000.0 ** (-torch.arange(0, self.side, 2) / self.side)
        angles = torch.outer(torch.arange(kind.tokens), rates).repeat(1, 2)
        self.register_buffer("cosines", angles.cos())
        self.register_buffer("sines", angles.sin())

    def heads(self, x: Tensor, heads: int) -> Tensor:
        return x.view(1, -1, heads, self.side).transpose(1, 2)

    def turn(self, x: Tensor) -> Tensor:
        if not self.kind.turned:
            return x
        half = self.side // 2
        return x * self.cosines + torch.cat([-x[..., half:], x[..., :half]], -1) * self.sines

    def forward(self, x: Tensor) -> Tensor:
        kind, read = self.kind, self.before(x)
        query = self.turn(self.heads(self.query(read), kind.heads))
        key = self.turn(self.heads(self.key(read), kind.keys))
        value = self.heads(self.value(read), kind.keys)
        key, value = (
            each.repeat_interleave(kind.heads // kind.keys, 1) if kind.keys < kind.heads else each
            for each in (key, value)
        )
        scores = query @ key.transpose(2, 3) * self.side**-0.5
        shares = (scores + self.mask if kind.masked else scores).softmax(-1)
        x = x + self.write((shares @ value).transpose(1, 2).reshape(x.shape))
        read = self.between(x)
        wide = self.wide(read)
        gate = self.gate
        return x + self.narrow(
            functional.gelu(wide) if gate is None else functional.silu(gate(read)) * wide
        )


class Decoder(nn.Module):
    """Ids (1, tokens) to logits (1, tokens, ids)."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.table = nn.Embedding(kind.ids, kind.width)
        self.places = None if kind.turned else nn.Embedding(kind.tokens, kind.width)
        self.blocks = nn.Sequential(*(Block(kind) for _ in range(kind.blocks)))
        self.norm = (Norm if kind.llama else nn.LayerNorm)(kind.width)
        self.head = nn.Linear(kind.width, kind.ids, bias=False)

    def forward(self, ids: Tensor) -> Tensor:
        x = self.table(ids)
        if self.places is not None:
            x = x + self.places(torch.arange(ids.shape[1]))
        return self.head(self.norm(self.blocks(x)))


def written(kind: Kind, path: Path, exporter: str) -> Path:
    """Write a decoder of drawn weights as one of torch's exporters does."""
    torch.manual_seed(3)
    quiet = io.StringIO()
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(quiet),
        contextlib.redirect_stderr(quiet),
    ):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Decoder(kind).eval(),
            (torch.zeros(1, kind.tokens, dtype=torch.long),),
            path,
            input_names=["ids"],
            output_names=["logits"],
            opset_version=OPSET[exporter],
            dynamo=exporter == "dynamo",
            external_data=False,
        )
    return path
