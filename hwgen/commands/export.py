"""`hwgen export`: a folder that runs images on the Verilog without Python."""

from pathlib import Path
from typing import Any

import numpy as np

from hwgen.chip.in_memory import InMemory
from hwgen.commands.build import write_verilog
from hwgen.commands.capabilities import FIRMWARE, SIMULATION, VERILOG
from hwgen.commands.context import Context
from hwgen.commands.engines import expected_answers
from hwgen.commands.images import Batch
from hwgen.commands.subject import Subject, program_of
from hwgen.errors import DataError
from hwgen.files.folder import add_files
from hwgen.report.system.network_c import network_c
from hwgen.report.work import ExportReport

VERILOG_FOLDER = "verilog"


def check_mode(subject: Subject, mode: str | None) -> None:
    """Refuse to choose a mode for firmware, whose answers are those of one."""
    modes = subject.network.graph.modes
    if mode is None and len(modes) > 1:
        raise DataError(
            f"export --c needs --mode for a network with several modes, {', '.join(modes)}, got"
            f" none ({subject.network_file})"
        )


def export_run(
    context: Context, subject: Subject, batch: Batch, out: Path, *, firmware: bool = False
) -> ExportReport:
    """Write Verilog, memory image, expected logits, and a script that simulates and compares.

    Files of the same names in `out` are replaced, others stay.
    firmware: also write what firmware in C links with
    """
    subject.family.need(VERILOG)
    layout = subject.family.need(FIRMWARE) if firmware else None
    program = program_of(context, subject)
    answers = expected_answers(context, subject, batch)
    logits = answers.reshape(len(batch.images), -1).astype(np.int32)
    write_verilog(context, subject.family, subject.arch, out / VERILOG_FOLDER)
    in_mode: dict[str, Any] = {"mode": batch.modes[0]} if batch.modes[0] else {}
    write_by_hand = subject.family.need(SIMULATION).write_by_hand

    def fill(fresh: Path) -> Path:
        if layout is not None:
            memory = layout.in_memory(program, subject.arch, batch.images, answers)
            write_firmware(memory, subject, batch, fresh)
        return write_by_hand(subject.arch, program, batch.images, logits, fresh, **in_mode)

    script = add_files(out, fill)
    return ExportReport(
        format="hwgen.report.export",
        version=1,
        setting=subject.setting(program, batch),
        folder=str(out),
        script=str(out / script.name),
    )


def write_firmware(memory: InMemory, subject: Subject, batch: Batch, folder: Path) -> None:
    """Write program, images and answers as bytes, and their sizes as constants of C."""
    bytes_of = {"program": memory.program, "images": memory.images, "expected": memory.expected}
    for name, content in bytes_of.items():
        (folder / f"{name}.bin").write_bytes(content)
    texts = network_c(
        memory,
        subject.network,
        chip=subject.arch.name,
        id_word=int(subject.arch.digest[:8], 16),
        mode=batch.modes[0],
        images=len(batch.images),
    )
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
