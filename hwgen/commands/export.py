"""`hwgen export`: a folder that runs images on the Verilog without Python."""

from pathlib import Path

import numpy as np

from hwgen.commands.build import write_verilog
from hwgen.commands.capabilities import SIMULATION
from hwgen.commands.context import Context
from hwgen.commands.engines import expected_answers
from hwgen.commands.images import Batch
from hwgen.commands.subject import Subject, program_of
from hwgen.files.folder import add_files
from hwgen.report.work import ExportReport

VERILOG = "verilog"


def export_run(context: Context, subject: Subject, batch: Batch, out: Path) -> ExportReport:
    """Write Verilog, memory image, expected logits, and a script that simulates and compares.

    Files of the same names in `out` are replaced, others stay.
    """
    program = program_of(context, subject)
    answers = expected_answers(context, subject, batch)
    logits = answers.reshape(len(batch.images), -1).astype(np.int32)
    write_verilog(context, subject.family, subject.arch, out / VERILOG)
    write_by_hand = subject.family.need(SIMULATION).write_by_hand
    script = add_files(
        out, lambda fresh: write_by_hand(subject.arch, program, batch.images, logits, fresh)
    )
    return ExportReport(
        format="hwgen.report.export",
        version=1,
        setting=subject.setting(program, batch),
        folder=str(out),
        script=str(out / script.name),
    )
