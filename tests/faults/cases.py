"""The networks that meet faults, by family: the chip of each, its work, how its trace is read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from hwgen.chip.runs import SimulatedRun
from hwgen.chip.sim.host import HostedChip, Work
from hwgen.network import INPUT, QuantizedNetwork
from verif.toolchain import ROOT


@dataclass(frozen=True, kw_only=True)
class Case:
    """A network on a chip.

    what: it is there for; work: of its host; runs: of what the host wrote down
    """

    name: str
    what: str
    work: Work
    runs: Callable[[Sequence[Any]], Iterator[SimulatedRun]]


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A chip and the networks that run on it, in the order in which faults meet them.

    facts: the family's description of the chip
    """

    chip: HostedChip[Any]
    facts: Any
    cases: Sequence[Case]


def tried(family: str) -> list[Tried]:
    """Return the chips of a family whose faults are drawn."""
    return FAMILIES[family]()


def dbpim() -> list[Tried]:
    """Return the tiny chip, a small one with pair tiles, one with a row unit and late cells."""
    from hwgen.dbpim.facts.arch import load_arch
    from hwgen.network.file import load_network
    from tests.verif.dbpim.test_pairs import pairs_at_the_end, pairs_of_all_kinds
    from tests.verif.dbpim.test_rows import norm_network, softmax_network, transformer
    from verif.dbpim.directed_network import directed

    tiny, rows = load_arch(TINY), load_arch(TINY.with_name("small_rows.yaml"))
    digits = load_network(ROOT / "configs/networks/digits_small_cnn.npz")
    networks = [
        ("digits", "as trained", digits, 2),
        ("spilled", "bands of rows, and maps in memory", spilled(), 1),
        *((name, what, directed(name), 2) for name, what in DIRECTED.items()),
    ]
    of_rows = [
        ("norm", "a layer norm and a softmax of two groups", norm_network(1), 2),
        ("softmax", "one group, whose last word is not full", softmax_network(1), 2),
        ("transformer", "a constant, attention, a norm", transformer(), 1),
        ("digits on rows", "as trained", digits, 2),
        ("decoder", "states that get a row at each position, and its keys", decoder(), 6),
    ]
    late = replace(rows, name="small_rows_late", cells="synchronous", array_cycles=2)
    pairs = replace(load_arch(TINY.with_name("small.yaml")), name="pairs", one_digit="paired")
    of_pairs = [
        ("pairs", "two filter groups in a tile, beside one", pairs_of_all_kinds(), 2),
        ("head of pairs", "raw sums of two filter groups", pairs_at_the_end(), 2),
        ("digits on pairs", "as trained", digits, 2),
    ]
    return [
        dbpim_chip(tiny, networks),
        dbpim_chip(pairs, of_pairs),
        dbpim_chip(late, of_rows),
    ]


def runs_of(starts: Sequence[Any], *, program: Any, arch: Any, inputs: Any) -> Any:
    """Return the runs of starts, all of one program."""
    from hwgen.dbpim.sim.simulate import simulated_runs

    return simulated_runs(starts, [program] * len(starts), arch, inputs)


def dbpim_chip(arch: Any, networks: Sequence[tuple[str, str, QuantizedNetwork, int]]) -> Tried:
    """Return a chip; networks: name, what it is there for, network, images of a run or calls."""
    from hwgen.dbpim.compiler import compile_network
    from hwgen.dbpim.model import SplitCost
    from hwgen.dbpim.sim.chip_run import hosted
    from hwgen.dbpim.sim.simulate import job_of
    from verif.dbpim.random_network import random_images

    cases = []
    for name, what, network, count in networks:
        # A network with positions reads one image a call.
        images_of_run = 1 if network.graph.positions else count
        program = compile_network(network, arch, images=images_of_run, layer_cost=SplitCost(arch))
        images = random_images(network, count, seed=0)
        cases.append(
            Case(
                name=name,
                what=what,
                work=job_of(arch, program, images).work(),
                runs=partial(runs_of, program=program, arch=arch, inputs=images),
            )
        )
    return Tried(chip=hosted(arch), facts=arch, cases=cases)


DIRECTED = {
    "residuals": "additions, one of them fused, and pooling",
    "squeeze_and_excite": "products, tables, a mean",
    "growing_maps": "pixels repeated, and zeros between pixels",
    "depthwise": "groups",
    "shortcuts": "channels that are appended and dropped, strides in one direction",
    "mixed_digits": "weights of up to four digits",
    "pools": "windows of all kinds",
    "answer_of_bytes": "an answer that is a map",
}
"""Directed networks of the benches, and what they are there for."""


def spilled() -> QuantizedNetwork:
    """Return a network whose maps are larger than the buffers of the tiny chip."""
    from verif.dbpim.directed_corners import fill_weights, finish
    from verif.dbpim.directed_operations import depthwise_weights
    from verif.dbpim.network_builder import NetworkBuilder

    net = NetworkBuilder(name="spilled", shape=(32, 32, 3), seed=1, zero_point=7)
    weights = fill_weights(net, INPUT, [2] * 8, kernel=(2, 2))
    now = net.conv(INPUT, weights, kernel=(2, 2), padding=1)
    now = net.max_pool(now, kernel=2, stride=1, padding=0)
    now = net.depthwise(now, depthwise_weights(net, now, 3), stride=3)
    finish(net, now)
    return net.build()


def decoder() -> QuantizedNetwork:
    """Return a causal network of one block that reads one of six tokens a call."""
    from hwgen.network.decoding import decode
    from verif.dbpim.decoders import DecoderShape, drawn_decoder

    shape = DecoderShape(blocks=1, width=16, heads=2, hidden=16, tokens=6)
    return decode(drawn_decoder(1, shape))


def mram() -> list[Tried]:
    """Return the tiny chip, one of any kernels, one with twins and overlap.

    Networks switch between widths.
    """
    from tests.mram.compiler.test_walks import WIDE
    from tests.verif.mram.chips import chip_arch, narrow_network, residual_network
    from tests.verif.mram.test_chip_any import kernels_of
    from verif.mram.random_network import OfDepthwise, OfWidths

    tiny = chip_arch("tiny")
    networks = {
        "residual": ("additions and poolings; three widths", residual_network(1), "positions"),
        "narrow": ("maps and weights of few bits; three widths", narrow_network(1), "positions"),
        "seed": ("a kernel a sub-array, a position at a time", residual_network(2), "seed"),
    }
    deep = ("kernels of two row sets with twins", residual_network(3, deep=True), "positions")
    few = ("twins of few bits", narrow_network(3), "positions")
    twins = replace(tiny, name="tiny_twins", twins=True, overlap=True)
    kernels = replace(WIDE, name="tiny_any")
    of_kernels = {
        "kernels": ("5 x 5, 1 x 4, 4 x 1, 1 x 1, a whole map", kernels_of(2), "positions"),
        "depthwise": ("pixels of several rows", OfDepthwise(5).build(), "positions"),
        "depthwise windows": ("lines that begin on rows", OfDepthwise(22).build(), "positions"),
        "wide": ("taps of several rows, two row sets, two widths", OfWidths(51).build(), "seed"),
        "narrow": ("as on the tiny chip", narrow_network(1), "positions"),
    }
    return [
        mram_chip(tiny, networks),
        mram_chip(kernels, of_kernels),
        mram_chip(twins, {"deep": deep, "few bits": few}),
    ]


def mram_chip(arch: Any, networks: Mapping[str, tuple[str, QuantizedNetwork, str]]) -> Tried:
    """Return a chip; networks: by name what each is there for, network, mapping."""
    from hwgen.mram.sim.chip_run import hosted
    from hwgen.mram.sim.simulate import job_of, simulated_runs
    from tests.verif.mram.chips import compiled, images_of

    cases = []
    for name, (what, network, mapping) in networks.items():
        modes = [mode % len(network.graph.modes) for mode in (0, 2, 1, 1)]
        program = compiled(network, arch, images=len(modes), mapping=mapping)
        work = job_of(arch, program, images_of(network, len(modes)), modes=modes).work()
        runs = partial(simulated_runs, program=program, arch=arch)
        cases.append(Case(name=name, what=what, work=work, runs=runs))
    return Tried(chip=hosted(arch), facts=arch, cases=cases)


def crossbar() -> list[Tried]:
    """Return three chips, each made for its network: a search gives every network its own."""
    return [joined(), pooled(), stream()]


def made_for(
    name: str, what: str, network: QuantizedNetwork, found: Any, *, streams: Sequence[int]
) -> Tried:
    """Return the chip of a design, and its network with streams of so many images."""
    from hwgen.crossbar.compiler import compile_network
    from hwgen.crossbar.facts.chip import described
    from hwgen.crossbar.model.record import make_arch
    from hwgen.crossbar.sim.chip_run import hosted
    from hwgen.crossbar.sim.simulate import job_of, simulated_runs
    from verif.common.drawing import draw_images

    arch = make_arch(found, name)
    chip, cases = described(arch), []
    for images in streams:
        program = compile_network(network, arch, images=images)
        work = job_of(chip, program, draw_images(network, images, seed=3)).work()
        runs = partial(simulated_runs, program=program, chip=chip)
        title, purpose = (name, what) if not cases else (f"{name}, {images} images", FOLLOWING)
        cases.append(Case(name=title, what=purpose, work=work, runs=runs))
    return Tried(chip=hosted(chip), facts=chip, cases=cases)


FOLLOWING = "images that follow each other, each into the place of one before it"


def joined() -> Tried:
    """Return a chip whose maps lie side by side."""
    from tests.verif.crossbar.whole import joined_design, joined_network

    return made_for(
        "joined",
        "concatenations, a table, a pooling",
        joined_network(),
        joined_design(),
        streams=(1, 4),
    )


def pooled() -> Tried:
    """Return a chip with many copies before and in a pooling."""
    from tests.verif.crossbar.whole import design
    from verif.common.drawing import Drawing

    drawing = Drawing(5, modes=("full",), shape=(4, 4, 2))
    first = drawing.conv("input", (4,), kernel=(3, 3), padding=(1, 1, 1, 1))
    pool = drawing.max_pool(first, kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0))
    network = drawing.build(drawing.linear(pool, (5,), bits=32))
    found = design(network, copies=[4, 4, 1], macros=[2, 0, 1], side=16)
    return made_for("pooled", "a pooling with four copies", network, found, streams=(1, 4))


def stream() -> Tried:
    """Return a chip through which images follow each other."""
    from tests.verif.crossbar.whole import answers_design, answers_network

    return made_for(
        "stream", "three images, two answers", answers_network(), answers_design(), streams=(3, 8)
    )


TINY = ROOT / "configs/dbpim/tiny.yaml"
FAMILIES: dict[str, Callable[[], list[Tried]]] = {
    "dbpim": dbpim,
    "mram": mram,
    "crossbar": crossbar,
}
