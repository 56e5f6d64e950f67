"""Small files that ask for all memory: one sentence, within the memory that a process is given."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwgen import api
from hwgen.errors import ArgumentError
from tests.cli.given import NETWORK, TINY
from tests.quantized_onnx import Model, saved

BAD_INPUT = 2
MEGABYTES = 3000
LIMITED = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_DATA, ({MEGABYTES} << 20,) * 2)
from hwgen.cli import main
sys.exit(main(sys.argv[1:]))
"""


def doubled(model: Model) -> str:
    """Append forty concatenations of a list with itself."""
    now = model.constant(np.zeros(10), np.int64)
    for _ in range(40):
        now = model.node("Concat", now, now, axis=0)
    return now


def counted(model: Model) -> str:
    ends = (model.constant(each, np.int64) for each in (0, 10**13, 1))
    return model.node("Range", *ends)


def filled(model: Model) -> str:
    """Append many constants that each are not too large."""
    many = [model.node("ConstantOfShape", model.constant([1 << 24], np.int64)) for _ in range(100)]
    return model.node("Concat", *many, axis=0)


BOMBS: dict[str, Callable[[Model], str]] = {
    "40 Concats": doubled, "a Range": counted, "100 constants": filled,
}  # fmt: skip


@pytest.mark.dear("a Range")
@pytest.mark.promise(
    "a small file, or a list of a billion values, that asks for all memory is one sentence"
)
@pytest.mark.parametrize("name", BOMBS)
def test_a_small_file_does_not_take_all_memory(name: str, tmp_path: Path) -> None:
    model = Model()
    huge = BOMBS[name](model)
    flat = model.node("Reshape", model.image(), model.node("Slice", huge, huge, huge, huge))
    path = saved(model.build(model.quantized(flat)), tmp_path)
    assert path.stat().st_size < 40_000
    given = ["import", str(path), "--out", str(tmp_path / "net.npz")]
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, *given], capture_output=True, text=True, check=False
    )
    assert ended.returncode == BAD_INPUT, ended.stderr[-2000:]
    assert len(ended.stderr.splitlines()) <= 1 + len(BOMBS) and str(path) in ended.stderr


@pytest.mark.parametrize("values", [range(10**9), range(10**30)])
def test_a_range_of_a_billion_values_is_not_copied(values: range) -> None:
    with pytest.raises(ArgumentError, match="at most 65,536 values"):
        api.sweep(NETWORK, TINY, {"cores": values})
