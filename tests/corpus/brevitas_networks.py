"""Networks of Brevitas of 4 and 8 bits, as QCDQ and as QONNX, with Brevitas' own answers."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from tests.corpus.torch_quantizers import OPSET, in_silence

BITS = (4, 8)
FORMS = ("qcdq", "qonnx")
IMAGES = 60
SHOWN, BATCH = 4, 4
"""Batches of images that show the ranges."""


def layer(kind: str, *sides: int, bits: int, **more: Any) -> nn.Module:
    """Return a layer of Brevitas whose filters have a scale each."""
    from brevitas import nn as quantized
    from brevitas import quant

    numbers = {"weight_quant": quant.Int8WeightPerChannelFloat, "bias_quant": quant.Int32Bias}
    made: nn.Module = getattr(quantized, kind)(*sides, **numbers, weight_bit_width=bits, **more)
    return made


def map_of(bits: int, *, signed: bool = False) -> nn.Module:
    """Return what quantizes a map: behind a ReLU, or with a sign."""
    from brevitas import nn as quantized
    from brevitas import quant

    about: dict[str, Any] = {"bit_width": bits, "return_quant_tensor": True}
    if signed:
        made: nn.Module = quantized.QuantIdentity(act_quant=quant.Int8ActPerTensorFloat, **about)
        return made
    made = quantized.QuantReLU(act_quant=quant.Uint8ActPerTensorFloat, **about)
    return made


def real(values: Any) -> torch.Tensor:
    """Return the real numbers of a tensor of Brevitas."""
    numbers: torch.Tensor = getattr(values, "value", values)
    return numbers


class Chain(nn.Module):
    """Layers in a row."""

    def __init__(self, shape: tuple[int, ...], *layers: nn.Module) -> None:
        super().__init__()
        self.shape = shape
        self.layers = nn.Sequential(map_of(8, signed=True), *layers)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the answer."""
        return real(self.layers(image))


class Residual(nn.Module):
    """A sum of two branches, both quantized."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.shape = (3, 12, 12)
        about = {"padding": 1, "bits": bits}
        first = layer("QuantConv2d", 3, 8, 3, **about)
        self.stem = nn.Sequential(map_of(8, signed=True), first, map_of(bits))
        self.branch = nn.Sequential(
            layer("QuantConv2d", 8, 8, 3, **about),
            map_of(bits),
            layer("QuantConv2d", 8, 8, 3, **about),
        )
        self.sides = nn.ModuleList([map_of(bits, signed=True) for _ in range(2)])
        self.sum = map_of(bits)
        self.head = nn.Sequential(
            nn.MaxPool2d(2), nn.Flatten(), layer("QuantLinear", 288, 5, bits=bits)
        )

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the answer."""
        one = self.stem(image)
        other = self.branch(one)
        added = real(self.sides[0](one)) + real(self.sides[1](other))
        return real(self.head(self.sum(added)))


def mlp(bits: int) -> nn.Module:
    """Return three matrices."""
    return Chain(
        (20,),
        layer("QuantLinear", 20, 32, bits=bits),
        map_of(bits),
        layer("QuantLinear", 32, 24, bits=bits),
        map_of(bits),
        layer("QuantLinear", 24, 5, bits=bits),
    )


def sequence(bits: int) -> nn.Module:
    """Return convolutions along one axis and a matrix."""
    return Chain(
        (3, 32),
        layer("QuantConv1d", 3, 8, 5, padding=2, bits=bits),
        map_of(bits),
        layer("QuantConv1d", 8, 8, 3, stride=2, padding=1, bits=bits),
        map_of(bits),
        nn.MaxPool1d(2),
        nn.Flatten(),
        layer("QuantLinear", 64, 5, bits=bits),
    )


def growing(bits: int) -> nn.Module:
    """Return a convolution, twice the pixels, a convolution."""
    return Chain(
        (3, 8, 8),
        layer("QuantConv2d", 3, 8, 3, stride=2, padding=1, bits=bits),
        map_of(bits),
        nn.Upsample(scale_factor=2, mode="nearest"),
        layer("QuantConv2d", 8, 4, 3, padding=1, bits=bits),
        map_of(bits, signed=True),
    )


def with_norm(i: int, o: int, *, bits: int, **more: int) -> list[nn.Module]:
    """Return a convolution without bias, its batch norm in real numbers, and what quantizes both.

    So the networks of Brevitas' examples are written.
    """
    norm = nn.BatchNorm2d(o)
    nn.init.uniform_(norm.weight, 0.5, 1.5)
    nn.init.uniform_(norm.bias, -0.3, 0.3)
    return [layer("QuantConv2d", i, o, 3, bits=bits, bias=False, **more), norm, map_of(bits)]


def normalized(bits: int) -> nn.Module:
    """Return convolutions with batch norms, maxima between them, and a matrix."""
    return Chain(
        (3, 12, 12),
        *with_norm(3, 8, bits=bits, padding=1),
        nn.MaxPool2d(2),
        *with_norm(8, 16, bits=bits),
        nn.Flatten(),
        layer("QuantLinear", 256, 5, bits=bits, bias=False),
    )


def separable(bits: int) -> nn.Module:
    """Return a depthwise convolution with a batch norm, and one of 1 x 1."""
    return Chain(
        (3, 12, 12),
        *with_norm(3, 8, bits=bits, stride=2, padding=1),
        *with_norm(8, 8, bits=bits, padding=1, groups=8),
        layer("QuantConv2d", 8, 16, 1, bits=bits),
        map_of(bits),
        nn.Flatten(),
        layer("QuantLinear", 576, 5, bits=bits),
    )


def transposed(bits: int) -> nn.Module:
    """Return a convolution and a transposed one."""
    return Chain(
        (3, 8, 8),
        layer("QuantConv2d", 3, 8, 3, stride=2, padding=1, bits=bits),
        map_of(bits),
        layer("QuantConvTranspose2d", 8, 4, 2, stride=2, bits=bits),
        map_of(bits, signed=True),
    )


class Joined(nn.Module):
    """Two branches of one scale, side by side."""

    def __init__(self, bits: int) -> None:
        super().__init__()
        self.shape = (3, 12, 12)
        self.image, self.map = map_of(8, signed=True), map_of(bits)
        self.one = layer("QuantConv2d", 3, 4, 1, bits=bits)
        self.three = layer("QuantConv2d", 3, 8, 3, padding=1, bits=bits)
        self.head = layer("QuantConv2d", 12, 5, 3, stride=2, bits=bits)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """Return the answer."""
        x = self.image(image)
        both = torch.cat([real(self.map(branch(x))) for branch in (self.one, self.three)], 1)
        return real(self.head(self.map(both)))


NETWORKS = {
    "mlp": mlp,
    "sequence": sequence,
    "residual": Residual,
    "growing": growing,
    "normalized": normalized,
    "separable": separable,
    "transposed": transposed,
    "joined": Joined,
}


def exported(
    network: str, bits: int, form: str, path: Path
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Write a network in one of `FORMS`; return images, channels first, and Brevitas' answers."""
    from brevitas.export import export_onnx_qcdq, export_qonnx

    with in_silence(), torch.no_grad():
        torch.manual_seed(bits)
        module: Any = NETWORKS[network](bits).train()
        for _ in range(SHOWN):
            module(torch.randn(BATCH, *module.shape))
        image = torch.zeros(1, *module.shape)
        if form == "qcdq":
            about: dict[str, Any] = {"opset_version": OPSET, "dynamo": False}
            export_onnx_qcdq(module.eval(), image, export_path=path, **about)
        else:
            export_qonnx(module.eval(), image, export_path=str(path))
        images = 1.2 * torch.randn(IMAGES, *module.shape)
        answers: NDArray[np.float32] = module(images).numpy()
    return images.numpy(), answers
