"""`hwgen compile` and `hwgen build`: write a program, write Verilog."""

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwgen.commands.capabilities import COMPILER, PROGRAMS, VERILOG
from hwgen.commands.context import Context
from hwgen.commands.digests import (
    digest_of,
    digest_of_array,
    digest_of_code,
    digest_of_files,
    versions,
)
from hwgen.commands.families import Family
from hwgen.commands.load import load
from hwgen.commands.protocols import Architecture
from hwgen.commands.subject import Subject, configuration_of, program_of, program_path
from hwgen.report.types import Source
from hwgen.report.work import BuildReport, CompileReport

MANIFEST = "manifest.json"


def compile_program(context: Context, subject: Subject, out: Path | None) -> CompileReport:
    """Write the program to `out` (None: the work folder)."""
    program = program_of(context, subject)
    if out is not None:
        subject.family.need(PROGRAMS).save_program(program, out)
    file = out or program_path(context, subject)
    return CompileReport(
        format="hwgen.report.compile",
        version=1,
        network=subject.network_source,
        architecture=subject.arch_source,
        configuration=subject.configuration,
        program=Source(
            name=subject.network.graph.name, file=str(file), digest=digest_of_array(program.image)
        ),
        bytes=program.image.size,
        layers=subject.family.need(COMPILER).tiling(program, subject.arch),
        versions=versions(),
    )


def listing_of(context: Context, subject: Subject) -> str:
    """Return every packet of the program as text."""
    program = program_of(context, subject)
    return subject.family.need(COMPILER).listing(program, subject.arch)


def build_verilog(
    context: Context, family: Family, arch: Architecture, arch_file: Path, out: Path
) -> BuildReport:
    """Write the Verilog of a chip into the folder `out`, replaced whole."""
    write_verilog(context, family, arch, out)
    return BuildReport(
        format="hwgen.report.build",
        version=1,
        architecture=Source(name=arch.name, file=str(arch_file), digest=arch.digest),
        configuration=configuration_of(arch),
        folder=str(out),
        **what_was_written(out),
        versions=versions(),
    )


def write_verilog(context: Context, family: Family, arch: Architecture, out: Path) -> None:
    """Write the Verilog of a chip."""
    with context.progress(f"building {arch.name}"):
        top = family.need(VERILOG).make_chip(arch)
        load("hwgen.chip.rtl.emit").emit(top, out, parameters=configuration_of(arch))


def verilog_of(context: Context, family: Family, arch: Architecture, *, name: str) -> Path:
    """Return the folder of a chip's Verilog in the work folder; write it if it is not cached."""
    facts = [configuration_of(arch), digest_of_code(*family.code), versions()]
    folder = context.work / "verilog" / f"{arch.name}-{name}-{digest_of(facts)[:16]}"
    if not folder.exists():
        write_verilog(context, family, arch, folder)
    return folder


def what_was_written(folder: Path) -> dict[str, Any]:
    """Return top, files, instances of each module and digest of a folder of Verilog."""
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    files = [*manifest["files"], MANIFEST]
    return {
        "top": manifest["top"],
        "files": files,
        "modules": dict(uses(manifest["modules"], manifest["top"])),
        "digest": digest_of_files([folder / name for name in files], folder),
    }


def uses(modules: Mapping[str, Any], name: str) -> Counter[str]:
    """Return how many instances of each module a module holds, itself and all levels below."""
    found = Counter({name: 1})
    for below, count in modules[name]["instances"].items():
        for inner, times in uses(modules, below).items():
            found[inner] += count * times
    return found
