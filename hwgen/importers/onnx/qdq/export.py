"""From a quantized network to an ONNX model with QuantizeLinear and DequantizeLinear.

Every map of the network is an integer tensor `NAME/quantized` (NCHW, uint8 or uint16) between a
QuantizeLinear and a DequantizeLinear, which writes `NAME`. A layer is the float operator between;
its node carries the name of the layer. Factors that scales alone do not give stand as a Mul by a
constant before the QuantizeLinear. A table is a Gather of integers, exact in any runtime.

Tests: `tests/importers/onnx/test_export.py`.
"""

import json
from dataclasses import asdict
from pathlib import Path

import onnx

from hwgen.errors import FormatError
from hwgen.files.output import whole_file
from hwgen.importers.onnx.qdq.export_layers import EXPORTERS
from hwgen.importers.onnx.qdq.exporting import Exporting
from hwgen.importers.onnx.qdq.notes import KEY, notes_of
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.mode import in_mode
from hwgen.network.quantization import HALF_UP


def export_network(network: QuantizedNetwork, path: Path, *, mode: str | None = None) -> None:
    """Write a mode (None: the widest) of a network as an ONNX file, whole or not at all."""
    model = model_of_network(network, mode=mode, source=str(path))
    content = model.SerializeToString(deterministic=True)
    with whole_file(path, what="ONNX file") as fresh:
        fresh.write_bytes(content)


def model_of_network(
    network: QuantizedNetwork, *, mode: str | None = None, source: str = "the network"
) -> onnx.ModelProto:
    """Return the checked model of a mode (None: the widest) of a network.

    Raises FormatError, which names `source`, for an unknown mode, and for a bias or a scale that
    ONNX cannot hold.
    """
    modes = network.graph.modes
    for layer in network.layers:
        rounding = getattr(layer, "rounding", HALF_UP)
        if rounding != HALF_UP or layer.op not in EXPORTERS:
            raise FormatError(
                field=f"layer {layer.name}",
                allowed=f"one of {', '.join(EXPORTERS)} that rounds {HALF_UP}",
                given=f"{layer.op} that rounds {rounding}",
                source=source,
            )
    if mode is not None and mode not in modes:
        raise FormatError(
            field="--mode", allowed=f"one of {', '.join(modes)}", given=mode, source=source
        )
    one = in_mode(network, 0 if mode is None else modes.index(mode))
    exporting = Exporting(one, source)
    exporting.image(INPUT)
    for layer in one.layers:
        EXPORTERS[layer.op](exporting, layer)
    for name in one.graph.outputs:
        exporting.answer(name)
    notes = notes_of(one, exporting.named_scales)
    text = json.dumps(asdict(notes), sort_keys=True)
    return exporting.build.model(one.graph.name, {KEY: text})
