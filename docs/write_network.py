"""Write a valid quantized network file with NumPy alone: 8 x 8 grey, a convolution, a head."""

import json
import sys

import numpy as np


def feature_map(height, width, channels, scale, bits=8):
    """Describe a map: real = scale * (byte - zero_point); 32 bits: the raw sums of the head."""
    values = {"scale": scale, "zero_point": 0, "low": 0, "high": 255 if bits == 8 else 0}
    size = {"height": height, "width": width, "channels": channels, "mode_channels": []}
    return {**size, "bits": bits, "quantization": [values]}


head = {"name": "head", "op": "linear", "inputs": ["conv"], "source": "", "rounding": "half_up"}
head |= {"weight_bits": 8, "weight_grid": "integer", "output": feature_map(1, 1, 10, 1 / 2048, 32)}
conv = head | {"name": "conv", "op": "conv", "inputs": ["input"], "kernel": [3, 3], "groups": 1}
conv |= {"stride": [2, 2], "padding": [1, 1, 1, 1], "output": feature_map(4, 4, 8, 1 / 32)}
graph = {"format": "hwgen.network", "version": 3, "name": "by-hand", "dataset": "digits"}
graph |= {"class_names": list("0123456789"), "preprocessing": "times 255 / 16", "modes": ["1.0x"]}
graph |= {"input": feature_map(8, 8, 1, 1 / 256), "layers": [conv, head], "outputs": ["head"]}
arrays = {"conv.weights": np.resize([-64, 3, 96, 1, -2], (8, 3, 3, 1)).astype(np.int8)}
arrays["head.weights"] = np.resize([-7, 1, 4, -31, 8, 2, -9], (10, 128)).astype(np.int8)
for name, filters, scaled in (("conv", 8, 8), ("head", 10, 0)):
    arrays[f"{name}.bias"] = np.zeros((1, filters), np.int64)  # - zero_point * sum(weights) is 0
    arrays[f"{name}.multiplier"] = np.full((1, scaled), 32768, np.uint32)  # M / 2**s = 1 / 128
    arrays[f"{name}.shift"] = np.full((1, scaled), 22, np.uint8)  # = input * weight / output scale
    arrays[f"{name}.weight_scale"] = np.full(filters, 1 / 16 if scaled else 1 / 64, np.float32)
np.savez(sys.argv[1], graph=np.frombuffer(json.dumps(graph).encode(), np.uint8), **arrays)
