"""Sizes in which the parts that feed the macros are tested, and how their benches run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hwgen.dbpim.facts.arch import Arch, RowUnit
from verif.dbpim.component import dense, paired, rows, settings, short_words, small
from verif.dbpim.feed_parts import feed_parts
from verif.runner import Waves, build, run


def wide() -> Arch:
    """Return a core like the paper's: four macros, sixteen compartments, eight inputs a cycle."""
    macro = replace(small().macro, compartments=16, rows=16)
    return replace(
        small(),
        macros_per_core=4,
        bus_words=4,
        macro=macro,
        tile_rows=8,
        switch_rate=8,
        queue_depth=5,
        psum_entries=64,
        mask_bytes=256,
        port_bits=256,
    )


def other_sizes() -> dict[str, Arch]:
    """Return corners of the architecture's ranges, by name."""
    base = small()
    flat = replace(base.macro, compartments=4, columns=8, rows=32)
    square = replace(base.macro, compartments=16, rows=2)
    return {
        "rows": replace(
            rows(),
            macros_per_core=4,
            psum_entries=16,
            bus_words=4,
            simd_lanes=32,
            row_unit=RowUnit(lanes=4),
        ),
        "eight_macros": replace(
            base, macros_per_core=8, queue_depth=1, psum_entries=8, switch_rate=8, port_bits=512
        ),
        "many_rows": replace(
            base,
            macro=flat,
            tile_rows=16,
            switch_rate=2,
            queue_depth=16,
            mask_bytes=64,
            simd_lanes=4,
        ),
        "pairs": paired(),
        "words": short_words(),
        "dense": dense(base),
        "dense_one_macro": dense(replace(base, macros_per_core=1, bus_words=1)),
        "one_mask": replace(
            base,
            cores=1,
            macros_per_core=1,
            bus_words=1,
            macro=replace(base.macro, compartments=64, columns=8),
            mask_bytes=64,
        ),
        "one_row": replace(
            base,
            macros_per_core=2,
            macro=square,
            tile_rows=1,
            switch_rate=16,
            mask_bytes=8,
            port_bits=256,
        ),
    }


def run_feed_bench(
    stem: str,
    arch: Arch,
    folder: Path,
    waves: Waves | None = None,
    *,
    simulator: str = "verilator",
    beside: Sequence[str] = (),
) -> None:
    """Run `bench_<stem>` on the executable that all these benches share."""
    bench = build(feed_parts(arch), simulator=simulator, waves=waves)
    module = f"verif.dbpim.bench_{stem}"
    run(bench, module=module, folder=folder, settings=settings(arch), beside=beside)
