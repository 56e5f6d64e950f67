"""`scripts/demo`: train, prune and quantize once; then build, simulate and compare two chips.

A second act runs a network with several modes on a chip that switches between them.
"""

import time
from collections.abc import Mapping
from pathlib import Path

from hwgen.chip.family import Family
from hwgen.commands.adaptive import run_adaptive
from hwgen.commands.context import Context
from hwgen.commands.demo.report import DemoReport
from hwgen.commands.engines import Maps, expected_maps, golden_accuracy
from hwgen.commands.images import Batch, choose_images
from hwgen.commands.model import DENSE, SPARSE, causes_of, modelled_variant, speedup_of
from hwgen.commands.run import run_network
from hwgen.commands.subject import Subject, load_subject, with_switches
from hwgen.commands.train import Train
from hwgen.commands.verilog import verilog_of
from hwgen.files.output import write_text
from hwgen.report.model import Speedup, Variant
from hwgen.report.run import RunReport

CHIPS = {"dense": DENSE, "sparse": SPARSE}
"""Sparsity switches of the two chips, which are one architecture otherwise."""


PAGE = "demo.html"
"""Written into the work folder."""
IMAGES_OF_A_MODE = 4
"""Images that the second act simulates in each mode."""


def run_demo(
    context: Context,
    recipe_file: Path,
    arch_file: Path,
    *,
    images: int,
    adaptive: tuple[Path, Path] | None = None,
) -> DemoReport:
    """Train a recipe and run its network on the dense and on the sparse chip, in RTL.

    adaptive: files of the network with several modes, and of its architecture; None: no second act
    """
    from hwgen.commands.demo.page import demo_page

    began = time.monotonic()
    trained = Train(recipe_file, context=context).train_plain()
    subject = load_subject(Path(trained.network.file), arch_file)
    everything = choose_images(subject.network, None, None)
    batch = choose_images(subject.network, None, images)
    same_accuracy = golden_accuracy(context, subject, everything) == trained.accuracy.integer
    maps = expected_maps(context, subject, batch)
    runs, verilog = {}, {}
    for name, switches in CHIPS.items():
        chip = with_switches(subject, switches)
        verilog[name] = str(verilog_of(context, chip.family, chip.arch, name=name))
        runs[name] = run_network(context, chip, batch, engine="rtl")
    second = None if adaptive is None else run_adaptive(context, *adaptive, images=IMAGES_OF_A_MODE)
    equal = same_accuracy and all(run.equal is True for run in runs.values())
    page = context.work / PAGE
    report = DemoReport(
        format="hwgen.report.demo",
        version=4,
        equal=equal and (second is None or second.equal),
        accuracy=trained.accuracy,
        test_images=len(everything.images),
        network=trained.network,
        dense=runs["dense"],
        sparse=runs["sparse"],
        speedup=measured_speedup(context, subject, maps, batch, runs),
        where={
            name: causes_of(context, with_switches(subject, switches), maps, batch)
            for name, switches in CHIPS.items()
        },
        verilog=verilog,
        page=str(page),
        adaptive=second,
        seconds=round(time.monotonic() - began, 1),
    )
    write_text(page, demo_page(report), what="page")
    return report


def measured_speedup(
    context: Context, subject: Subject, maps: Maps, batch: Batch, runs: Mapping[str, RunReport]
) -> Speedup:
    """Return the speed-up: dense and sparse as simulated, each switch alone as modelled."""
    variants = {DENSE: simulated_variant(DENSE, runs["dense"])}
    for switch in subject.family.need(Family.sparsity).SWITCHES:
        alone = with_switches(subject, switch)
        variants[switch] = modelled_variant(context, alone, switch, maps, batch)
    variants[SPARSE] = simulated_variant(SPARSE, runs["sparse"])
    return speedup_of(variants)


def simulated_variant(switches: str, run: RunReport) -> Variant:
    """Return the cycles that a simulation has measured."""
    return Variant(
        sparsity=switches,
        source="rtl",
        cycles=run.cycles_rtl or 0,
        cycles_compute=run.cycles_compute_rtl or 0,
    )
