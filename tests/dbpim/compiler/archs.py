"""Architectures for the compiler's tests: one for each seed, every size drawn."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from hwgen.dbpim.facts.arch import Arch, MacroSize, Sparsity, load_arch

CONFIGS = Path("configs/dbpim")
SMALL = load_arch(CONFIGS / "small.yaml")
TINY = load_arch(CONFIGS / "tiny.yaml")


def draw_arch(seed: int) -> Arch:
    """Return a random architecture with buffers that hold small networks."""
    rng = np.random.default_rng(seed)

    def power(low: int, high: int) -> int:
        """Return a power of two between two powers of two."""
        return 1 << int(rng.integers(low.bit_length() - 1, high.bit_length()))

    compartments, macros, rows = power(4, 16), power(1, 8), power(2, 32)
    tile_rows = power(1, rows // 2)
    switches = (bool(bit) for bit in rng.integers(0, 4, 3))
    drawn = replace(
        SMALL,
        name=f"drawn_{seed}",
        cores=power(1, 8),
        macros_per_core=macros,
        macro=MacroSize(
            compartments=compartments,
            columns=8 if compartments == 4 else int(rng.choice([8, 16])),
            rows=rows,
        ),
        tile_rows=tile_rows,
        switch_rate=power(1, compartments),
        queue_depth=int(rng.integers(1, 9)),
        buffer_bytes=1 << 17,
        psum_entries=power(macros, 32),
        mask_bytes=max(4, compartments * tile_rows // 2) * power(1, 4),
        simd_lanes=power(1, compartments),
        bus_words=1,
        port_bits=power(64, 512),
        sparsity=Sparsity(**dict(zip(Sparsity.__dataclass_fields__, switches, strict=True))),
    )
    # Drawn last: a seed keeps all that it had before there was a choice.
    one_digit = str(rng.choice(["none", "coded", "paired", "paired"]))
    entries = max(drawn.psum_entries, 2 * macros if one_digit == "paired" else 1)
    return replace(drawn, one_digit=one_digit, psum_entries=entries)
