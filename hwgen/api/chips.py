"""From an architecture: its Verilog; with a network: program, cycles, simulation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from hwgen.api.arguments import (
    LARGEST_SEED,
    MOST_STALLS,
    Batch,
    Count,
    Data,
    File,
    Is,
    Seed,
    Whole,
    Work,
    checked,
    images_of,
    path_of,
    quiet,
)
from hwgen.commands.build import build_verilog, compile_program, listing_of
from hwgen.commands.capabilities import SPARSITY
from hwgen.commands.engines import Window, trouble_of
from hwgen.commands.export import check_mode, export_run
from hwgen.commands.families import Family
from hwgen.commands.model import model_network
from hwgen.commands.modes import choose_stream
from hwgen.commands.on_the_way import allowed_switches, imported
from hwgen.commands.protocols import Architecture
from hwgen.commands.run import run_network
from hwgen.commands.subject import Subject, configuration_of, for_program, load_chip
from hwgen.commands.trace import trace_network
from hwgen.files.output import write_text
from hwgen.network.file import load_network
from hwgen.report.model import ModelReport
from hwgen.report.run import RunReport
from hwgen.report.work import BuildReport, CompileReport, ExportReport


@dataclass(frozen=True, kw_only=True)
class LoadedArchitecture:
    """An architecture that was read and checked.

    parameters: the dataclass of its family, a field for each key of the file
    """

    file: Path
    family: Family
    parameters: Architecture

    @property
    def name(self) -> str:
        """The name in the file."""
        return self.parameters.name

    @property
    def configuration(self) -> dict[str, Any]:
        """Every key with its value, as it takes effect."""
        return configuration_of(self.parameters)

    @property
    def switches(self) -> tuple[str, ...]:
        """The kinds of sparsity that can be on or off; empty for a family that has none."""
        return tuple(self.family.need(SPARSITY).SWITCHES) if self.family.offers(SPARSITY) else ()

    def with_sparsity(self, switches: str) -> "LoadedArchitecture":
        """Return the same chip with exactly these switches on: `all`, `none`, or names with commas.

        Raises ConfigError for an unknown switch, FamilyError for a family without switches.
        """
        parameters = self.family.need(SPARSITY).with_sparsity(self.parameters, switches)
        return LoadedArchitecture(file=self.file, family=self.family, parameters=parameters)


@checked
def load_architecture(file: File, *, sparsity: str | None = None) -> LoadedArchitecture:
    """Return the architecture of a YAML file, checked.

    sparsity: switches that are on instead of those of the file, as for `with_sparsity`
    Raises FormatError or ConfigError for a file of another format and for each wrong key.
    """
    family, parameters = load_chip(Path(file), sparsity)
    return LoadedArchitecture(file=Path(file), family=family, parameters=parameters)


Arch = Annotated[LoadedArchitecture, Is(LoadedArchitecture)] | File
"""An architecture, or the path of its file."""


@checked
def compile(
    network: File,
    architecture: Arch,
    *,
    out: File | None = None,
    batch: Batch = 1,
    context: Work = None,
) -> CompileReport:
    """Compile a network for an architecture and write the program.

    out: file of the program (.npz); None: one in the work folder
    batch: images of one run of the chip
    Raises FormatError for a layer that the chip does not run.
    """
    subject = subject_of(network, architecture, batch, context)
    return compile_program(quiet(context), subject, path_of(out))


@checked
def listing(network: File, architecture: Arch, *, batch: Batch = 1, context: Work = None) -> str:
    """Return every packet of the program of a network as text."""
    return listing_of(quiet(context), subject_of(network, architecture, batch, context))


@checked
def model(
    network: File,
    architecture: Arch,
    *,
    data: Data | None = None,
    images: Count | None = None,
    batch: Batch | None = None,
    modes: Sequence[str] | None = None,
    speedup: bool = False,
    trace: File | None = None,
    context: Work = None,
) -> ModelReport:
    """Predict the exact number of clock cycles, and what they are spent on.

    data: images: the name of a known set, a folder with its files, or a `.npz` with `images`
        (NHWC) and, if known, `labels`; None: the set that the network was trained on
    images: the first N of them; None: those of one run, at least one of each entry of `modes`
    batch: images of one run of the chip; None: 1, with several entries in `modes` all images
    modes: names of modes: that of each image; after the last entry the first one follows again;
        None or empty: the widest mode
    speedup: also predict the chip with all switches off and with each alone
    trace: file to write: the first run as a timeline that Chrome and Perfetto show
    Raises DataError for an unknown mode, FamilyError for a family without modes.
    """
    subject, chosen = choose_stream(
        subject_of(network, architecture, 1, context),
        images_of(data),
        images=images,
        batch=batch,
        modes=modes,
    )
    report = model_network(quiet(context), subject, chosen, speedup=speedup)
    if trace is not None:
        write_text(Path(trace), trace_network(quiet(context), subject, chosen), what="trace")
    return report


@checked
def simulate(
    network: File,
    architecture: Arch,
    *,
    data: Data | None = None,
    images: Count | None = None,
    batch: Batch | None = None,
    modes: Sequence[str] | None = None,
    engine: Literal["golden", "model", "rtl"] = "rtl",
    program: File | None = None,
    seed: Seed = 1,
    stalls: Annotated[Whole, Field(ge=0, le=MOST_STALLS)] = 0,
    stall_seed: Annotated[Whole, Field(ge=1, le=LARGEST_SEED)] = 1,
    bus_error: Annotated[Whole, Field(ge=0, lt=1 << 64)] | None = None,
    waves: tuple[Whole, Whole | None] | None = None,
    context: Work = None,
) -> RunReport:
    """Run images through the Verilog; compare each element with golden, each cycle with the model.

    data, images, batch, modes: as for `model`
    engine: `golden` gives answers alone, `model` cycles as well, `rtl` simulates; needs Verilator
    program: a compiled program (.npz), with its images of one run, instead of compiling now
    seed: of the content of memories at power-on
    stalls: percent of cycles, 0 to 95, in which a channel of the simulated memory does nothing, by
        `stall_seed`; values and events are compared then, cycles are not
    bus_error: the memory answers the beat that holds this byte with an error; None: none
    waves: first and last clock cycle (None: the end) of which waves are written
    Raises SimulationError where there is no Verilator, and when the chip stops with an error.
    """
    trouble = trouble_of(stalls, stall_seed, bus_error)
    subject, file = subject_of(network, architecture, 1, context), path_of(program)
    if file is not None:
        batch = for_program(subject, file).run_images
    subject, chosen = choose_stream(
        subject, images_of(data), images=images, batch=batch, modes=modes
    )
    return run_network(
        quiet(context),
        subject,
        chosen,
        engine=engine,
        program=file,
        window=None if waves is None else Window(*waves),
        seed=seed,
        trouble=trouble,
    )


@checked
def build(
    architecture: Arch,
    out: File,
    *,
    prefix: str | None = None,
    trace: bool = True,
    context: Work = None,
) -> BuildReport:
    """Write the Verilog of a chip, and what systems need, into the folder `out`, replaced whole.

    Each module is one file; beside them stand a file list, a manifest, a wrapper with the usual
    names of AXI, the register map in SystemRDL and C, a driver in C, a FuseSoC core, waivers and
    constraints.

    prefix: of the names of all modules instead of the family, so that two chips of one family can
        stand in one design
    trace: whether the chip has the ports of its trace, which only benches connect
    """
    chip = loaded(architecture)
    return build_verilog(
        quiet(context),
        chip.family,
        chip.parameters,
        chip.file,
        Path(out),
        prefix=prefix,
        trace=trace,
    )


@checked
def export(
    network: File,
    architecture: Arch,
    out: File,
    *,
    data: Data | None = None,
    images: Count = 1,
    mode: str | None = None,
    firmware: bool = False,
    context: Work = None,
) -> ExportReport:
    """Write a folder that runs images under plain Verilator, without Python.

    data, images: as for `model`
    mode: of all images, by its name; None: the widest
    firmware: also write program, images and answers as bytes, and their sizes as constants of C; a
        network with several modes then needs `mode`
    """
    subject, chosen = choose_stream(
        subject_of(network, architecture, 1, context),
        images_of(data),
        images=images,
        batch=1,
        modes=None if mode is None else (mode,),
    )
    if firmware:
        check_mode(subject, mode)
    return export_run(quiet(context), subject, chosen, Path(out), firmware=firmware)


def loaded(architecture: Arch) -> LoadedArchitecture:
    """Return an architecture that may be the path of its file."""
    if isinstance(architecture, LoadedArchitecture):
        return architecture
    return load_architecture(architecture)


def subject_of(network: File, architecture: Arch, batch: int, context: Work = None) -> Subject:
    """Return the network of a file on a chip, with runs of `batch` images.

    A TFLite or ONNX file is imported on the way; its chip has the switches that its weights allow,
    unless others were asked for.
    """
    chip, given = loaded(architecture), quiet(context)
    file = imported(given, Path(network))
    content, arch = load_network(file), chip.parameters
    if file != Path(network) and arch == load_chip(chip.file, None)[1]:
        arch = allowed_switches(given, chip.family, arch, content, file)
    return Subject(
        network=content,
        network_file=file,
        family=chip.family,
        arch=arch,
        arch_file=chip.file,
        run_images=batch,
    )
