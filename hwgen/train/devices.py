"""What the device of a training computes fast."""

from pathlib import Path

import torch

CPU_FACTS = Path("/proc/cpuinfo")
CPU_UNITS = "amx_bf16"
"""Linux' name of the matrix units of a CPU. Without them bfloat16 is up to twice as slow as
float32."""


def has_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32 on a device."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    try:
        return CPU_UNITS in CPU_FACTS.read_text(encoding="utf-8", errors="replace").split()
    except OSError:
        return False
