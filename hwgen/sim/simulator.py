"""A simulation without Python: Verilog in, one executable out, compiled once for its content."""

import os
import platform
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hwgen.errors import OutputError, SimulationError
from hwgen.sim.cache import Build, Say, build_once, silent, write_sources
from hwgen.sim.toolchain import BUILD_JOBS, find_verilator

WAIVERS = Path(__file__).parent / "waivers.vlt"
"""Verilator's control file for what Amaranth writes, with a reason for each waiver."""
MEMORY = Path(__file__).parent / "memory.v"
"""An AXI4 memory in Verilog, for chips of every family."""

BINARY_ARGS = ["--binary", "--timing", "--x-assign", "unique", "--x-initial", "unique"]
FOLDER = "obj"
"""Folder of a build into which Verilator writes."""

FAST = "-O3"
"""A chip runs for millions of cycles: its executable earns a slower compilation."""
QUICK = "-O1"
"""What is run once, such as a window of waves, should be compiled soon."""

LEAST_FREE_BYTES = 1 << 20
"""A build that fails with less than this has filled the disk; its log may be empty then."""

ENDED_BY_OTHERS = (-signal.SIGINT, -signal.SIGTERM, -signal.SIGKILL)
"""Exit codes of a simulation that somebody else, or a lack of memory, has ended."""


@dataclass(frozen=True, kw_only=True)
class Simulator:
    """What an executable is compiled from.

    name: what a person knows it by
    sources: text by file name; those that end in .v, .sv or .vlt are compiled, others lie beside
    top: module that is simulated
    args: for Verilator, such as `--trace` for a top that calls `$dumpvars`
    optimize: how well the compiler optimizes
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


def build_simulator(
    simulator: Simulator,
    *,
    builds: Path | None = None,
    say: Say = silent,
    distrusted: Build | None = None,
) -> Build:
    """Return a build of `simulator`, made now or found from an earlier run.

    builds, distrusted: see `hwgen.sim.cache.build_once`; say: is told that a build takes long
    Raises SimulationError when Verilator finds a mistake, MissingToolError without Verilator,
    OutputError when the folder cannot be written.
    """
    verilator = find_verilator()
    environment = verilator.environment(OPT_FAST=simulator.optimize)
    texts = {**simulator.sources, WAIVERS.name: WAIVERS.read_text(encoding="utf-8")}
    command = ["verilator", *BINARY_ARGS, *simulator.args]
    command += ["--top-module", simulator.top, "-Mdir", FOLDER, "-o", simulator.top]
    jobs = ["--build-jobs", str(BUILD_JOBS)]

    def compile_in(folder: Path) -> None:
        say(f"building the simulator of {simulator.name}: a minute or more, once")
        files = [file.name for file in write_sources(folder, texts)]
        log = folder / "build.log"
        code = run_logged([*command, *jobs, *files], folder, environment, log)
        error = build_error(simulator, log) if code else None
        # Precompiled headers and objects take a hundred times the space of the executable.
        for file in (folder / FOLDER).glob("*"):
            if file.name != simulator.top:
                file.unlink()
        if error is not None:
            raise error

    return build_once(
        simulator.top,
        [texts, command, verilator.identity, environment["MAKEFLAGS"], platform.machine()],
        compile_in,
        products=[simulator.executable],
        builds=builds,
        waiting=lambda: say(
            f"waiting for the simulator of {simulator.name}: another run builds it"
        ),
        distrusted=distrusted,
    )


def run_logged(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path
) -> int:
    """Run a command in a folder, its words into `log`; return its exit code.

    An interrupt ends all processes that the command has started.
    """
    with (
        log.open("w", encoding="utf-8") as out,
        subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            process_group=0,
        ) as running,
    ):
        try:
            return running.wait()
        except BaseException:
            os.killpg(running.pid, signal.SIGKILL)
            running.wait()
            raise


def build_error(simulator: Simulator, log: Path) -> Exception:
    """Return the error that tells why a build failed, by its log and the space that is left."""
    text = log.read_text(encoding="utf-8", errors="replace")
    reason = first_line(text, r"(?i)error|\*\*\*|killed")
    free = shutil.disk_usage(log.parent).free
    if free < LEAST_FREE_BYTES or "No space left on device" in text:
        return OutputError(
            f"the folder for simulators must have space for a build, got {free:,} bytes ({log})"
        )
    return SimulationError(
        f"Verilator could not build the simulator of {simulator.name}: {reason} ({log})"
    )


def first_line(text: str, pattern: str) -> str:
    """Return the first line in which a pattern occurs, else the last line that says anything."""
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
    """Run `simulator` in `folder`; one that does not start is built again once.

    Memories and registers without a power-on value start as garbage with the arguments
    `+verilator+rand+reset+2 +verilator+seed+N`.

    opens: file in `folder` that the simulation opens first: without it, it has not started
    builds, say: as in `build_simulator`
    Raises SimulationError when the simulation fails or does not start.
    """
    build = build_simulator(simulator, builds=builds, say=say)
    reason = start(simulator, build, arguments, folder, opens)
    if reason is not None:
        say(f"the simulator of {simulator.name} does not start: {reason}")
        build = build_simulator(simulator, builds=builds, say=say, distrusted=build)
        reason = start(simulator, build, arguments, folder, opens)
    if reason is not None:
        raise SimulationError(
            f"the simulator of {simulator.name} must start, but does not even when it is built"
            f" again: {reason} ({build.folder / simulator.executable})"
        )


def start(
    simulator: Simulator, build: Build, arguments: Sequence[str], folder: Path, opens: str
) -> str | None:
    """Run a build to its end; return why it did not start, None if it did."""
    (folder / opens).unlink(missing_ok=True)
    command = [str(build.folder / simulator.executable), *arguments]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", check=False
        )
    except OSError as error:
        return error.strerror or str(error)
    words = first_line(f"{done.stderr}\n{done.stdout}", r"%Fatal|%Error|error")
    started = (folder / opens).exists()
    if done.returncode != 0 and (started or done.returncode in ENDED_BY_OTHERS):
        raise SimulationError(
            f"the simulation of {simulator.name} ended with exit code {done.returncode}: {words}"
        )
    return None if started else f"exit code {done.returncode}, {words}"
