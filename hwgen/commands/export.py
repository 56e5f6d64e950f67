"""`hwgen export`: a folder that runs images on the Verilog without Python.

Tests: `tests/soc/test_export.py`.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any

from rich.console import Group, RenderableType

from hwgen.chip.family import Family
from hwgen.chip.in_memory import InMemory
from hwgen.commands.architectures import chip_of
from hwgen.commands.context import Context
from hwgen.commands.effects import Devices, check_devices, check_effect_seed, devices_given
from hwgen.commands.engines import expected_outputs
from hwgen.commands.fields import Count, Data, EffectSeed, EffectsFile, File, images_of
from hwgen.commands.images import Batch
from hwgen.commands.modes import choose_stream
from hwgen.commands.on_chip import OnChip
from hwgen.commands.plan_export import BORDERS, export_plan
from hwgen.commands.request import OUTPUT_FOLDER, Says
from hwgen.commands.subject import Subject, program_of
from hwgen.commands.verilog import write_verilog
from hwgen.commands.writing import run_effects
from hwgen.errors import DataError
from hwgen.files.earlier import refuse_others
from hwgen.files.folder import add_files
from hwgen.plan.file import is_plan
from hwgen.report.plans import PlanReport, plan_table
from hwgen.report.system import WAIVERS
from hwgen.report.system.network_c import network_c
from hwgen.report.work import ExportReport

VERILOG_FOLDER = "verilog"
ALWAYS = ("run.sh", "expected.txt", WAIVERS)
"""Files of every folder, by which one of somebody else is refused before work."""
WritesFirmware = Callable[[InMemory, Subject, Batch, Path], None]


@dataclass(frozen=True)
class Export(
    OnChip, command="export", example="network.npz chip.yaml --images 2 --out build/by-hand"
):
    """Write a folder that runs images under plain Verilator, without Python.

    It holds the Verilog, a memory image, the expected answers, and run.sh, which builds, simulates
    and compares. Files of an earlier export are replaced, others stay.

    A chip whose converters have fewer bits than lose nothing needs --effects.

    With --c also program.bin, images.bin, expected.bin and hwgen_network.h and .c, which name their
    sizes and strides; the driver is beside the Verilog. A network with several modes needs --mode.

    Of a plan, each piece on the chip has a folder, and borders.npz the tensors between the pieces.
    With --c hwgen_plan.h and .c play it by hwgen_play.c, which is beside the driver.
    """

    out: Annotated[File, Says("folder to write", use=OUTPUT_FOLDER)]
    _: KW_ONLY
    data: Data = None
    images: Annotated[Count, Says("run the first N test images", metavar="N")] = 1
    mode: Annotated[
        str | None, Says("mode of all images, such as 0.5x [default: the widest]", metavar="NAME")
    ] = None
    firmware: Annotated[
        bool,
        Says("write what firmware in C links with, too: bytes and constants", names=("--c",)),
    ] = False
    effects: EffectsFile = None
    effect_seed: EffectSeed = None

    def check(self) -> None:
        """Refuse a seed of devices where none err."""
        super().check()
        check_effect_seed(self, self.effects, self.effect_seed)

    def run(self) -> ExportReport | PlanReport:
        """Write the folder, of a plan one for each piece on the chip."""
        if is_plan(Path(self.network)):
            return self.of_plan()
        subject, batch = choose_stream(
            self.subject(),
            images_of(self.data),
            images=self.images,
            batch=1,
            modes=None if self.mode is None else (self.mode,),
        )
        modes = subject.network.graph.modes
        if self.firmware and self.mode is None and len(modes) > 1:
            raise DataError(
                f"export --c needs --mode for a network with several modes, {', '.join(modes)}, got"
                f" none ({subject.network_file})"
            )
        return export_run(
            self.quiet,
            subject,
            batch,
            Path(self.out),
            firmware=write_firmware if self.firmware else None,
            devices=devices_given(self.effects, self.effect_seed),
        )

    def of_plan(self) -> PlanReport:
        """Write the folders of a plan."""
        for name in ("mode", "effects"):
            if getattr(self, name):
                raise self.refusal(name, "left out for a plan", getattr(self, name))
        return export_plan(
            self.quiet,
            Path(self.network),
            chip_of(self.quiet, self.architecture, self.sparsity),
            Path(self.out),
            export=export_run,
            write_piece=write_firmware,
            data=images_of(self.data),
            images=self.images,
            firmware=self.firmware,
        )

    def table(self, report: ExportReport | PlanReport) -> RenderableType:
        """Return what to do next."""
        if isinstance(report, PlanReport):
            return Group(plan_table(report), f"{self.out}: a folder of each piece, and {BORDERS}")
        return f"{report.script}: builds, runs and compares"


def export_run(
    context: Context,
    subject: Subject,
    batch: Batch,
    out: Path,
    *,
    firmware: WritesFirmware | None = None,
    devices: Devices | None = None,
) -> ExportReport:
    """Write Verilog, memory image, expected answers, and a script that simulates and compares.

    Files of an earlier export in `out` are replaced, others stay.
    firmware: writes what firmware in C links with, too
    devices: that err, in the memory image and in the answers; None: all is exact
    """
    subject.family.need(Family.verilog)
    layout = None if firmware is None else subject.family.need(Family.firmware)
    check_devices(subject, devices)
    refuse_others(out, ALWAYS)
    program = program_of(context, subject)
    chip = None if devices is None else devices.chip(context, subject, program)
    if devices is not None:
        program = devices.loaded(subject, chip)
    answers = expected_outputs(context, subject, batch, sums_by=chip)
    in_mode: dict[str, Any] = {"mode": batch.modes[0]} if batch.modes[0] else {}
    write_by_hand = subject.family.need(Family.simulation).write_by_hand

    def fill(fresh: Path) -> Path:
        if firmware is not None and layout is not None:
            memory = layout.in_memory(program, subject.arch, batch.images, answers)
            firmware(memory, subject, batch, fresh)
        script = write_by_hand(subject.arch, program, batch.images, answers, fresh, **in_mode)
        refuse_others(out, (path.name for path in fresh.iterdir()))
        write_verilog(context, subject.family, subject.arch, out / VERILOG_FOLDER)
        return script

    script = add_files(out, fill)
    return ExportReport(
        format="hwgen.report.export",
        version=1,
        setting=subject.setting(program, batch),
        folder=str(out),
        script=str(out / script.name),
        effects=None if devices is None else run_effects(devices, chip),
    )


def write_firmware(
    memory: InMemory, subject: Subject, batch: Batch, folder: Path, name: str = "network"
) -> None:
    """Write program, images and answers as bytes, and sizes as constants of C, by a name there."""
    bytes_of = {"program": memory.program, "images": memory.images, "expected": memory.expected}
    for file, content in bytes_of.items():
        (folder / f"{file}.bin").write_bytes(content)
    texts = network_c(
        memory,
        subject.network,
        chip=subject.arch.name,
        id_word=int(subject.arch.digest[:8], 16),
        mode=batch.modes[0],
        images=len(batch.images),
        name=name,
    )
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")
