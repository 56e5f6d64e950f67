"""Routers of a mesh hand on packets by their tables, and every travel reaches its targets."""

import json
from collections import defaultdict
from pathlib import Path

import pytest

from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.facts.routes import IO, LOCAL, beside, load_number, masks, numbers
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.rtl.links import Router
from tests.synthesis import confirmed
from verif.common.side_by_side import SideBySide
from verif.runner import build, run


@pytest.fixture(scope="module")
def chip() -> Chip:
    return described(make_arch(confirmed(), "small"))


def bench(chip: Chip, folder: Path, simulator: str) -> None:
    exits = [mask for mask in masks(chip, 0)]
    # Beside those of a chip: everywhere, and nowhere.
    exits = [(1 << 6) - 1, 0, *exits[2:]]
    executable = build(SideBySide(parts=[Router(chip=chip)]), simulator=simulator)
    settings = {"ROUTER_EXITS": json.dumps(exits), "ROUTER_FLIT_BITS": str(chip.flit_bits)}
    run(executable, module="verif.crossbar.bench_router", folder=folder, settings=settings)


@pytest.mark.promise(
    "a packet leaves by the outputs of its number a clock later, and two at one output are seen"
)
def test_router(chip: Chip, tmp_path: Path) -> None:
    bench(chip, tmp_path, "verilator")


def test_router_under_icarus(chip: Chip, icarus: str, tmp_path: Path) -> None:
    bench(chip, tmp_path, icarus)


def reached(chip: Chip, number: int, source: int) -> dict[int, set[int]]:
    """Follow the tables from a node; return the ports at which packets leave the mesh, by node."""
    found: dict[int, set[int]] = defaultdict(set)
    here = [source]
    while here:
        node = here.pop()
        mask = masks(chip, node)[number]
        found[node] |= {port for port in (LOCAL, IO) if mask >> port & 1}
        here += [there for port, there in beside(chip, node).items() if mask >> port & 1]
    return {node: ports for node, ports in found.items() if ports}


@pytest.mark.promise("tables lead every travel and every load to its targets and nowhere else")
def test_tables_lead_to_all_targets_and_nowhere_else(chip: Chip) -> None:
    for travel in chip.travels:
        port = IO if travel.kind == "result" else LOCAL
        wanted = {target: {port} for target in travel.targets}
        assert reached(chip, travel.id, travel.source) == wanted
    for macro in chip.macros:
        number = load_number(chip, macro.macro)
        assert reached(chip, number, chip.io_node) == {macro.node: {LOCAL}}
    assert numbers(chip) == len(chip.travels) + len(chip.macros)
