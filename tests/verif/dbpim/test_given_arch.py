"""Every bench at the sizes of an architecture that a person gives: `scripts/test --arch FILE`."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hwgen.dbpim.facts.arch import Arch
from tests.verif.dbpim.test_chip_bench import run_bench
from tests.verif.dbpim.test_core import run_core
from tests.verif.dbpim.test_macro import run_macro
from tests.verif.dbpim.test_output_stage import run_output_stage
from tests.verif.dbpim.test_parts import FEED, MACRO, SYSTEM
from tests.verif.dbpim.test_simd import run_simd
from verif.dbpim.component import settings
from verif.dbpim.directed_network import directed
from verif.dbpim.feed_sizes import run_feed_bench
from verif.dbpim.macro_parts import macro_parts
from verif.dbpim.random_network import random_images
from verif.dbpim.system_parts import run_system_bench
from verif.runner import build, run

pytestmark = pytest.mark.given_arch


def of_macro(part: str) -> Callable[[Arch, Path], None]:
    """Return the bench of a part of a macro."""

    def bench(arch: Arch, folder: Path) -> None:
        made = build(macro_parts(arch))
        run(made, module=f"verif.dbpim.bench_{part}", folder=folder, settings=settings(arch))

    return bench


def of_feed(part: str) -> Callable[[Arch, Path], None]:
    """Return the bench of a part between buffers and macros."""
    return lambda arch, folder: run_feed_bench(part, arch, folder)


def of_system(part: str) -> Callable[[Arch, Path], None]:
    """Return the bench of a part between memory port and cores."""
    return lambda arch, folder: run_system_bench(part, arch, folder)


BENCHES: dict[str, Callable[[Arch, Path], None]] = {
    **{part: of_macro(part) for part in MACRO},
    **{part: of_feed(part) for part in FEED},
    **{part: of_system(part) for part in SYSTEM if part not in ("row_unpacker", "table_loader")},
    "macro": run_macro,
    "output_stage": lambda arch, folder: run_output_stage(arch, "verilator", folder, None),
    "simd": lambda arch, folder: run_simd(arch, "verilator", folder, None),
    "core": lambda arch, folder: run_core(arch, folder, None),
}


@pytest.mark.parametrize("part", BENCHES)
def test_part(part: str, given_arch: Arch, tmp_path: Path) -> None:
    BENCHES[part](given_arch, tmp_path)


@pytest.mark.parametrize("name", ["residuals", "tails"])
def test_network(name: str, given_arch: Arch, tmp_path: Path) -> None:
    """A whole network under cocotb: every element and cycle as predicted."""
    network = directed(name)
    images = random_images(network, 2, seed=1)
    run_bench(network, given_arch, images, tmp_path, simulator="verilator")
