"""Transformers with drawn weights, written as their usual sources write them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn
from torch.nn import functional as f

CLASSES, WIDTH, HEADS, TOKENS = 5, 32, 2, 16
IMAGE, TEXT = (3, 16, 16), (TOKENS, WIDTH)


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
    }
)
"""By name: what makes it, and the shape of its image, channels first, or of its embeddings."""
