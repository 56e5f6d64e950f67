"""What the device of a training computes fast."""

from pathlib import Path

import torch

CPU_FACTS = Path("/proc/cpuinfo")
CPU_UNITS = {"amx_bf16", "avx512_bf16"}
"""Linux' names of what multiplies bfloat16 in a CPU; without it, float32 is faster."""


def has_bfloat16(device: torch.device) -> bool:
    """Whether a device multiplies bfloat16 as such."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    try:
        words = CPU_FACTS.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False
    return not CPU_UNITS.isdisjoint(words)
