"""The SIMD unit against golden, each read and each write in its cycle."""

from dataclasses import replace
from pathlib import Path

import pytest

from hwgen.rtl.dbpim.simd import Simd
from hwgen.spec.dbpim.arch import Arch
from verif.dbpim.component import settings, small
from verif.runner import Waves, build, run

SMALL = small()
SLICES = replace(SMALL, macros_per_core=4, simd_lanes=2)


def banks(arch: Arch) -> str:
    """Return memories that answer one cycle after the address and hold what they have read."""
    width, address = 8 * arch.macro.compartments, arch.bank_address_bits
    lines = []
    for bank in range(arch.banks):
        place = f"bank_address[{bank * address} +: {address}]"
        lines += [
            f"reg [{width - 1}:0] bank_{bank} [0:{arch.bank_words - 1}];",
            f"always @(posedge clk) if (bank_read_en[{bank}])",
            f"  bank_data[{bank * width} +: {width}] <= bank_{bank}[{place}];",
        ]
    return "\n".join(lines)


def run_simd(arch: Arch, simulator: str, folder: Path, waves: Waves | None) -> None:
    bench = build(Simd(arch=arch), harness=banks(arch), simulator=simulator, waves=waves)
    run(bench, module="verif.dbpim.bench_simd", folder=folder, settings=settings(arch))


def test_small(tmp_path: Path, waves: Waves | None) -> None:
    run_simd(SMALL, "verilator", tmp_path, waves)


def test_slices_of_lanes(tmp_path: Path, waves: Waves | None) -> None:
    run_simd(SLICES, "verilator", tmp_path, waves)


def test_small_under_icarus(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    run_simd(SMALL, icarus, tmp_path, waves)


@pytest.mark.long
@pytest.mark.parametrize("macros", [1, 2, 8])
@pytest.mark.parametrize(("compartments", "lanes"), [(4, 1), (16, 4), (16, 16)])
def test_sizes(
    macros: int, compartments: int, lanes: int, tmp_path: Path, waves: Waves | None
) -> None:
    macro = replace(SMALL.macro, compartments=compartments, columns=8)
    arch = replace(SMALL, macros_per_core=macros, simd_lanes=lanes, switch_rate=4, macro=macro)
    run_simd(arch, "verilator", tmp_path, waves)
