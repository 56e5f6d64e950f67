"""Networks that tools of torch quantize themselves: torch.ao's FX, pt2e, and Brevitas."""

import contextlib
import io
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from tests.corpus import torch_networks
from tests.corpus.torch_networks import CLASSES, IMAGE

BATCHES, BATCH = 4, 4
"""Images that show the ranges."""
BACKENDS = ("x86", "qnnpack")
"""Of torch.ao; each has its own settings: a weight scale a filter, or one."""
QUANTIZERS = ("xnnpack", "x86")
"""Of torchao: maps with a sign and weights with one scale, or maps without and a scale a filter."""
HEADS = {"a filter": True, "one": False}
"""Of Brevitas: whether the weights of the last layer have a scale each."""
OPSET = 17


@contextlib.contextmanager
def in_silence() -> Iterator[None]:
    """Without what the exporters warn of and print."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        yield


def written(module: nn.Module, image: torch.Tensor, path: Path) -> Path:
    """Write a module as an ONNX file by torch's exporter of scripts."""
    names: Any = {"input_names": ["image"], "output_names": ["answer"]}
    torch.onnx.export(module, (image,), path, dynamo=False, opset_version=OPSET, **names)
    return path


def by_fx(
    given: torch_networks.Given, backend: str, path: Path, images: torch.Tensor | None = None
) -> Path:
    """Quantize a network by torch.ao in FX graph mode and write it, with its Casts.

    images: that show the ranges; None: drawn ones
    """
    from torch.ao.quantization import get_default_qconfig_mapping
    from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

    module, shape = given
    with in_silence():
        torch.backends.quantized.engine = backend
        settings = get_default_qconfig_mapping(backend)
        batches = drawn_batches(shape) if images is None else images.split(1)
        image = torch.zeros_like(batches[0][:1])
        shown = prepare_fx(module.eval(), settings, (image,))
        show(shown, batches)
        return written(convert_fx(shown), image, path)


def drawn_batches(shape: tuple[int, ...], batch: int = BATCH) -> Sequence[torch.Tensor]:
    """Return drawn images in batches."""
    torch.manual_seed(0)
    return [torch.rand(batch, *shape) for _ in range(BATCHES * BATCH // batch)]


def show(module: nn.Module, batches: Iterable[torch.Tensor]) -> None:
    """Run images, so that observers see their ranges."""
    for images in batches:
        module(images)


def pt2e_quantizer(name: str) -> Any:
    """Return a quantizer of torchao, with its own settings."""
    if name == "xnnpack":
        from torchao.testing.pt2e._xnnpack_quantizer import (
            XNNPACKQuantizer,
            get_symmetric_quantization_config,
        )

        return XNNPACKQuantizer().set_global(get_symmetric_quantization_config())
    from torchao.quantization.pt2e.quantizer import x86_inductor_quantizer as x86

    quantizer = x86.X86InductorQuantizer()
    return quantizer.set_global(x86.get_default_x86_inductor_quantization_config())


def by_pt2e(
    given: torch_networks.Given, quantizer: str, path: Path, images: torch.Tensor | None = None
) -> Path:
    """Quantize a network behind torch.export (pt2e) and write it by the exporter on it.

    images: that show the ranges; None: drawn ones
    """
    from torchao.quantization.pt2e import move_exported_model_to_eval
    from torchao.quantization.pt2e.quantize_pt2e import convert_pt2e, prepare_pt2e

    module, shape = given
    batches = drawn_batches(shape, 1) if images is None else images.split(1)
    image = (torch.zeros_like(batches[0]),)
    with in_silence(), torch.no_grad():
        exported = torch.export.export(module.eval(), image).module()
        shown = prepare_pt2e(exported, pt2e_quantizer(quantizer))
        show(shown, batches)
        whole = move_exported_model_to_eval(convert_pt2e(shown))
        torch.onnx.export(
            whole, image, path, dynamo=True, external_data=False, verbose=False,
            input_names=["image"], output_names=["answer"],
        )  # fmt: skip
    return path


def brevitas_network(*, head_per_filter: bool) -> nn.Module:
    """Return two convolutions and a fully connected layer in the integers of Brevitas."""
    from brevitas import nn as quantized
    from brevitas import quant

    map_: Any = {"act_quant": quant.Uint8ActPerTensorFloat, "return_quant_tensor": True}
    filters: Any = {"weight_quant": quant.Int8WeightPerChannelFloat, "bias_quant": quant.Int32Bias}
    head: Any = dict(filters)
    if not head_per_filter:
        head["weight_quant"] = quant.Int8WeightPerTensorFloat
    image = quantized.QuantIdentity(act_quant=quant.Int8ActPerTensorFloat, return_quant_tensor=True)
    return nn.Sequential(
        image,
        quantized.QuantConv2d(3, 8, 3, padding=1, **filters),
        quantized.QuantReLU(**map_),
        quantized.QuantConv2d(8, 16, 3, stride=2, padding=1, **filters),
        quantized.QuantReLU(**map_),
        nn.MaxPool2d(2),
        nn.Flatten(),
        quantized.QuantLinear(16 * (IMAGE[1] // 4) * (IMAGE[2] // 4), CLASSES, **head),
        quantized.QuantIdentity(act_quant=quant.Int8ActPerTensorFloat),
    )


def by_brevitas(scales: str, path: Path) -> Path:
    """Show a network of Brevitas its ranges and write it as QCDQ."""
    from brevitas.export import export_onnx_qcdq

    with in_silence():
        torch.manual_seed(0)
        module = brevitas_network(head_per_filter=HEADS[scales]).train()
        for _ in range(BATCHES):
            module(torch.rand(BATCH, *IMAGE))
        image = torch.zeros(1, *IMAGE)
        export_onnx_qcdq(module.eval(), image, export_path=path, opset_version=OPSET, dynamo=False)
    return path


def torchvision_network(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Return a network of torchvision with drawn weights, and the shape of its image."""
    models = torchvision_models()

    def make() -> nn.Module:
        return models[name](num_classes=CLASSES)

    return torch_networks.drawn(make, seed=1), VISION_IMAGE


VISION = ("resnet18", "shufflenet_v2_x0_5", "squeezenet1_1")
VISION_IMAGE = (3, 64, 64)


def torchvision_models() -> dict[str, Callable[..., nn.Module]]:
    """Return what makes the networks of torchvision.

    Its compiled operators of boxes may not load beside a torch for processors alone; no network
    here has one, so that their names suffice then.
    """
    try:
        from torchvision import models
    except RuntimeError:
        for name in [each for each in sys.modules if each.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "DEF")
        for name in ("nms", "qnms"):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        BOXES.append(library)
        from torchvision import models

    return {name: getattr(models, name) for name in VISION}


BOXES: list[torch.library.Library] = []
"""Names that stand as long as this module does."""
