"""`hwgen compile` and `hwgen build`: write a program, write Verilog."""

import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hwgen import __version__
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
from hwgen.errors import ConfigError, FamilyError
from hwgen.report.system import system_files
from hwgen.report.types import Source
from hwgen.report.work import BuildReport, CompileReport

MANIFEST = "manifest.json"
FILE_LIST = "files.f"
LONGEST_PREFIX = 32
PREFIX = re.compile(f"[a-z](?:[a-z0-9_]{{0,{LONGEST_PREFIX - 2}}}[a-z0-9])?")


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
    context: Context,
    family: Family,
    arch: Architecture,
    arch_file: Path,
    out: Path,
    *,
    prefix: str | None = None,
    trace: bool = True,
) -> BuildReport:
    """Write the Verilog of a chip, and what systems need, into the folder `out`, replaced whole.

    prefix: of the names of all modules; None: the family; trace: whether the chip has its ports
    """
    check_prefix(prefix)
    write_verilog(context, family, arch, out, prefix=prefix, trace=trace, listed_from=out.resolve())
    return BuildReport(
        format="hwgen.report.build",
        version=1,
        architecture=Source(name=arch.name, file=str(arch_file), digest=arch.digest),
        configuration=configuration_of(arch),
        folder=str(out),
        **what_was_written(out),
        versions=versions(),
    )


def check_prefix(prefix: str | None) -> None:
    """Refuse a prefix that is no beginning of names in Verilog, C and FuseSoC."""
    if prefix is not None and not PREFIX.fullmatch(prefix):
        raise ConfigError(
            field="the prefix",
            allowed=f"a lower-case letter, then at most {LONGEST_PREFIX - 1} of lower case, digits"
            " and _, the last one not _",
            given=prefix,
            source="names of modules",
        )


def write_verilog(
    context: Context,
    family: Family,
    arch: Architecture,
    out: Path,
    *,
    prefix: str | None = None,
    trace: bool = True,
    listed_from: Path | None = None,
) -> None:
    """Write the Verilog of a chip; one that stands in a shell has its files for systems beside.

    listed_from: the folder as the file list names it; None: not at all, so that it can be moved
    """
    with context.progress(f"building {arch.name}"):
        top = family.need(VERILOG).make_chip(arch)
        emitter = load("hwgen.chip.rtl.emit")
        if prefix is not None:
            emitter.rename(top, prefix)
        beside: Mapping[str, str] = {}
        about = f"Of the chip {arch.name} ({family.name}, architecture {arch.digest[:8]})"
        if hasattr(top, "interface"):
            top.shows_trace = trace
            interface = top.interface(name=arch.name, digest=arch.digest, clock_mhz=arch.clock_mhz)
            beside = system_files(interface, emitter.file_names(top))
        elif not trace:
            raise FamilyError(
                f"the family {family.name} cannot leave out its trace: its chip stands in no shell"
            )
        emitter.emit(
            top,
            out,
            parameters=configuration_of(arch),
            about=f"{about}, written by hwgen {__version__}",
            beside=beside,
            listed_from=listed_from,
        )


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
    same_everywhere = [folder / name for name in files if name != FILE_LIST]
    return {
        "top": manifest["top"],
        "files": files,
        "modules": dict(uses(manifest["modules"], manifest["top"])),
        "digest": digest_of_files(same_everywhere, folder),
    }


def uses(modules: Mapping[str, Any], name: str) -> Counter[str]:
    """Return how many instances of each module a module holds, itself and all levels below."""
    found = Counter({name: 1})
    for below, count in modules[name]["instances"].items():
        for inner, times in uses(modules, below).items():
            found[inner] += count * times
    return found
