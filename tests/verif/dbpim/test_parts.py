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
from tests.verif.neighbours import modules_beside
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
WITHOUT_PARTS = (
    *(("macro", part, "without parts") for part in ("plane_counter", "dots")),
    *(("feed", part, "dense") for part in ("direct_feed", "tile_store", "walker")),
    *(("system", part, "dense") for part in ("tile_loader", "loader")),
)
"""Benches of a chip without the parts for sparsity."""
SYSTEM = ("load_writer", "loader", "logit_buffer", "row_unpacker", "sequencer", "table_loader")
SYSTEM += ("taps_loader", "tile_loader", "weight_decoder", "write_bus")
OF_ROWS = dict.fromkeys(("load_writer", "loader"), "two_words")
"""What a row unit changes, and the size that has one."""
QUICK = {**OF_ROWS, "walker": "rows"}
QUICK |= dict.fromkeys(("tile_store", "tile_loader", "weight_decoder"), "pairs")
"""Sizes beside `small` that always run."""
ONE_MASK_A_BEAT = ("tile_store", "one_mask")
"""The part and the size whose masks fill the port, which always run, too."""
UNDER_ICARUS = "tile_store"
"""The part that the second simulator always runs: its memories are unknown at power-on."""
UNPACKER_SIZES = ("widest_port", "port_128")


PROMISES = {
    "fetcher": (
        "the bank of a result is read before the fetcher's words, and no bank without an addition",
        "a word is what the banks hold, the byte outside the map, zeros without a position",
        "reads, acceptance and visible words are in their documented cycles",
        "Verilator -Wall is silent",
    ),
    "switch": (
        "every group holds golden's selected inputs, in order, filled with zeros, for all macros",
        "every cycle moves the documented number of inputs, over no group's border",
        "a position vector ends with a group, and its groups are numbered, whatever the masks",
        "Verilator -Wall is silent",
    ),
    "group_queue": (
        "each macro gets all groups in order, independent of the others",
        "any number of slots works, and the slowest macro decides when they are full",
        "Verilator -Wall is silent",
    ),
    "walker": (
        "every word is requested in the documented order, from where golden has stored it",
        "the first request, every later one and the end have their cycles",
        "a request stays as it is until it is taken",
        "any part of the vectors of several images is walked, in rows or patches of two rows",
        "SIMD steps ask for each channel word and tap, of two maps where there are two",
        (
            "a product asks for words of map a, and after each of them for the pixels of map b"
            " that it meets"
        ),
        "Verilator -Wall is silent",
    ),
    "tile_store": (
        "headers, masks, parameters and loaded rows are those of the tiles that are there",
        "a tile retires, and frees its entries, in the documented cycles",
        "nothing depends on what memories hold at power-on",
        "Verilator -Wall is silent",
        (
            "DBMUs, trees, accumulators, tile store, loader and output stage do pair tiles as"
            " golden, in their cycles"
        ),
    ),
    "activation_buffer": (
        "slices of maps are read back from where golden says that they lie, other rows ignored",
        "a read sees the word before the write of its cycle and holds it",
        "the positions of a private result are stored in one cycle",
        "Verilator -Wall is silent",
        "words for different lanes go at once, and a private result waits for its own banks alone",
    ),
    "cell_array": (
        (
            "synchronous cells show the row that was read last, as it was at that edge, until"
            " the next read"
        ),
        "a row shows what was written last, until the edge what was there; it has no reset",
    ),
    "dots": (
        (
            "a bit plane has its sums in the cycle that the architecture says, whatever is"
            " written beside it"
        ),
        (
            "DBMUs, trees, accumulators, tile store, loader and output stage do pair tiles as"
            " golden, in their cycles"
        ),
    ),
    "meta_array": (
        "beside synchronous cells it shows the row that was read last, until the next read",
        "a row shows the signs and indices written last; reset changes nothing",
    ),
    "psum_array": (
        "an entry shows the sums written last, until the edge those that were there",
        (
            "DBMUs, trees, accumulators, tile store, loader and output stage do pair tiles as"
            " golden, in their cycles"
        ),
    ),
    "dbmu": (
        "an input bit times every weight code, with each choice of cells, as a term without a sign",
        (
            "DBMUs, trees, accumulators, tile store, loader and output stage do pair tiles as"
            " golden, in their cycles"
        ),
    ),
    "compartment": (
        "with synchronous cells an input bit meets the row of the cycle before",
        "an input bit meets every weight of the chosen row in the same cycle",
        (
            "DBMUs, trees, accumulators, tile store, loader and output stage do pair tiles as"
            " golden, in their cycles"
        ),
    ),
    "adder_tree": ("sums of both bodies are exact, the extremes included",),
    "ipu": ("non-zero bit planes from the highest down, or all; an all-zero group takes one",),
    "ppu": (
        (
            "sums are right in the cycle of the last bit plane, over groups and tiles; the"
            " largest tile fits its accumulator, and sums wrap at 32 bits"
        ),
        (
            "DBMUs, trees, accumulators, tile store, loader and output stage do pair tiles as"
            " golden, in their cycles"
        ),
    ),
    "weight_decoder": (
        "every code in every place gives golden's cells, signs and block indices, dense and sparse",
        (
            "DBMUs, trees, accumulators, tile store, loader and output stage do pair tiles as"
            " golden, in their cycles"
        ),
    ),
    "write_bus": (
        "in each cycle each lane grants the core in turn, and its word is written one cycle later",
        "words of the image go through the same register, before all requests",
        "words for different lanes go at once, and a private result waits for its own banks alone",
    ),
    "load_writer": (
        "words for different lanes go at once, and a private result waits for its own banks alone",
        (
            "packed pixels, windows of neighbours and whole words go where golden places them,"
            " one in each cycle, or two where a beat has two"
        ),
    ),
    "logit_buffer": ("every beat holds the logits written last; words of maps change nothing",),
    "taps_loader": (
        (
            "parameters and weights of depthwise convolutions come out as encoded, in the"
            " documented cycles"
        ),
    ),
    "table_loader": (
        "every beat of a table comes with the number of its first entry, in the documented cycles",
    ),
    "tile_loader": (
        "masks, parameters and rows come out as golden decodes them, in the documented cycles",
        (
            "DBMUs, trees, accumulators, tile store, loader and output stage do pair tiles as"
            " golden, in their cycles"
        ),
    ),
    "row_unpacker": (
        (
            "the decoder gives golden's weights for every such triple, and for filters of one"
            " cell column"
        ),
    ),
    "loader": (
        (
            "whole programs with several LOADs reach maps, sequencer and the right cores, in"
            " their cycles, whoever stalls"
        ),
        (
            "a foreign BEGIN, a second packet other than LOAD, an unknown opcode and a stream"
            " without END are errors, and the loader stops"
        ),
        (
            "a program that ends without STORE is an error to the loader, the chip and the"
            " reader of programs"
        ),
    ),
    "sequencer": (
        (
            "LOADs, layers, STOREs and END retire in order, every pulse in its cycle, each core"
            " with its own fields; a full queue takes nothing"
        ),
    ),
}
"""What each part keeps, by the first word of its parameters."""


def sizes(sizes_of: Any, more: Any) -> dict[str, Any]:
    """Return architectures by name."""
    base = {"small": sizes_of.small(), "narrow": sizes_of.narrow()}
    return {**base, "wide": more.wide(), **more.other_sizes()}


FEED_SIZES = sizes(component, feed_sizes)
SYSTEM_SIZES = sizes(system_parts, system_parts)


def is_alone(part: str) -> bool:
    """Tell a part whose bench shares no executable with its neighbours."""
    return part == "row_unpacker"


def alone(part: str, arch: Any) -> SideBySide | None:
    """Return the parts of a bench that shares no executable with its neighbours; None: it does."""
    if is_alone(part):
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
                if not s.startswith("dense")
                and (part != "row_unpacker" or s in (*UNPACKER_SIZES, "small", "narrow"))
                and (part in OF_ROWS or s not in OF_ROWS.values())
            ]
            for size in ["narrow"] if icarus else [s for s in of_part if s != "narrow"]:
                quick = part == UNDER_ICARUS if icarus else size in ("small", QUICK.get(part))
                quick |= (part, size) == ONE_MASK_A_BEAT and not icarus
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


@pytest.mark.dear(
    "activation_buffer-small",
    "adder_tree-small",
    "cell_array-small",
    "compartment-small",
    "dbmu-small",
    "dots-small",
    "fetcher-small",
    "group_queue-small",
    "ipu-small",
    "load_writer-small",
    "loader-small",
    "logit_buffer-small",
    "meta_array-small",
    "ppu-small",
    "psum_array-small",
    "row_unpacker-small",
    "sequencer-small",
    "switch-small",
    "table_loader-small",
    "taps_loader-small",
    "tile_loader-small",
    "tile_store-small",
    "walker-small",
    "weight_decoder-small",
    "write_bus-small",
)
@pytest.mark.parametrize(("side", "part", "size"), list(launches(icarus=False)))
def test_part(
    side: str,
    part: str,
    size: str,
    *,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    waves: Waves | None,
) -> None:
    def bench(other: pytest.Function) -> str | None:
        its = other.callspec.params
        same = (its["side"], its["size"]) == (side, size) and not is_alone(its["part"])
        return f"verif.dbpim.bench_{its['part']}" if same else None

    beside = () if is_alone(part) else modules_beside(request, bench)
    launch(side, part, size, tmp_path, waves=waves, beside=beside)


@pytest.mark.dear("macro-dots-without_parts")
@pytest.mark.promise(
    "without a switch each macro has a word until it leaves it, and all eight of its bit planes;"
    " tiles have no masks, and rows no metadata"
)
@pytest.mark.parametrize(
    ("side", "part", "size"),
    [*WITHOUT_PARTS, ("feed", "direct_feed", "dense_one_macro")],
    ids=lambda each: each.replace(" ", "_"),
)
def test_part_of_a_dense_chip(
    side: str, part: str, size: str, tmp_path: Path, waves: Waves | None
) -> None:
    launch(side, part, size, tmp_path, waves=waves)


@pytest.mark.dear("feed-switch")
@pytest.mark.promise(
    "words of fewer channels than a macro has compartments fill a group one after the other"
)
@pytest.mark.parametrize(
    ("side", "part"), [("feed", "switch"), ("feed", "tile_store"), ("system", "tile_loader")]
)
def test_part_of_short_words(side: str, part: str, tmp_path: Path, waves: Waves | None) -> None:
    launch(side, part, "words", tmp_path, waves=waves)


@pytest.mark.parametrize(("side", "part", "size"), list(launches(icarus=True)))
def test_part_under_icarus(side: str, part: str, size: str, icarus: str, tmp_path: Path) -> None:
    launch(side, part, size, tmp_path, simulator=icarus)


@pytest.mark.dear("64")
@pytest.mark.promise(
    "packed rows may begin anywhere in a beat, flat and packed tiles follow each other"
)
@pytest.mark.parametrize("port_bits", [256, 64])
def test_rows_between_beats(port_bits: int, tmp_path: Path, waves: Waves | None) -> None:
    """Triples of 7 pieces; rows of one digit are a beat of 256 bits, or four of 64."""
    arch = replace(system_parts.packed_256(), port_bits=port_bits, one_digit="coded")
    run_system_bench(
        "tile_loader", arch, tmp_path, waves, parts=SideBySide(parts=[TileLoader(arch=arch)])
    )


@pytest.mark.dear(
    "activation_buffer-narrow",
    "fetcher-narrow",
    "group_queue-small",
    "switch-narrow",
    "tile_store-narrow",
    "walker-narrow",
)
@pytest.mark.parametrize("size", ["small", "narrow"])
@pytest.mark.parametrize("part", FEED)
def test_lint_clean(part: str, size: str) -> None:
    assert lint_part(FEED[part](arch=FEED_SIZES[size])) == ""
