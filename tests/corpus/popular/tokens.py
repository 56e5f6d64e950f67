"""Popular networks on tokens: transformers, and what stands in their place."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as f

from tests.corpus.popular.parts import CLASSES
from tests.corpus.sequences import HEADS, TOKENS, WIDTH, Gpt

HIDDEN = 64


class GptIds(nn.Module):
    """GPT of characters behind its table; the answer is that of the last token."""

    IDS = 27

    def __init__(self) -> None:
        super().__init__()
        self.table, self.body = nn.Embedding(self.IDS, WIDTH), Gpt("fill_inf", last=True)
        self.body.head = nn.Linear(WIDTH, self.IDS)

    def forward(self, ids: Tensor) -> Tensor:
        return self.body(self.table(ids))


class RmsNorm(nn.Module):
    """A norm without a mean, written out as Llama has it."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(1 + torch.randn(width) / 8)

    def forward(self, x: Tensor) -> Tensor:
        x = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)
        return self.weight * x


def turned(x: Tensor) -> Tensor:
    """Return (-x2, x1) of the halves of x."""
    one, two = x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]
    return torch.cat((-two, one), -1)


def halves(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Return x turned by angles; its halves are computed apart."""
    one, two = x.chunk(2, -1)
    cos, sin = cos[..., : one.shape[-1]], sin[..., : one.shape[-1]]
    return torch.cat((one * cos - two * sin, one * sin + two * cos), -1)


@dataclass(frozen=True)
class Kind:
    """Of attention: biases, a causal mask, turned places, heads of keys and values.

    apart: halves that turn are computed apart
    """

    bias: bool = True
    causal: bool = False
    rope: bool = False
    apart: bool = False
    shared: int = HEADS


class Attention(nn.Module):
    """Attention of one of its kinds."""

    def __init__(self, kind: Kind) -> None:
        super().__init__()
        self.kind, self.side = kind, WIDTH // HEADS
        few = kind.shared * self.side
        self.q = nn.Linear(WIDTH, WIDTH, bias=kind.bias)
        self.k, self.v = (nn.Linear(WIDTH, few, bias=kind.bias) for _ in range(2))
        self.o = nn.Linear(WIDTH, WIDTH, bias=kind.bias)
        angle = torch.outer(
            torch.arange(TOKENS).float(),
            10000.0 ** (-torch.arange(0, self.side, 2).float() / self.side),
        )
        angle = torch.cat((angle, angle), -1)
        mask = torch.full((TOKENS, TOKENS), torch.finfo(torch.float32).min).triu(1)
        for name, each in (("cos", angle.cos()), ("sin", angle.sin()), ("mask", mask)):
            self.register_buffer(name, each, persistent=False)

    def placed(self, x: Tensor) -> Tensor:
        """Turn queries or keys by their places."""
        if not self.kind.rope:
            return x
        if self.kind.apart:
            return halves(x, self.cos, self.sin)
        return x * self.cos + turned(x) * self.sin

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, _ = x.shape

        def heads(y: Tensor) -> Tensor:
            return y.view(n, tokens, -1, self.side).transpose(1, 2)

        q, k, v = self.placed(heads(self.q(x))), self.placed(heads(self.k(x))), heads(self.v(x))
        times = HEADS // self.kind.shared
        if times > 1:
            shape = (n, self.kind.shared, times, tokens, self.side)
            k, v = (
                y[:, :, None].expand(shape).reshape(n, HEADS, tokens, self.side) for y in (k, v)
            )
        scores = q @ k.transpose(2, 3) / math.sqrt(self.side)
        if self.kind.causal:
            scores = scores + self.mask
        y = scores.softmax(-1) @ v
        return self.o(y.transpose(1, 2).reshape(n, tokens, WIDTH))


class SwiGlu(nn.Module):
    """The function of one matrix times another, and a third one behind."""

    def __init__(self, *, bias: bool) -> None:
        super().__init__()
        self.gate, self.up = (nn.Linear(WIDTH, HIDDEN, bias=bias) for _ in range(2))
        self.down = nn.Linear(HIDDEN, WIDTH, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(f.silu(self.gate(x)) * self.up(x))


def mlp() -> nn.Module:
    """Return a hidden layer."""
    return nn.Sequential(nn.Linear(WIDTH, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, WIDTH))


class Block(nn.Module):
    """Attention and a hidden layer, each behind its norm and beside its input."""

    def __init__(self, kind: Kind, norm: Callable[[int], nn.Module], hidden: nn.Module) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = norm(WIDTH), norm(WIDTH)
        self.attention, self.hidden = Attention(kind), hidden

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm_1(x))
        return x + self.hidden(self.norm_2(x))


class Headed(nn.Module):
    """A block and the classes of the mean over its tokens, or of each token behind a norm."""

    def __init__(self, block: nn.Module, *, norm: bool = False) -> None:
        super().__init__()
        self.block, self.norm = block, RmsNorm(WIDTH) if norm else None
        self.head = nn.Linear(WIDTH, CLASSES, bias=not norm)

    def forward(self, x: Tensor) -> Tensor:
        x = self.block(x)
        return self.head(x.mean(1) if self.norm is None else self.norm(x))


def llama(shared: int = HEADS, *, apart: bool = False) -> nn.Module:
    """Return a block of Llama and its head."""
    kind = Kind(bias=False, causal=True, rope=True, apart=apart, shared=shared)
    return Headed(Block(kind, RmsNorm, SwiGlu(bias=False)), norm=True)


def encoder(
    kind: Kind = Kind(),
    norm: Callable[[int], nn.Module] = nn.LayerNorm,
    hidden: Callable[[], nn.Module] = mlp,
) -> nn.Module:
    """Return an encoder's block, the mean and a head."""
    return Headed(Block(kind, norm, hidden()))


def rms_torch() -> nn.Module:
    """Return torch's own norms without a mean around a layer."""
    return nn.Sequential(nn.RMSNorm(WIDTH), nn.Linear(WIDTH, WIDTH), nn.ReLU(), nn.RMSNorm(WIDTH))


class MixerBlock(nn.Module):
    """Layers over the tokens, then over the channels."""

    def __init__(self, tokens: int) -> None:
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.over = nn.Sequential(nn.Linear(tokens, 32), nn.GELU(), nn.Linear(32, tokens))
        self.mlp = mlp()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.over(self.norm_1(x).transpose(1, 2)).transpose(1, 2)
        return x + self.mlp(self.norm_2(x))


class Mixer(nn.Module):
    """MLP-Mixer."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 8, 8)
        self.blocks = nn.Sequential(MixerBlock(16), MixerBlock(16))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        return self.head(self.norm(self.blocks(x)).mean(1))


class Vit(nn.Module):
    """ViT, whose answer is that of its class token."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 8, 8)
        self.token = nn.Parameter(torch.randn(1, 1, WIDTH) / 4)
        self.place = nn.Parameter(torch.randn(1, 17, WIDTH) / 4)
        self.blocks = nn.Sequential(*(Block(Kind(), nn.LayerNorm, mlp()) for _ in range(2)))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), 1) + self.place
        return self.head(self.norm(self.blocks(x))[:, 0])


class Windows(nn.Module):
    """Attention within windows of 4 x 4 of a map, with a table of relative places."""

    SIDE = 4

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        side = self.SIDE
        self.table = nn.Parameter(torch.randn((2 * side - 1) ** 2, HEADS) / 4)
        y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
        places = torch.stack((y, x)).flatten(1)
        apart = (places[:, :, None] - places[:, None]) + side - 1
        index = apart[0] * (2 * side - 1) + apart[1]
        self.register_buffer("index", index.view(-1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        n, rows, columns, width = x.shape
        side, tokens = self.SIDE, self.SIDE**2
        x = x.view(n, rows // side, side, columns // side, side, width)
        x = x.permute(0, 1, 3, 2, 4, 5).reshape(-1, tokens, width)
        windows = x.shape[0]
        qkv = self.qkv(x).reshape(windows, tokens, 3, HEADS, width // HEADS)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        scores = (q * (width // HEADS) ** -0.5) @ k.transpose(-2, -1)
        bias = self.table[self.index].view(tokens, tokens, HEADS).permute(2, 0, 1).contiguous()
        y = (scores + bias.unsqueeze(0)).softmax(-1) @ v
        x = self.proj(y.transpose(1, 2).reshape(windows, tokens, width))
        x = x.view(n, rows // side, columns // side, side, side, width)
        return x.permute(0, 1, 3, 2, 4, 5).reshape(n, rows, columns, width)


class Swin(nn.Module):
    """Swin's block on a map of 8 x 8."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.norm = nn.Conv2d(3, WIDTH, 4, 4), nn.LayerNorm(WIDTH)
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.windows, self.mlp = Windows(), mlp()
        self.last, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.patches(x).permute(0, 2, 3, 1))
        x = x + self.windows(self.norm_1(x))
        x = x + self.mlp(self.norm_2(x))
        return self.head(self.last(x).mean((1, 2)))
