"""A network of another format where a quantized network file is asked for: imported on the way.

Tests: `tests/cli/test_import.py`.
"""

from pathlib import Path
from typing import Literal

from hwgen.chip.protocols import Architecture
from hwgen.commands.context import Context
from hwgen.files.digests import digest_of, digest_of_code, digest_of_file
from hwgen.files.output import write_text
from hwgen.report.import_tables import judged_lines
from hwgen.report.imports import ImportReport

FOREIGN = (".tflite", ".onnx")
"""Suffixes of files that are imported."""


def imported(context: Context, file: Path, arch: Architecture) -> Path:
    """Return a network file: the given one, or that of a foreign one, imported now or cached.

    Its sums round as the runtime's do if the chip can (`float32`), else as every chip's.
    """
    if file.suffix.lower() not in FOREIGN or not file.is_file():
        return file
    kernels: Literal["default", "half_up"] = (
        "default" if "float32" in getattr(arch, "rounding", ()) else "half_up"
    )
    facts = [digest_of_file(file), kernels, digest_of_code("hwgen.importers", "hwgen.network")]
    out = context.work / "imported" / f"{file.stem}-{digest_of(facts)[:16]}.npz"
    told = out.with_suffix(".txt")
    if not out.is_file():
        from hwgen.commands.imports import ImportNetwork

        report = ImportNetwork(file, out, kernels=kernels).run()
        if isinstance(report, ImportReport):
            verdict = report.content.judged
            assert verdict is not None
            context.say(
                f"{file.name} is imported with --kernels {kernels}, as the chip rounds: {out}"
            )
            write_text(told, "\n".join(judged_lines(verdict)), what="judgement")
    if told.is_file():
        context.say(told.read_text(encoding="utf-8"))
    return out
