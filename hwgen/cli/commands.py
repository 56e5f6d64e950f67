"""The commands, one function each: they parse, call the flow, and print."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Exit, Option

from hwgen import api
from hwgen.api.arguments import LARGEST_SEED, MOST_STALLS
from hwgen.api.commands import (
    default_engine,
    graph_parts,
    is_adaptive,
    is_first_process,
    train_adaptive_recipe,
    train_recipe,
)
from hwgen.cli.app import WORK, app, finish
from hwgen.cli.options import (
    Arch,
    Batch,
    BatchOfModes,
    Count,
    CountOfRuns,
    Data,
    ImageSize,
    Json,
    Mode,
    Modes,
    Network,
    Sparsity,
    Trace,
    Work,
    address_of,
    schedule,
    sides_of,
)
from hwgen.cli.outputs import OUTPUT_FILE, OUTPUT_FOLDER
from hwgen.report.info_tables import (
    adaptive_train_table,
    build_table,
    compile_table,
    info_table,
    train_table,
)
from hwgen.report.tables import model_table, run_table
from hwgen.report.work import AdaptiveTrainReport, TrainReport

LAST_CYCLE = (1 << 62) - 1
"""A simulation counts cycles in 64 bits."""


class Engine(StrEnum):
    """What runs the images."""

    golden = "golden"
    rtl = "rtl"
    model = "model"


@app.command(epilog="Example: hwgen train recipe.yaml --out build/mine")
def train(
    *,
    recipe: Annotated[Path, Argument(metavar="RECIPE", help="how to train (.yaml)")],
    data: Annotated[
        Path | None, Option(help="folder with the images, unless they are embedded")
    ] = None,
    start: Annotated[Path | None, Option(help="float weights that the recipe starts from")] = None,
    teacher: Annotated[Path | None, Option(help="float weights of the recipe's teacher")] = None,
    seed: Annotated[
        int | None, Option(min=0, max=LARGEST_SEED, help="replaces the seed of the recipe")
    ] = None,
    hours: Annotated[
        float | None,
        Option(min=0.001, max=10_000, help="budget that the epochs of the recipe are scaled to"),
    ] = None,
    out: Annotated[
        Path | None,
        Option("--out", "-o", help="folder to write [default: one in --work]"),
        OUTPUT_FOLDER,
    ] = None,
    resume: Annotated[bool, Option(help="resume an interrupted run")] = True,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Train, prune and quantize a network; write a quantized network file.

    Writes network.npz, training.json and checkpoints; a channel-adaptive recipe gives one network
    with several modes. A result of the same recipe, images and
    code is cached. Several processes share the work when torchrun starts them: torchrun
    --nproc-per-node 2 -m hwgen train recipe.yaml.
    """
    context = api.Context(work=work)
    report: TrainReport | AdaptiveTrainReport
    if is_adaptive(recipe):
        report = train_adaptive_recipe(
            context,
            recipe,
            data=data,
            start=start,
            teacher=teacher,
            seed=seed,
            hours=hours,
            out=out,
            resume=resume,
        )
        shown = adaptive_train_table(report)
    else:
        if teacher is not None:
            raise BadParameter("only the recipe of a channel-adaptive network has a teacher")
        report = train_recipe(
            context,
            recipe,
            data=data,
            start=start,
            seed=seed,
            hours=hours,
            out=out,
            resume=resume,
        )
        shown = train_table(report)
    if is_first_process():
        finish(report, shown, json)


@app.command(epilog="Example: hwgen compile network.npz chip.yaml --listing --out build/digits.npz")
def compile(
    *,
    network: Network,
    arch: Arch,
    listing: Annotated[bool, Option("--listing", help="print every packet of the program")] = False,
    out: Annotated[
        Path | None,
        Option("--out", "-o", help="file of the program [default: one in --work]"),
        OUTPUT_FILE,
    ] = None,
    batch: Batch = 1,
    sparsity: Sparsity = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Compile a network for an architecture: tiles, masks, instructions, one memory image."""
    chip, context = api.load_architecture(arch, sparsity=sparsity), api.Context(work=work)
    report = api.compile(network, chip, out=out, batch=batch, context=context)
    if listing:
        print(api.listing(network, chip, batch=batch, context=context))
    finish(report, compile_table(report), json)


@app.command(epilog="Example: hwgen build chip.yaml --out build/small")
def build(
    *,
    arch: Arch,
    out: Annotated[
        Path, Option("--out", "-o", help="folder to write, replaced whole"), OUTPUT_FOLDER
    ],
    prefix: Annotated[
        str | None,
        Option(metavar="NAME", help="begin of the names of all modules [default: the family]"),
    ] = None,
    trace: Annotated[
        bool, Option(" /--no-trace", help="leave out the ports that only benches connect")
    ] = True,
    sparsity: Sparsity = None,
    json: Json = None,
) -> None:
    """Write the Verilog of a chip: each module once, a file list and a manifest.

    Beside it stands what a system needs: a wrapper with the usual names of AXI and the interrupt,
    the register map in SystemRDL and C, a driver in C, a FuseSoC core, waivers, constraints.

    A chip belongs to an architecture, never to a network.
    """
    chip = api.load_architecture(arch, sparsity=sparsity)
    report = api.build(chip, out, prefix=prefix, trace=trace, context=api.Context())
    finish(report, build_table(report), json)


@app.command(epilog="Example: hwgen run digits_small_cnn chip.yaml --images 2")
def run(
    *,
    network: Network,
    arch: Arch,
    data: Data = None,
    images: CountOfRuns = None,
    batch: BatchOfModes = None,
    mode: Mode = None,
    modes: Modes = None,
    engine: Annotated[
        Engine | None,
        Option(help="[default: rtl, which compares; without Verilator model, which predicts]"),
    ] = None,
    sparsity: Sparsity = None,
    program: Annotated[
        Path | None,
        Option(help="a compiled program, with its images of one run, instead of compiling now"),
    ] = None,
    seed: Annotated[
        int,
        Option(min=1, max=LARGEST_SEED, help="of the content of memories at power-on (rtl only)"),
    ] = 1,
    stalls: Annotated[
        int | None,
        Option(
            metavar="PERCENT",
            min=0,
            max=MOST_STALLS,
            help="percent of cycles in which a channel of the memory does nothing (rtl only)",
        ),
    ] = None,
    stall_seed: Annotated[
        int, Option(min=1, max=LARGEST_SEED, help="of the stalls of the memory")
    ] = 1,
    bus_error: Annotated[
        str | None,
        Option(
            metavar="ADDRESS",
            help="byte, hexadecimal, for whose beat the memory answers with an error (rtl only)",
        ),
    ] = None,
    waves: Annotated[bool, Option("--waves", help="write waves (rtl only, slow)")] = False,
    waves_from: Annotated[
        int | None, Option(min=0, max=LAST_CYCLE, help="first clock cycle of the waves")
    ] = None,
    waves_to: Annotated[
        int | None, Option(min=0, max=LAST_CYCLE, help="last clock cycle of the waves")
    ] = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Run images in RTL; compare every element with golden and every cycle with the model.

    rtl: the Verilog, simulated under Verilator and compared with both. golden: the answers of the
    NumPy reference alone. model: predicted cycles, too. Exit code 1 if anything differs.

    --stalls compares values and events, but no cycles: the model does not know when memory stalls.
    With --bus-error the run should end with the chip's error, in one sentence and exit code 2.

    --mode and --modes are for networks with several modes: a chip switches between two images.
    Each switch of --modes is measured with --engine rtl; that takes up to two more simulations.
    """
    asked = waves or waves_from is not None or waves_to is not None
    troubled = stalls is not None or bus_error is not None
    if (asked or troubled) and engine not in (Engine.rtl, None):
        what = "waves need" if asked else "--stalls and --bus-error need"
        raise BadParameter(f"{what} a simulation: --engine rtl")
    if waves_to is not None and waves_to < (waves_from or 0):
        raise BadParameter(
            f"--waves-to must not be before --waves-from {waves_from or 0}, got {waves_to}"
        )
    context, chip = api.Context(work=work), api.load_architecture(arch, sparsity=sparsity)
    if engine is None:
        engine = Engine.rtl if asked or troubled else Engine(default_engine(context, chip.family))
    report = api.simulate(
        network,
        chip,
        data=data,
        images=images,
        batch=batch,
        modes=schedule(mode, modes),
        engine=engine.value,
        program=program,
        seed=seed,
        stalls=stalls or 0,
        stall_seed=stall_seed,
        bus_error=address_of(bus_error),
        waves=(waves_from or 0, waves_to) if asked else None,
        context=context,
    )
    finish(report, run_table(report), json)
    if report.equal is False:
        raise Exit(1)


@app.command(epilog="Example: hwgen export network.npz chip.yaml --images 2 --out build/by-hand")
def export(
    *,
    network: Network,
    arch: Arch,
    out: Annotated[Path, Option("--out", "-o", help="folder to write"), OUTPUT_FOLDER],
    data: Data = None,
    images: Count = 1,
    mode: Mode = None,
    c: Annotated[
        bool, Option("--c", help="write what firmware in C links with, too: bytes and constants")
    ] = False,
    sparsity: Sparsity = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Write a folder that runs images under plain Verilator, without Python.

    It holds the Verilog, a memory image, the expected logits, and run.sh, which builds, simulates
    and compares.

    With --c also program.bin, images.bin, expected.bin and hwgen_network.h and .c, which name their
    sizes and strides; the driver is beside the Verilog. A network with several modes needs --mode.
    """
    chip = api.load_architecture(arch, sparsity=sparsity)
    context = api.Context(work=work)
    report = api.export(
        network, chip, out, data=data, images=images, mode=mode, firmware=c, context=context
    )
    finish(report, f"{report.script}: builds, runs and compares", json)


@app.command(epilog="Example: hwgen model network.npz chip.yaml --images 4 --speedup")
def model(
    *,
    network: Network,
    arch: Arch,
    data: Data = None,
    images: CountOfRuns = None,
    batch: BatchOfModes = None,
    mode: Mode = None,
    modes: Modes = None,
    speedup: Annotated[
        bool,
        Option(
            "--speedup", help="the dense chip against each kind of sparsity, alone and together"
        ),
    ] = False,
    trace: Trace = None,
    sparsity: Sparsity = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Predict the exact number of cycles without simulating, and the causes of the cycles.

    busy: cells that hold weights compute on a position. Cells of a macro at work that do not:
    inactive_positions (the position vector is not full), empty_slots (the row of weights is not
    full), absent_filters (cell columns that no filter uses). simd: layers without weights, and
    depthwise ones. row_write: a row of weights is being written. Waiting: load (for weights or
    instructions), switch (for a group of inputs), queue (for a slower macro of the core), output
    (for the output stage), write_bus (another core has it), pipeline (a step starts or ends),
    imbalance (for other macros and cores). image, spill, store, end: around the layers.

    utilization: fraction of the cells of active rows whose digit is a non-zero digit of a weight.
    """
    report = api.model(
        network,
        api.load_architecture(arch, sparsity=sparsity),
        data=data,
        images=images,
        batch=batch,
        modes=schedule(mode, modes),
        speedup=speedup,
        trace=trace,
        context=api.Context(work=work),
    )
    finish(report, model_table(report), json)


@app.command(epilog="Example: hwgen info network.npz chip.yaml")
def info(
    *,
    file: Annotated[
        Path,
        Argument(
            metavar="FILE",
            help="a quantized network or a program (.npz), an architecture, a TFLite or ONNX file,"
            " or the name of a network that ships for synthesis",
        ),
    ],
    arch: Annotated[
        Path | None, Argument(metavar="ARCH", help="an architecture: how it tiles each layer")
    ] = None,
    sparsity: Sparsity = None,
    image_size: ImageSize = None,
    work: Work = WORK,
    json: Json = None,
) -> None:
    """Check a file and print its content; with ARCH, how each layer is tiled for that chip.

    Of a network in another format: its layers, or every node that stands in the way.
    """
    size = sides_of(image_size)
    context = api.Context(work=work)
    report = api.info(file, arch, sparsity=sparsity, image_size=size, context=context)
    finish(report, info_table(report, graph_parts(report)), json)
