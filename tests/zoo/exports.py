"""Write networks of the zoo as ONNX files by torch's two exporters."""

import contextlib
import io
import logging
import warnings
from pathlib import Path

import torch
from torch import nn

EXPORTERS = ("script", "dynamo")
"""The older one that traces to TorchScript, and the one on torch.export (it needs onnxscript)."""
OPSET = {"script": 17, "dynamo": 20}
DYNAMIC = {0: "batch", 2: "rows", 3: "columns"}


def with_norms(module: nn.Module) -> nn.Module:
    """Return a module whose batch norms hold what a training could have left: none vanishes."""
    torch.manual_seed(0)
    for each in module.modules():
        if isinstance(each, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.uniform_(each.weight, 0.5, 1.5)
            nn.init.normal_(each.bias, 0, 0.1)
            each.running_mean.normal_(0, 0.1)
            each.running_var.uniform_(0.5, 1.5)
    return module


def export(
    module: nn.Module,
    shape: tuple[int, ...],
    path: Path,
    exporter: str,
    *,
    dynamic: bool = False,
    beside: bool = False,
    image: torch.Tensor | None = None,
) -> Path:
    """Write a module as an ONNX file.

    dynamic: batch, rows and columns have names, no sizes; beside: weights in a file of their own,
    as is usual; image: what it is shown with, None: zeros
    """
    images = torch.zeros(2 if dynamic else 1, *shape) if image is None else image
    given: dict[str, object] = {"dynamic_axes": {"image": DYNAMIC}} if dynamic else {}
    if exporter == "dynamo":
        given = {"dynamic_shapes": (DYNAMIC,)} if dynamic else {}
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        logging.disable(logging.WARNING)
        try:
            torch.onnx.export(
                module.eval(),
                (images,),
                path,
                input_names=["image"],
                output_names=["answer"],
                opset_version=OPSET[exporter],
                dynamo=exporter == "dynamo",
                external_data=beside,
                verbose=False,
                **given,
            )
        finally:
            logging.disable(logging.NOTSET)
    return path
