"""From a trained transformer to a quantized ONNX file, and from there to the network file.

Tests: `tests/train/transformer/test_train.py`.
"""

import warnings
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
import torch

from hwgen.data import Dataset
from hwgen.files.output import whole_file
from hwgen.importers.integer import lower
from hwgen.importers.onnx.calibrate import GridWeights, Step, quantized_model
from hwgen.importers.onnx.quantized import integer_graph_of
from hwgen.importers.onnx.session_graph import quiet
from hwgen.network import QuantizedNetwork
from hwgen.train.transformer.model import Transformer, plain
from hwgen.train.transformer.recipe import TransformerRecipe

OPSET = 18


def quantized_onnx(
    network: Transformer, recipe: TransformerRecipe, dataset: Dataset
) -> onnx.ModelProto:
    """Return a trained network as onnxruntime quantizes it: its integer weights, uint8 maps.

    The first training images show the range of each map.
    """
    network.renew_thresholds()
    ready = plain(network)
    height, width, channels = dataset.shape
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{recipe.name}.onnx"
        export(ready, (1, channels, height, width), path)
        model = quantized_model(
            path,
            dataset.train_images[: recipe.calibration_images],
            step=Step(recipe.input_scale, recipe.input_zero_point),
            weights=grid_weights(network, ready),
        )
    model.producer_name = "hwgen"
    return model


def export(ready: Transformer, shape: tuple[int, ...], path: Path) -> None:
    """Write a float network as an ONNX file; what the exporter advises is kept off the console."""
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            ready,
            (torch.zeros(shape),),
            path,
            input_names=["image"],
            output_names=["logits"],
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


@torch.no_grad()
def grid_weights(network: Transformer, ready: Transformer) -> list[GridWeights]:
    """Return the weights of each layer, and the scale of each filter."""
    return [
        (
            after.weight.numpy(),
            before.digits.scale(before.kept()).cpu().numpy() * np.float32(before.gain),
        )
        for before, after in zip(network.dense, ready.dense, strict=True)
    ]


def save_onnx(model: onnx.ModelProto, path: Path) -> None:
    """Write a model, whole or not at all."""
    with whole_file(path, what="ONNX file") as fresh:
        fresh.write_bytes(model.SerializeToString(deterministic=True))


def network_of(model: onnx.ModelProto, name: str, dataset: Dataset) -> QuantizedNetwork:
    """Return the network file of a quantized model, with the arithmetic of onnxruntime."""
    graph = integer_graph_of(model, name=name, source=f"{name}.onnx")
    lowered = lower(
        graph,
        kernels="onnxruntime",
        dataset=dataset.name,
        class_names=tuple(dataset.class_names),
    )
    network = lowered.network
    return replace(network, graph=replace(network.graph, preprocessing=dataset.preprocessing))
