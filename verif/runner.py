"""Builds a bench once, under a name made from its content, and runs it as often as needed."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cocotb
from cocotb_tools import config
from cocotb_tools import runner as cocotb_runner
from cocotb_tools.runner import Runner, VerilatorControlFile, Verilog, get_runner

from hwgen.chip.replacement import Replacements
from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.replace import is_named, replaceable, with_replacements
from hwgen.chip.sim.cache import build_once, tail, write_sources
from hwgen.chip.sim.host import unchecked
from hwgen.chip.sim.simulator import ASSERTIONS, ONE_FILE, WAIVERS
from hwgen.chip.sim.toolchain import BUILD_JOBS
from hwgen.chip.sim.waves import WAVES, Waves
from hwgen.commands.replacing import replacements_of
from hwgen.errors import SimulationError
from verif.toolchain import BUILD_ROOT, use_verilator
from verif.wrapper import TOP, wrapper

__all__ = ["Bench", "Waves", "build", "failures", "run"]

# Registers without a power-on value, and memories that are garbage at power-on, start random.
VERILATOR_ARGS = ["--timing", "--x-assign", "unique", "--x-initial", "unique"]
VERILATOR_ARGS += ["--no-public-flat-rw", *ASSERTIONS]
ICARUS_ARGS = ["-g2012", *ASSERTIONS[1:]]
GARBAGE = ["+verilator+rand+reset+2"]
REPLACED = "HWGEN_REPLACED"
"""Environment variable: what stands for memories in every bench, as `--replace` has it."""


LIBRARIES = {
    "LD_LIBRARY_PATH": os.pathsep.join(
        filter(None, [str(config.libs_dir), os.environ.get("LD_LIBRARY_PATH", "")])
    )
}
"""Where an executable finds cocotb: it may have been built by a clone that is gone."""

OF_PYTEST = {
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
    "COCOTB_REWRITE_ASSERTION_FILES": "bench_*.py verif/*.py",
}
"""cocotb takes assertions from pytest, needs none of its plugins, and would rewrite every module
that a bench imports, numpy's too: 1.5 s at each start."""
LOG = "run.log"
"""What a simulation writes to the screen."""


@dataclass(frozen=True)
class Bench:
    """A simulator executable and how it was made."""

    folder: Path
    simulator: str
    waves: Waves | None = None


def build(
    part: Part,
    *,
    simulator: str = "verilator",
    harness: str = "",
    extra_sources: Mapping[str, str] | None = None,
    compile_once: Sequence[str] = (),
    waves: Waves | None = None,
) -> Bench:
    """Return the executable bench around `part`, built now or found from an earlier run.

    `harness` is Verilog for the inside of module `tb`; `extra_sources` are whole files by name.
    Verilator compiles the modules named in `compile_once` as blocks of their own instead of
    copying them into each use. That pays for a large module used often; each use then costs about
    a quarter of a microsecond in each cycle, so a small one runs several times faster without.
    A build with waves is another build, several times slower to run, and compiles nothing apart.
    """
    beside = put_into(part)
    modules = {f"{name}.v": text for name, text in verilog_modules(part).items()} | beside
    harness = f"{harness}\n{WAVES}" if waves else harness
    sources = {**modules, **(extra_sources or {}), f"{TOP}.v": wrapper(part, harness=harness)}
    args, tool = list(ICARUS_ARGS), simulator
    if simulator == "verilator":
        args, tool = list(VERILATOR_ARGS), use_verilator()
        blocks = () if waves else compile_once
        sources["waivers.vlt"] = WAIVERS.read_text(encoding="utf-8")
        sources["control.vlt"] = control_file(blocks) + unchecked(beside)
        args += ["--hierarchical", "--build"] if blocks else ONE_FILE
    make_flags = os.environ.get("MAKEFLAGS", "")
    facts = [sources, args, tool, cocotb.__version__, make_flags, waves is not None]
    made = build_once(
        f"{part.module_name}-{simulator}",
        facts,
        lambda folder: compile_bench(Bench(folder, simulator, waves), sources, args),
        products=[TOP if simulator == "verilator" else "sim.vvp"],
        builds=BUILD_ROOT,
    )
    return Bench(made.folder, simulator, waves)


def given_replacements() -> Replacements:
    """Return the replacements of `REPLACED`."""
    texts = os.environ.get(REPLACED, "")
    return replacements_of(texts.split(",") if texts else None)


def put_into(part: Part) -> dict[str, str]:
    """Put the replacements of `REPLACED` into those parts that a part has; return their files."""
    parts = replaceable(part)
    here = [
        (name, one)
        for name, one in given_replacements().of
        if any(is_named(name, each, parts) for each in parts)
    ]
    found = Replacements(tuple(here))
    with_replacements(part, found)
    return found.sources


def control_file(compile_once: Sequence[str]) -> str:
    """Return Verilator's configuration: Python sees the wrapper only, which keeps `dut` fast."""
    lines = ["`verilator_config", f'public_flat_rw -module "{TOP}" -var "*"']
    # Verilator gives names of C++, such as `double`, a prefix.
    lines += ['lint_off -rule SYMRSVDWORD -file "*.v"']
    # A port that Python sees stays whole: bits of it that are made of others look like a loop.
    lines += [f'lint_off -rule UNOPTFLAT -file "*{TOP}.v"']
    lines += [f'hier_block -module "{name}"' for name in compile_once]
    return "\n".join(lines) + "\n"


def compile_bench(bench: Bench, sources: Mapping[str, str], args: Sequence[str]) -> None:
    """Write `sources` into the bench's folder and compile them there."""
    files = write_sources(bench.folder, sources)
    log = bench.folder / "build.log"
    cocotb_runner.MAX_PARALLEL_BUILD_JOBS = BUILD_JOBS
    try:
        runner_of(bench).build(
            sources=[
                VerilatorControlFile(file) if file.suffix == ".vlt" else Verilog(file)
                for file in files
            ],
            hdl_toplevel=TOP,
            build_dir=bench.folder,
            build_args=args,
            timescale=("1ns", "1ps"),
            # Icarus needs no preparation, and cocotb's would dump everything from the start.
            waves=bench.waves is not None and bench.simulator == "verilator",
            log_file=log,
        )
    except (RuntimeError, SystemExit) as error:
        raise SimulationError(f"{error}, see {log}:\n{tail(log)}") from None


TOGETHER: dict[object, list[ElementTree.Element]] = {}
"""Test cases of modules that ran beside each other, by simulator, modules and settings."""


def run(
    bench: Bench,
    *,
    module: str,
    folder: Path,
    settings: Mapping[str, str] | None = None,
    plusargs: Sequence[str] = (),
    beside: Sequence[str] = (),
) -> None:
    """Run the cocotb tests of `module` in `folder`; raise with one line for each that failed.

    `settings` are environment variables that the bench reads. Waves go to `waves.vcd` in
    `folder`, under Icarus to `waves.fst`. Modules `beside` run in the same simulation, since a
    simulator takes longer to start than most of them to run: the first of them that is asked for
    runs all in its folder, the others find their results.
    """
    given = {} if settings is None else settings
    asked = bench, (*sorted(beside), *plusargs), tuple(sorted(given.items()))
    cases = TOGETHER.get(asked) if beside else None
    if cases is None:
        cases = simulated(bench, sorted({module, *beside}), folder, given, plusargs)
    if beside:
        TOGETHER[asked] = cases
    own = [case for case in cases if case.attrib["classname"] == module]
    reasons = failures(own) or (None if passed(own) else "no test ran")
    # Outside pytest cocotb's runner looks at no result, and nowhere minds a run without tests.
    if reasons:
        log = folder / LOG
        where = f"see {log}" if log.exists() else "run it alone for its log"
        raise AssertionError(f"{module} failed, {where}\n{reasons}")


def simulated(
    bench: Bench,
    modules: Sequence[str],
    folder: Path,
    settings: Mapping[str, str],
    plusargs: Sequence[str],
) -> list[ElementTree.Element]:
    """Return the test cases of `modules`, run one after the other in a simulation in `folder`."""
    log, results = folder / LOG, folder / "results.xml"
    icarus = bench.simulator == "icarus"
    plus = [*([] if icarus else GARBAGE), *plusargs]
    if bench.waves:
        plus += bench.waves.plusargs(folder / ("waves.fst" if icarus else "waves.vcd"))
    results.unlink(missing_ok=True)
    try:
        runner_of(bench).test(
            test_module=modules,
            hdl_toplevel=TOP,
            hdl_toplevel_lang="verilog",
            build_dir=bench.folder,
            test_dir=folder,
            results_xml=str(results.resolve()),
            extra_env={**LIBRARIES, **OF_PYTEST, **settings},
            plusargs=plus,
            # Under Verilator waves.v opens the file itself; Icarus must be told not to drop it.
            waves=bench.waves is not None and icarus,
            log_file=log,
        )
    except (RuntimeError, SystemExit):
        if not failures(cases_in(results)):
            modules_text = ", ".join(modules)
            raise AssertionError(f"{modules_text} failed, see {log}\n{tail(log)}") from None
    return cases_in(results)


def failures(cases: Sequence[ElementTree.Element]) -> str:
    """Return each failed cocotb test, its name with seed and stalls, and why it failed."""
    failed = [(case.attrib["name"], case.find("failure")) for case in cases]
    return "\n".join(
        f"{name}: {failure.attrib['message'].partition(chr(10))[0] or 'no message'}"
        for name, failure in failed
        if failure is not None
    )


def passed(cases: Sequence[ElementTree.Element]) -> int:
    """Return how many cocotb tests have passed; a bench without any proves nothing."""
    bad = {"failure", "error", "skipped"}
    return sum(not bad & {mark.tag for mark in case} for case in cases)


def cases_in(results: Path) -> list[ElementTree.Element]:
    """Return the test cases of a results file; none if the simulation left no file."""
    return list(ElementTree.parse(results).iter("testcase")) if results.exists() else []


def runner_of(bench: Bench) -> Runner:
    """Return a fresh cocotb runner; it keeps state, so every build and every run has its own."""
    return get_runner(bench.simulator)
