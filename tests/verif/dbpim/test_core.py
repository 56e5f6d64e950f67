# amaranth: UnusedElaboratable=no
"""A core alone: programs of whole networks against golden, one layer cycle by cycle."""

from pathlib import Path

import pytest

from hwgen.compiler.dbpim.compile import compile_network
from hwgen.rtl.dbpim.core import Core
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.program_file import save_program
from hwgen.spec.network_file import save_network
from verif.dbpim.directed_network import DIRECTED, directed
from verif.dbpim.random_network import draw_recipe, random_network
from verif.dbpim.settings import settings_for, small_arch
from verif.runner import Waves, build, run

SMALL = small_arch()
DENSE = small_arch(
    macros_per_core=4,
    simd_lanes=2,
    macro={"compartments": 4, "columns": 8},
    sparsity={"weight_bits": False, "weight_values": False, "input_bits": False},
)
LARGE = small_arch(
    cores=8,
    macros_per_core=4,
    macro={"compartments": 16, "rows": 16},
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
    settings = settings_for(arch, work=folder, names=",".join(names), smoke=smoke)
    for module in ("bench_core_cycles", "bench_core"):
        run(bench, module=f"verif.dbpim.{module}", folder=folder, settings=settings)


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_core(SMALL, ["zero_points", "mixed_phi", "tails"], tmp_path, waves)


def test_dense(tmp_path: Path, waves: Waves | None) -> None:
    run_core(DENSE, ["one_pixel", "residuals"], tmp_path, waves)


def test_small_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_core(SMALL, ["one_pixel"], tmp_path, waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("switch", ["weight_bits", "weight_values", "input_bits"])
def test_one_switch_alone(switch: str, tmp_path: Path, waves: Waves | None) -> None:
    switches = ("weight_bits", "weight_values", "input_bits")
    arch = small_arch(sparsity={name: name == switch for name in switches})
    run_core(arch, [*DIRECTED, "1", "2"], tmp_path, waves)


@pytest.mark.long
def test_like_the_paper(tmp_path: Path, waves: Waves | None) -> None:
    run_core(LARGE, [*(n for n in DIRECTED if n != "any_weights"), "3", "4"], tmp_path, waves)
