"""Which devices compute in bfloat16."""

from pathlib import Path

import pytest
import torch

from hwgen.train import devices


@pytest.mark.promise(
    "long gradients are shortened, and mixed precision ends before the integer grid"
)
@pytest.mark.parametrize(
    ("flags", "fast"),
    [
        ("fpu avx512f avx512_bf16", True),
        ("fpu amx_bf16 amx_tile", True),
        ("fpu avx2 avx512f avx512_vnni", False),
        ("avx512_bf16x", False),
    ],
)
def test_a_cpu_says_what_it_multiplies(
    flags: str, fast: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    facts = tmp_path / "cpuinfo"
    facts.write_text(f"model name: some\nflags\t\t: {flags}\n")
    monkeypatch.setattr(devices, "CPU_FACTS", facts)
    assert devices.has_bfloat16(torch.device("cpu")) == fast


def test_a_cpu_that_says_nothing_computes_in_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "CPU_FACTS", tmp_path / "absent")
    assert not devices.has_bfloat16(torch.device("cpu"))
