"""Simulators without Python: Verilog becomes one executable, cached by the digest of its inputs."""

import platform
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from hwgen.chip.sim.cache import Build, Say, build_once, is_built, silent, write_sources
from hwgen.chip.sim.toolchain import BUILD_JOBS, BY_DEFAULT, Verilator, find_verilator
from hwgen.errors import OutputError, SimulationError
from hwgen.files.leash import leashed
from hwgen.files.patience import Ticker

WAIVERS = Path(__file__).parent / "waivers.vlt"
"""Verilator's control file for Amaranth's Verilog, with a reason for each waiver."""
MEMORY = Path(__file__).parent / "memory.v"
"""An AXI4 memory in Verilog, for chips of every family."""

BINARY_ARGS = ["--main", "--exe", "--build", "--timing"]
BINARY_ARGS += ["--x-assign", "unique", "--x-initial", "unique"]
"""What `--binary` stands for, without `--build` in the blocks of `--hierarchical`."""
BINARY_ARGS += ["-Wno-fatal"]
"""A warning that no waiver knows, such as of a user's replacement, stops no build; tests lint."""
ASSERTIONS = ["--assert", "-DHWGEN_ASSERTIONS"]
"""The chip's assertions are on: the first that fails ends a run."""
BINARY_ARGS += ASSERTIONS
ONE_FILE = ["--output-split", "0"]
"""One file of C++: the compiler reads Verilator's headers once, not once a file."""
MOST_IN_ONE_FILE = 1_000_000
"""Characters of Verilog; the compiler takes a gigabyte of memory for so many."""
FOLDER = "obj"
"""Folder of a build into which Verilator writes."""

BUILDING, WAITING = "building the simulator of", "waiting for the simulator of"
"""What lines about a build begin with."""

FAST = BY_DEFAULT["OPT_FAST"]
SHORT = "-O0"
"""For a short run: the fewest seconds of the compiler, a tenth of the speed."""
SHORT_CYCLES = 200_000
"""So many cycles take a simulator of SHORT about as much longer as one of FAST is compiled."""
HOW_LONG = {SHORT: "half a minute or more, for short runs"}
"""What is said of a build; of others that it takes a minute or more."""

LEAST_FREE_BYTES = 1 << 20
"""A failed build with less free space than this has filled the disk; its log may be empty."""

ENDED_BY_OTHERS = (-signal.SIGINT, -signal.SIGTERM, -signal.SIGKILL)
"""Exit codes of a simulation that was ended by a signal of a user or for lack of memory."""


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """What an executable is compiled from.

    name: for messages
    sources: text by file name; .v, .sv and .vlt files are compiled, others are only written
    top: module that is simulated
    args: for Verilator, such as `--trace` for a top that calls `$dumpvars`
    optimize: optimization flag of the C++ compiler
    """

    name: str
    sources: Mapping[str, str]
    top: str
    args: Sequence[str] = ()
    optimize: str = FAST

    @property
    def executable(self) -> str:
        """The executable, relative to the folder of a build."""
        return f"{FOLDER}/{self.top}"

    @cached_property
    def texts(self) -> Mapping[str, str]:
        """All files by name."""
        return {**self.sources, WAIVERS.name: WAIVERS.read_text(encoding="utf-8")}

    @property
    def command(self) -> list[str]:
        """Verilator and its arguments, without files."""
        names = ["--top-module", self.top, "-Mdir", FOLDER, "-o", self.top]
        return ["verilator", *BINARY_ARGS, *self.args, *self.splitting, *names]

    @property
    def splitting(self) -> list[str]:
        """How Verilator splits the C++; blocks of `--hierarchical` are files of their own."""
        large = sum(map(len, self.sources.values())) > MOST_IN_ONE_FILE
        return [] if large or "--hierarchical" in self.args else ONE_FILE

    def environment(self, verilator: Verilator) -> dict[str, str]:
        """Return the environment of a build."""
        return verilator.environment(OPT_FAST=self.optimize)

    def facts(self, verilator: Verilator) -> list[object]:
        """Return all that the executable depends on."""
        flags = self.environment(verilator)["MAKEFLAGS"]
        return [self.texts, self.command, verilator.identity, flags, platform.machine()]


def worth(simulator: Simulator, cycles: int, *, builds: Path | None = None) -> Simulator:
    """Return the simulator that runs so many cycles soonest, its compilation included.

    builds: as in `build_simulator`
    """
    if cycles > SHORT_CYCLES:
        return simulator
    facts, products = simulator.facts(find_verilator()), [simulator.executable]
    if is_built(simulator.top, facts, products=products, builds=builds):
        return simulator
    return replace(simulator, optimize=SHORT)


def build_simulator(
    simulator: Simulator,
    *,
    builds: Path | None = None,
    say: Say = silent,
    distrusted: Build | None = None,
) -> Build:
    """Return a build of `simulator`, cached or made now.

    builds, distrusted: see `hwgen.chip.sim.cache.build_once`; say: receives a message before a
        build, and what it does every 10 s
    Raises SimulationError when Verilator reports an error, MissingToolError without Verilator,
    OutputError when the folder cannot be written.
    """
    verilator = find_verilator()
    environment = simulator.environment(verilator)
    jobs = ["--build-jobs", str(BUILD_JOBS)]

    def compile_in(folder: Path) -> None:
        how_long = HOW_LONG.get(simulator.optimize, "a minute or more")
        say(f"{BUILDING} {simulator.name}: {how_long}, once")
        files = [file.name for file in write_sources(folder, simulator.texts)]
        log = folder / "build.log"
        with Ticker(f"{BUILDING} {simulator.name}", say):
            code = run_logged([*simulator.command, *jobs, *files], folder, environment, log)
        error = build_error(simulator, log) if code else None
        # Precompiled headers and objects take a hundred times the space of the executable.
        for file in (folder / FOLDER).glob("*"):
            if file.is_dir():
                shutil.rmtree(file)
            elif file.name != simulator.top:
                file.unlink()
        if error is not None:
            raise error

    return build_once(
        simulator.top,
        simulator.facts(verilator),
        compile_in,
        products=[simulator.executable],
        builds=builds,
        waiting=lambda: say(f"{WAITING} {simulator.name}: another run builds it"),
        distrusted=distrusted,
    )


def run_logged(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
) -> int:
    """Run a command in a folder with its output in `log`; return its exit code.

    All processes that the command has started end with it, also where this one is killed.
    """
    with (
        log.open("w", encoding="utf-8") as out,
        leashed(
            command, folder=folder, environment=environment, out=out, err=subprocess.STDOUT
        ) as running,
    ):
        return running.wait()


def build_error(simulator: Simulator, log: Path) -> Exception:
    """Return the error for a failed build, from its log and the free space."""
    text = log.read_text(encoding="utf-8", errors="replace")
    reason = first_line(text, r"(?i)error|\*\*\*|killed")
    free = shutil.disk_usage(log.parent).free
    if free < LEAST_FREE_BYTES or "No space left on device" in text:
        return OutputError(
            f"the folder for builds must have space for a build, got {free:,} bytes ({log})"
        )
    return SimulationError(
        f"Verilator could not build the simulator of {simulator.name}: {reason} ({log})"
    )


def first_line(text: str, pattern: str) -> str:
    """Return the first line in which a pattern occurs, else the last line that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = (line for line in lines if re.search(pattern, line))
    return next(found, lines[-1] if lines else "it said nothing")


def run_simulator(
    simulator: Simulator,
    arguments: Sequence[str],
    *,
    folder: Path,
    opens: str,
    builds: Path | None = None,
    say: Say = silent,
) -> None:
    """Run `simulator` in `folder`; one that does not start is rebuilt once.

    Memories and registers without a power-on value start with random values with the arguments
    `+verilator+rand+reset+2 +verilator+seed+N`.

    opens: file in `folder` that the simulation opens first: without it, it has not started
    builds, say: as in `build_simulator`
    Raises SimulationError when the simulation fails or does not start.
    """

    def command_of(build: Build) -> list[str]:
        return [str(build.folder / simulator.executable), *arguments]

    build = build_simulator(simulator, builds=builds, say=say)
    reason = start(simulator, command_of(build), folder, opens, say)
    if reason is not None:
        say(f"the simulator of {simulator.name} does not start: {reason}")
        build = build_simulator(simulator, builds=builds, say=say, distrusted=build)
        reason = start(simulator, command_of(build), folder, opens, say)
    if reason is not None:
        raise SimulationError(
            f"the simulator of {simulator.name} must start, but does not even when it is built"
            f" again: {reason} ({build.folder / simulator.executable})"
        )


def start(
    simulator: Simulator, command: Sequence[str], folder: Path, opens: str, say: Say
) -> str | None:
    """Run a command to its end; return the reason if it did not start, else None."""
    (folder / opens).unlink(missing_ok=True)
    try:
        with (
            leashed(command, folder=folder, out=subprocess.PIPE, err=subprocess.PIPE) as running,
            Ticker(f"simulating {simulator.name}", say),
        ):
            out, err = running.communicate()
    except OSError as error:
        return error.strerror or str(error)
    words = first_line(f"{err}\n{out}", r"%Fatal|%Error|error")
    code = running.returncode
    started = (folder / opens).exists()
    if code != 0 and (started or code in ENDED_BY_OTHERS):
        raise SimulationError(
            f"the simulation of {simulator.name} ended with exit code {code}: {words}"
        )
    return None if started else f"exit code {code}, {words}"
