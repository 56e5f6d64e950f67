"""Transformers with drawn weights, written as their usual sources write them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as f

CLASSES, WIDTH, HEADS, TOKENS = 5, 32, 2, 16
IMAGE, TEXT, LINE = (3, 16, 16), (TOKENS, WIDTH), (WIDTH, 1, TOKENS)


class Mlp(nn.Module):
    """Two layers on each token."""

    def __init__(self, width: int = WIDTH, hidden: int = 2 * WIDTH) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(f.gelu(self.fc1(x)))


class Attention(nn.Module):
    """Attention as timm writes it: one matrix for query, key and value, and a fused product."""

    def __init__(self, width: int = WIDTH, *, fused: bool = True, causal: bool = False) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.fused, self.causal = fused, causal

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, width = x.shape
        qkv = self.qkv(x).reshape(n, tokens, 3, HEADS, width // HEADS).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        if self.fused:
            x = f.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        else:
            x = ((q * (width // HEADS) ** -0.5) @ k.transpose(-2, -1)).softmax(-1) @ v
        return self.proj(x.transpose(1, 2).reshape(n, tokens, width))


class Block(nn.Module):
    """Norm before attention and layers."""

    def __init__(self, attention: nn.Module) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn, self.mlp = attention, Mlp()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class VisionTransformer(nn.Module):
    """Patches behind class tokens; the answer is the mean of their heads (DeiT has two)."""

    def __init__(self, block: Callable[[], nn.Module], tokens: int = 1) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 4, 4)
        self.tokens = nn.Parameter(torch.randn(1, tokens, WIDTH))
        self.place = nn.Parameter(torch.randn(1, TOKENS + tokens, WIDTH) / 4)
        self.blocks = nn.Sequential(block(), block())
        self.norm = nn.LayerNorm(WIDTH)
        self.heads = nn.ModuleList(nn.Linear(WIDTH, CLASSES) for _ in range(tokens))

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.tokens.expand(len(x), -1, -1), x], dim=1) + self.place
        x = self.norm(self.blocks(x))
        answers = [head(x[:, place]) for place, head in enumerate(self.heads)]
        return answers[0] if len(answers) == 1 else (answers[0] + answers[1]) / 2


class MultiHead(nn.Module):
    """Attention as torchvision has it: torch's own module."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.MultiheadAttention(WIDTH, HEADS, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.inner(x, x, x, need_weights=False)[0]


class Compact(nn.Module):
    """A compact transformer: convolutions as tokenizer, a pooling that attends to tokens."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.block = nn.Conv2d(3, WIDTH, 3, 2, 1), Block(Attention())
        self.place = nn.Parameter(torch.randn(1, TOKENS, WIDTH) / 4)
        self.norm, self.pool = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, 1)
        self.last = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = f.max_pool2d(f.relu(self.conv(x)), 2).flatten(2).transpose(1, 2) + self.place
        x = self.norm(self.block(x))
        shares = f.softmax(self.pool(x), dim=1).transpose(-1, -2)
        return self.last((shares @ x).squeeze(-2))


class MobileVit(nn.Module):
    """Attention between the pixels of equal places in all patches, among convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, WIDTH, 3, 2, 1)
        self.block, self.norm = Block(Attention()), nn.LayerNorm(WIDTH)
        self.joined = nn.Conv2d(2 * WIDTH, WIDTH, 3, padding=1)
        self.last = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = f.silu(self.first(x))
        n, c, h, w = x.shape
        y = x.reshape(n * c * h // 2, 2, w // 2, 2).transpose(1, 2)
        y = y.reshape(n, c, h * w // 4, 4).transpose(1, 3).reshape(n * 4, -1, c)
        y = self.norm(self.block(y))
        y = y.view(n, 4, h * w // 4, c).transpose(1, 3).reshape(n * c * h // 2, w // 2, 2, 2)
        y = y.transpose(1, 2).reshape(n, c, h, w)
        return self.last(f.silu(self.joined(torch.cat([x, y], 1))).mean((2, 3)))


class Mixer(nn.Module):
    """Layers on the tokens of a channel, then on the channels of a token."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 4, 4)
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.tokens, self.channels = Mlp(TOKENS, TOKENS), Mlp()
        self.last = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = x + self.tokens(self.norm1(x).transpose(1, 2)).transpose(1, 2)
        return self.last((x + self.channels(self.norm2(x))).mean(1))


class Bert(nn.Module):
    """An encoder of torch behind embeddings: norms behind the sums; the first token answers."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(
            WIDTH, HEADS, 2 * WIDTH, dropout=0.0, activation="gelu", batch_first=True
        )
        self.last = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(torch.tanh(self.layer(x)[:, 0]))


class Decoder(nn.Module):
    """A block whose tokens see those before them, without a cache."""

    def __init__(self) -> None:
        super().__init__()
        self.block, self.norm = Block(Attention(causal=True)), nn.LayerNorm(WIDTH)
        self.last = nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.norm(self.block(x))[:, -1])


class RmsNorm(nn.Module):
    """A norm without a mean, written out."""

    def __init__(self) -> None:
        super().__init__()
        self.gains = nn.Parameter(torch.rand(WIDTH) + 0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.gains * (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6))


def turned_halves(x: Tensor) -> Tensor:
    """Return (-x2, x1) of the two halves of a head."""
    half = x.shape[-1] // 2
    return torch.cat((-x[..., half:], x[..., :half]), dim=-1)


class RotaryAttention(nn.Module):
    """Attention whose places turn queries and keys; two heads share keys and values."""

    def __init__(self, heads: int = HEADS, shared: int = 1) -> None:
        super().__init__()
        self.heads, self.shared, self.channels = heads, shared, WIDTH // heads
        self.q, self.o = (nn.Linear(WIDTH, WIDTH, bias=False) for _ in range(2))
        self.k, self.v = (nn.Linear(WIDTH, shared * self.channels, bias=False) for _ in range(2))
        speeds = 1e4 ** -(torch.arange(0, self.channels, 2) / self.channels)
        angles = torch.outer(torch.arange(TOKENS), speeds).repeat(1, 2)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def forward(self, x: Tensor) -> Tensor:
        n, tokens, _ = x.shape
        q, k, v = (
            matrix(x).view(n, tokens, -1, self.channels).transpose(1, 2)
            for matrix in (self.q, self.k, self.v)
        )
        q, k = (each * self.cos + turned_halves(each) * self.sin for each in (q, k))
        k, v = (
            each[:, :, None].expand(-1, -1, self.heads // self.shared, -1, -1).flatten(1, 2)
            for each in (k, v)
        )
        shares = (q @ k.transpose(-2, -1) / self.channels**0.5).softmax(-1)
        return self.o((shares @ v).transpose(1, 2).reshape(n, tokens, WIDTH))


class GatedMlp(nn.Module):
    """Two matrices side by side, one the gate of the other, and one behind them."""

    def __init__(self, hidden: int = 2 * WIDTH) -> None:
        super().__init__()
        self.gate, self.up = (nn.Linear(WIDTH, hidden, bias=False) for _ in range(2))
        self.down = nn.Linear(hidden, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down(f.silu(self.gate(x)) * self.up(x))


class LlamaBlock(nn.Module):
    """Norms without a mean before rotary attention and gated layers."""

    def __init__(self) -> None:
        super().__init__()
        self.norm1, self.norm2 = RmsNorm(), RmsNorm()
        self.attn, self.mlp = RotaryAttention(), GatedMlp()

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Llama(nn.Module):
    """Two blocks as Llama has them, without a mask; the tokens are the pixels of a line."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.Sequential(LlamaBlock(), LlamaBlock())
        self.norm, self.last = RmsNorm(), nn.Linear(WIDTH, CLASSES, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.last(self.norm(self.blocks(x.flatten(2).transpose(1, 2))))


class CrossAttention(nn.Module):
    """Tokens that attend to those of another map, half as many."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = nn.Conv2d(WIDTH, WIDTH, (1, 2), (1, 2))
        self.norm, self.last = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)
        self.q, self.k, self.v = (nn.Linear(WIDTH, WIDTH) for _ in range(3))

    def forward(self, x: Tensor) -> Tensor:
        memory, x = (each.flatten(2).transpose(1, 2) for each in (self.memory(x), x))
        q, k, v = (
            matrix(each).view(len(each), -1, HEADS, WIDTH // HEADS).transpose(1, 2)
            for matrix, each in ((self.q, x), (self.k, memory), (self.v, memory))
        )
        mixed = (q @ k.transpose(-2, -1) / 4).softmax(-1) @ v
        return self.last(self.norm(x + mixed.transpose(1, 2).flatten(2)))


TRANSFORMERS: Mapping[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = MappingProxyType(
    {
        "vit": (lambda: VisionTransformer(lambda: Block(Attention())), IMAGE),
        "vit_unfused": (lambda: VisionTransformer(lambda: Block(Attention(fused=False))), IMAGE),
        "vit_multi_head": (lambda: VisionTransformer(lambda: Block(MultiHead())), IMAGE),
        "deit": (lambda: VisionTransformer(lambda: Block(Attention()), tokens=2), IMAGE),
        "compact": (Compact, IMAGE),
        "mobile_vit": (MobileVit, IMAGE),
        "mlp_mixer": (Mixer, IMAGE),
        "bert": (Bert, TEXT),
        "decoder": (Decoder, TEXT),
        "llama": (Llama, LINE),
        "cross_attention": (CrossAttention, LINE),
    }
)
"""By name: what makes it, and the shape of its image, channels first, or of its embeddings."""
