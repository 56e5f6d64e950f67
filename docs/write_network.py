"""Write a valid hand-over with NumPy alone: 8 x 8 grey images, a convolution, a linear head."""

import json
import sys

import numpy as np


def feature_map(height, width, channels, scale):
    """Describe a map: real = scale * (byte - zero_point); low = zero_point makes it a ReLU."""
    size = {"height": height, "width": width, "channels": channels}
    return {**size, "scale": scale, "zero_point": 0, "low": 0, "high": 255}


conv = {"name": "conv", "op": "conv", "input": "input", "kernel_height": 3, "kernel_width": 3}
conv |= {"stride": 2, "padding": 1, "head": False, "output": feature_map(4, 4, 8, 1 / 32)}
head = {"name": "head", "op": "linear", "input": "conv", "head": True}
head |= {"output": feature_map(1, 1, 10, 1 / 2048)}
graph = {"format": "hwgen.network", "version": 1, "name": "by-hand", "dataset": "digits"}
graph |= {"preprocessing": "0 to 16 becomes 0 to 255", "class_names": list("0123456789")}
graph |= {"input": feature_map(8, 8, 1, 1 / 256), "layers": [conv, head]}
arrays = {"graph": np.frombuffer(json.dumps(graph).encode(), np.uint8)}
arrays["conv.weights"] = np.resize([-64, 3, 96, 1, -2], (8, 3, 3, 1)).astype(np.int8)
arrays["head.weights"] = np.resize([-7, 1, 4, -31, 8, 2, -9], (10, 4 * 4 * 8)).astype(np.int8)
for name, filters, scaled in (("conv", 8, 8), ("head", 10, 0)):
    arrays[f"{name}.bias"] = np.zeros(filters, np.int32)  # - zero_point * sum(weights), here 0
    arrays[f"{name}.multiplier"] = np.full(scaled, 32768, np.uint16)  # M / 2**s = 1 / 128
    arrays[f"{name}.shift"] = np.full(scaled, 22, np.uint8)  # = input * weight / output scale
    arrays[f"{name}.weight_scale"] = np.full(filters, 1 / 16 if scaled else 1 / 64, np.float32)
np.savez(sys.argv[1], **arrays)
