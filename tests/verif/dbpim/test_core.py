# amaranth: UnusedElaboratable=no
"""A core alone: programs of whole networks against golden, one layer cycle by cycle."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.compiler.dbpim.compile import compile_network
from hwgen.rtl.dbpim.core import Core
from hwgen.spec.dbpim.arch import SWITCHES, Arch, with_sparsity
from hwgen.spec.dbpim.program_file import save_program
from hwgen.spec.network.file import save_network
from verif.dbpim.component import settings, small
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.random_network import draw_recipe, random_network
from verif.runner import Waves, build, run

SMALL = small()
DENSE = replace(
    with_sparsity(SMALL, "none"),
    macros_per_core=4,
    simd_lanes=2,
    macro=replace(SMALL.macro, compartments=4, columns=8),
)
LARGE = replace(
    SMALL,
    cores=8,
    macros_per_core=4,
    macro=replace(SMALL.macro, compartments=16, rows=16),
    tile_rows=8,
    switch_rate=8,
    queue_depth=8,
    buffer_bytes=16384,
    psum_entries=128,
    mask_bytes=1024,
    simd_lanes=16,
    port_bits=256,
)
"""A core as large as the paper's."""

SPARSE = [*sorted(DIRECTED.keys() - {"any_weights"}), "1", "2"]
"""Networks whose weights have at most two digits."""


def run_core(
    arch: Arch,
    names: list[str],
    folder: Path,
    waves: Waves | None,
    simulator: str = "verilator",
) -> None:
    """Run programs of directed networks, or of random ones where the name is a number."""
    for name in names:
        network = (
            random_network(draw_recipe(int(name)), seed=int(name))
            if name.isdigit()
            else directed(name)
        )
        save_network(network, folder / f"{name}.network.npz")
        save_program(compile_network(network, arch), folder / f"{name}.program.npz")
    bench = build(Core(arch=arch), simulator=simulator, waves=waves)
    smoke = int(simulator != "verilator")
    facts = settings(arch, WORK=folder, NAMES=",".join(names), SMOKE=smoke)
    for module in ("bench_core_cycles", "bench_core"):
        run(bench, module=f"verif.dbpim.{module}", folder=folder, settings=facts)


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_core(SMALL, ["zero_points", "mixed_phi", "tails"], tmp_path, waves)


def test_dense(tmp_path: Path, waves: Waves | None) -> None:
    run_core(DENSE, ["one_pixel", "residuals"], tmp_path, waves)


def test_small_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_core(SMALL, ["one_pixel"], tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("switch", SWITCHES)
def test_one_switch_alone(switch: str, tmp_path: Path, waves: Waves | None) -> None:
    names = [*DIRECTED, "1", "2"] if switch != "weight_bits" else SPARSE
    run_core(with_sparsity(SMALL, switch), names, tmp_path, waves)


@pytest.mark.long
def test_like_the_paper(tmp_path: Path, waves: Waves | None) -> None:
    run_core(LARGE, SPARSE, tmp_path, waves)
