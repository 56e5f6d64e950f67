"""What a prepared module is without its parametrizations: a copy, its integers, an ONNX file.

Tests: `tests/train/test_prepared.py`.
"""

import copy
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import parametrize

from hwgen.errors import FormatError
from hwgen.train.chip_weights import ChipWeights

OPSET = 17


def chip_weights(module: nn.Module) -> Iterator[tuple[str, ChipWeights, Tensor]]:
    """Yield the name of each prepared layer, its chip's weights, and what is trained."""
    for name, each in module.named_modules():
        for parts in getattr(each, "parametrizations", {}).values():
            for part in parts:
                if isinstance(part, ChipWeights):
                    yield name, part, parts.original


def integers_of(module: nn.Module) -> dict[str, NDArray[np.int8]]:
    """Return the integers of each prepared layer by its name, in the shape of its weights."""
    with torch.no_grad():
        return {name: part.on_chip(weight) for name, part, weight in chip_weights(module)}


def convert(module: nn.Module) -> nn.Module:
    """Return a copy in evaluation whose weights are plain tensors, with the chip's values."""
    plain = copy.deepcopy(module).cpu().eval()
    for each in list(plain.modules()):
        parts = getattr(each, "parametrizations", {})
        if any(isinstance(part, ChipWeights) for found in parts.values() for part in found):
            values = {name: getattr(each, name).detach().clone() for name in parts}
            # torch's own removal would take the weights from the class, which the copy shares.
            each.__class__ = parametrize.type_before_parametrizations(each)
            del each.parametrizations
            for name, value in values.items():
                each.register_parameter(name, nn.Parameter(value))
    return plain


def export_onnx(module: nn.Module, image: NDArray[np.generic], file: Path) -> None:
    """Write a module without parametrizations as an ONNX file, by torch's own exporter.

    image: one, as the module reads it. Raises FormatError for a module that is not exported
    """
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)  # it is one operator that no exporter knows
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module, (torch.from_numpy(image),), file, opset_version=OPSET, dynamo=False
            )
    except Exception as error:  # torch and the module raise errors of many kinds
        raise FormatError(
            field="the module",
            allowed="one that torch.onnx.export writes with one input",
            given=" ".join(str(error).split())[:200] or type(error).__name__,
            source=type(module).__name__,
        ) from None
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
