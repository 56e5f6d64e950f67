"""How long the import of a large file takes, and how much memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.quantized_onnx import Model, saved

SECONDS, GIGABYTES = 10, 2
"""Of processor time, and of memory, at most."""
SIDE, CHANNELS, WIDE = 224, 64, 1024

MEASURED = """
import sys, time
from pathlib import Path
from hwgen.cli import main
code = main(["import", sys.argv[1], "--out", sys.argv[2]])
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(code, time.process_time(), status["VmHWM"].split()[0])
"""
"""Prints exit code, seconds and peak memory in KiB; getrusage would count the parent's memory."""


def large(folder: Path) -> Path:
    """Return images of 224 x 224 through convolutions and 13 million weights of a matrix."""
    model = Model(("n", 3, SIDE, SIDE))
    now = model.quantized(
        model.conv(model.image(), CHANNELS, 3, 3, 3, pads=[1] * 4, strides=[2, 2])
    )
    now = model.quantized(model.conv(now, CHANNELS, CHANNELS, 3, 3, pads=[1] * 4))
    now = model.node("MaxPool", now, kernel_shape=[8, 8], strides=[8, 8])
    flat = model.node("Flatten", model.quantized(now))
    inputs = CHANNELS * (SIDE // 16) ** 2
    dense = model.quantized(model.node("Gemm", flat, model.weights(WIDE, inputs), transB=1))
    return saved(model.build(dense), folder)


@pytest.mark.dear
@pytest.mark.promise("a large file is imported in time and in little memory")
def test_a_large_file_takes_little_time_and_memory(tmp_path: Path) -> None:
    path, out = large(tmp_path), tmp_path / "network.npz"
    assert path.stat().st_size > WIDE * CHANNELS * (SIDE // 16) ** 2
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(path), str(out)],
        capture_output=True,
        text=True,
        check=True,
    )
    code, seconds, kilobytes = done.stdout.split()[-3:]
    assert code == "0"
    assert float(seconds) < SECONDS
    assert float(kilobytes) < GIGABYTES << 20
    weights = np.load(out)
    assert max(weights[name].size for name in weights.files) == WIDE * CHANNELS * (SIDE // 16) ** 2
