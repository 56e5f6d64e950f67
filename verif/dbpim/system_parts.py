"""The parts between memory port and cores side by side: sizes, and how their benches run."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hwgen.dbpim.facts.arch import Arch, RowUnit, with_sparsity
from hwgen.dbpim.rtl.load_writer import LoadWriter
from hwgen.dbpim.rtl.loader import Loader
from hwgen.dbpim.rtl.logit_buffer import LogitBuffer
from hwgen.dbpim.rtl.sequencer import Sequencer
from hwgen.dbpim.rtl.table_loader import TableLoader
from hwgen.dbpim.rtl.taps_loader import TapsLoader
from hwgen.dbpim.rtl.tile_loader import TileLoader
from hwgen.dbpim.rtl.weight_decoder import WeightDecoder
from hwgen.dbpim.rtl.write_bus import WriteBus
from verif.common.side_by_side import SideBySide
from verif.dbpim import component
from verif.dbpim.component import settings
from verif.runner import Waves, build, run


def small() -> Arch:
    """Return the architecture of the default tests, with logits for several bursts."""
    return replace(component.small(), logit_entries=128)


def narrow() -> Arch:
    """Return an architecture whose sizes are 1 wherever possible."""
    return replace(component.narrow(), logit_entries=64)


def wide() -> Arch:
    """Return a dense chip with a wide port, eight cores and many logits."""
    dense = with_sparsity(small(), "none")
    return replace(
        dense, cores=8, macros_per_core=4, bus_words=4, port_bits=256, logit_entries=1024
    )


def other_sizes() -> dict[str, Arch]:
    """Return corners of the architecture's ranges, by name."""
    base = small()
    little = replace(base.macro, compartments=4, columns=8)
    large = replace(base.macro, compartments=16, rows=32)
    return {
        "one_filter": replace(
            with_sparsity(base, "none"),
            cores=1,
            macros_per_core=1,
            bus_words=1,
            macro=little,
            simd_lanes=4,
        ),
        "widest_port": replace(
            base, cores=4, port_bits=512, macro=large, tile_rows=16, mask_bytes=4096
        ),
        "dense": component.dense(base),
        "dense_four_bits": component.of_four_bits(component.dense(base)),
        "four_bits": component.of_four_bits(base),
        "two_words": replace(
            base,
            macros_per_core=8,
            bus_words=8,
            port_bits=256,
            simd_lanes=8,
            row_unit=RowUnit(lanes=8),
        ),
        "words": component.short_words(),
        "pairs": replace(component.paired(), port_bits=128),
        "port_128": replace(base, port_bits=128, macro=little, simd_lanes=4, macros_per_core=8),
    }


def system_parts(arch: Arch) -> SideBySide:
    """Return the parts between the memory port and the cores."""
    parts = [LoadWriter, Loader, LogitBuffer, Sequencer, TableLoader, TapsLoader, TileLoader]
    parts += [WeightDecoder, WriteBus] if arch.sparse_parts else [WriteBus]
    return SideBySide(parts=[part(arch=arch) for part in parts])


def packed_256() -> Arch:
    """Return a chip whose packed rows, of 1.75 beats, begin anywhere in a beat."""
    macro = replace(small().macro, rows=16)
    return replace(small(), port_bits=256, macro=macro, tile_rows=8, mask_bytes=128)


def run_system_bench(
    stem: str,
    arch: Arch,
    folder: Path,
    waves: Waves | None = None,
    *,
    simulator: str = "verilator",
    beside: Sequence[str] = (),
    parts: SideBySide | None = None,
) -> None:
    """Run `bench_<stem>` on the executable that all these benches share, or on `parts`."""
    parts = parts or system_parts(arch)
    bench = build(parts, simulator=simulator, waves=waves)
    module = f"verif.dbpim.bench_{stem}"
    run(bench, module=module, folder=folder, settings=settings(arch), beside=beside)
