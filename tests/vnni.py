"""Whether the processor multiplies bytes as onnxruntime's kernels need it for exact sums."""

from functools import cache
from pathlib import Path


@cache
def has_vnni() -> bool:
    """Return whether the processor has AVX-VNNI or AVX512-VNNI."""
    return "vnni" in Path("/proc/cpuinfo").read_text(encoding="utf-8")
