"""Parts alone, each in the executable that its neighbours share, under both simulators."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.dbpim.rtl.activation_buffer import ActivationBuffer
from hwgen.dbpim.rtl.fetcher import Fetcher
from hwgen.dbpim.rtl.group_queue import GroupQueue
from hwgen.dbpim.rtl.row_unpacker import RowUnpacker
from hwgen.dbpim.rtl.switch import Switch
from hwgen.dbpim.rtl.table_loader import TableLoader
from hwgen.dbpim.rtl.tile_loader import TileLoader
from hwgen.dbpim.rtl.tile_store import TileStore
from hwgen.dbpim.rtl.walker import Walker
from verif.common.side_by_side import SideBySide
from verif.dbpim import component, feed_sizes, system_parts
from verif.dbpim.feed_sizes import run_feed_bench
from verif.dbpim.macro_parts import LONG_SIZES, run_part
from verif.dbpim.system_parts import run_system_bench
from verif.lint import lint_part
from verif.runner import Waves

MACRO = ("adder_tree", "cell_array", "compartment", "dbmu", "dots", "ipu", "meta_array", "ppu")
MACRO += ("psum_array",)
DENSE_TOO = ("dots", "ipu", "ppu")
ARRAYS = {
    **dict.fromkeys(("cell_array", "meta_array"), ("synchronous",)),
    **dict.fromkeys(("dbmu", "ppu", "psum_array"), ("pairs",)),
    "compartment": ("synchronous", "pairs"),
    "dots": ("synchronous", "two cycles", "pairs", "pairs of two cycles"),
}
"""Sizes that differ in how an array is read, how long it takes, or whether it has pair tiles."""
FEED = {
    **{"activation_buffer": ActivationBuffer, "fetcher": Fetcher, "group_queue": GroupQueue},
    **{"switch": Switch, "tile_store": TileStore, "walker": Walker},
}
SYSTEM = ("load_writer", "loader", "logit_buffer", "row_unpacker", "sequencer", "table_loader")
SYSTEM += ("taps_loader", "tile_loader", "weight_decoder", "write_bus")
QUICK = {"load_writer": "wide", "walker": "rows"}
QUICK |= dict.fromkeys(("tile_store", "tile_loader", "weight_decoder"), "pairs")
"""Sizes beside `small` that always run."""
UNDER_ICARUS = "tile_store"
"""The part that the second simulator always runs: its memories are unknown at power-on."""
UNPACKER_SIZES = ("widest_port", "port_128")


def sizes(sizes_of: Any, more: Any) -> dict[str, Any]:
    """Return architectures by name."""
    base = {"small": sizes_of.small(), "narrow": sizes_of.narrow()}
    return {**base, "wide": more.wide(), **more.other_sizes()}


FEED_SIZES = sizes(component, feed_sizes)
SYSTEM_SIZES = sizes(system_parts, system_parts)


def alone(part: str, arch: Any) -> SideBySide | None:
    """Return the parts of a bench that shares no executable with its neighbours; None: it does."""
    if part == "row_unpacker":
        return SideBySide(parts=[RowUnpacker(arch=arch), TableLoader(arch=arch)])
    return None


def row(side: str, part: str, size: str, marks: Any = ()) -> Any:
    """Return the parameters of a bench; its id is the part and the size."""
    return pytest.param(side, part, size, marks=marks, id=f"{part}-{size.replace(' ', '_')}")


def launches(*, icarus: bool) -> Iterator[Any]:
    """Yield family of parts, part and size, marked where a run takes minutes."""
    for part in MACRO:
        dense = ("narrow dense",) if icarus or part in DENSE_TOO else ()
        if icarus:
            yield from (row("macro", part, s, pytest.mark.long) for s in dense)
        else:
            others = ARRAYS.get(part, ())
            yield from (row("macro", part, s) for s in ("small", *dense, *others))
            yield from (row("macro", part, s, pytest.mark.long) for s in LONG_SIZES)
    for side, parts, all_sizes in (("feed", FEED, FEED_SIZES), ("system", SYSTEM, SYSTEM_SIZES)):
        for part in parts:
            of_part = [
                s
                for s in all_sizes
                if part != "row_unpacker" or s in (*UNPACKER_SIZES, "small", "narrow")
            ]
            for size in ["narrow"] if icarus else [s for s in of_part if s != "narrow"]:
                quick = part == UNDER_ICARUS if icarus else size in ("small", QUICK.get(part))
                marks = () if quick else pytest.mark.long
                yield row(side, part, size, marks)


def launch(side: str, part: str, size: str, folder: Path, **how: Any) -> None:
    """Run a bench."""
    if side == "macro":
        run_part(part, size, folder, **how)
    elif side == "feed":
        run_feed_bench(part, FEED_SIZES[size], folder, **how)
    else:
        arch = SYSTEM_SIZES[size]
        run_system_bench(part, arch, folder, parts=alone(part, arch), **how)


@pytest.mark.parametrize(("side", "part", "size"), list(launches(icarus=False)))
def test_part(side: str, part: str, size: str, tmp_path: Path, waves: Waves | None) -> None:
    launch(side, part, size, tmp_path, waves=waves)


@pytest.mark.parametrize(("side", "part", "size"), list(launches(icarus=True)))
def test_part_under_icarus(side: str, part: str, size: str, icarus: str, tmp_path: Path) -> None:
    launch(side, part, size, tmp_path, simulator=icarus)


@pytest.mark.parametrize("port_bits", [256, 64])
def test_rows_between_beats(port_bits: int, tmp_path: Path, waves: Waves | None) -> None:
    """Triples of 7 pieces; rows of one digit are a beat of 256 bits, or four of 64."""
    arch = replace(system_parts.packed_256(), port_bits=port_bits, one_digit="coded")
    run_system_bench(
        "tile_loader", arch, tmp_path, waves, parts=SideBySide(parts=[TileLoader(arch=arch)])
    )


@pytest.mark.parametrize("size", ["small", "narrow"])
@pytest.mark.parametrize("part", FEED)
def test_lint_clean(part: str, size: str) -> None:
    assert lint_part(FEED[part](arch=FEED_SIZES[size])) == ""
