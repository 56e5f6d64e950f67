"""Benches of the parts of a chip, each at its size there, for faults that no network shows."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.shell import ShellFacts
from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.rtl.chip import shell_facts as crossbar_shell
from hwgen.crossbar.rtl.links import Router
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.rtl.byte_divider import ByteDivider
from hwgen.dbpim.rtl.chip import shell_facts as dbpim_shell
from hwgen.dbpim.rtl.float_sum import FloatSum
from hwgen.dbpim.rtl.fma import FloatAdder, FloatMultiplier, Fma
from hwgen.dbpim.rtl.layouts import requantizer
from hwgen.dbpim.rtl.residual_adder import ResidualAdder
from hwgen.dbpim.rtl.row_unit import RowUnit
from hwgen.dbpim.rtl.simd import Simd
from hwgen.dbpim.rtl.write_port import WritePort
from hwgen.mram.rtl.chip import shell_facts as mram_shell
from tests.verif.common.families import other as made_up_facts
from tests.verif.common.test_requantizer import run_part as run_requantizer
from tests.verif.crossbar.test_given_arch import run_array, run_small
from tests.verif.crossbar.test_router import bench as run_router
from tests.verif.dbpim import test_floats as floats
from verif import runner
from verif.common.bench_requantizer import BITS, ROUNDINGS
from verif.common.facts import Facts
from verif.common.parts import common_parts, run_common_bench
from verif.common.side_by_side import SideBySide
from verif.crossbar.array_case import ArrayCase
from verif.crossbar.given_sizes import array_sizes, different, small_sizes
from verif.crossbar.small_parts import alone as small_part
from verif.dbpim.component import settings
from verif.dbpim.feed_parts import feed_parts
from verif.dbpim.feed_sizes import run_feed_bench
from verif.dbpim.system_parts import run_system_bench, system_parts
from verif.mram import array_parts, chip_parts
from verif.mram.component import tiny
from verif.runner import build, run
from verif.schemata import Fault, planted

COMMON = ("registers", "supervisor", "write_engine", "read_engine")
"""Parts of the shell of every family."""
FEED = ("walker", "tile_store", "fetcher", "group_queue", "switch", "activation_buffer")
SYSTEM = ("load_writer", "loader", "logit_buffer", "sequencer", "table_loader", "taps_loader")
SYSTEM += ("tile_loader", "weight_decoder", "write_bus")
ALONE: dict[str, type[Part]] = {
    "residual_adder": ResidualAdder,
    "simd": Simd,
    "write_port": WritePort,
}
FLOATS: Mapping[str, tuple[Callable[[], Part], Callable[[Path], None]]] = {
    "fma_32": (Fma, partial(floats.run_pipeline, "fma")),
    "float_adder_32": (FloatAdder, partial(floats.run_pipeline, "add")),
    "float_multiplier_32": (FloatMultiplier, partial(floats.run_pipeline, "multiply")),
    "float_sum": (FloatSum, floats.run_sum),
    "float_divider": (floats.divider_and_root, floats.run_divider_and_root),
    "float_root": (floats.divider_and_root, floats.run_divider_and_root),
    "byte_divider": (ByteDivider, floats.run_byte_divider),
}
"""Parts of a row unit, which have one size: what their benches are made of, and run."""
CHIP_SIDE = ("pool", "dpu", "answer_buffer", "counters", "loader", "control", "banks")
ARRAY_SIDE = ("adder", "octet", "octet_control", "former", "ring", "input_tree", "output_tree")
ARRAY_SIDE += ("compute_array", "sub_array", "bit_counter")
ARGS = ["-Wno-lint", "-Wno-fatal"]


@dataclass(frozen=True, kw_only=True)
class PartBench:
    """A bench; modules: the Verilog of all that it has; run: in a folder."""

    name: str
    modules: Callable[[], Mapping[str, str]]
    run: Callable[[Path], None]

    def killed(self, faults: Sequence[Fault], tried: Collection[Fault]) -> Iterator[Fault]:
        """Yield the tried faults with which a test fails that passes without.

        A test fails without a fault where it asks for corners that a small chip does not have.

        faults: all those in one simulator; benches with the same ones share it
        """
        with (
            patch("verif.runner.verilog_modules", lambda part: self.with_faults(part, faults)),
            patch("verif.runner.VERILATOR_ARGS", [*runner.VERILATOR_ARGS, *ARGS]),
        ):
            sound = self.failing(0)
            for number, fault in enumerate(faults, 1):
                if fault in tried and self.failing(number) - sound:
                    yield fault

    def failing(self, number: int) -> set[str]:
        """Return the tests that fail with the fault of a number; 0: without any.

        Where the simulation itself fails, its name stands for all of them.
        """
        chosen = [*runner.GARBAGE, f"+mutant={number}"]
        with TemporaryDirectory() as folder, patch("verif.runner.GARBAGE", chosen):
            try:
                self.run(Path(folder))
            except AssertionError:
                failed = runner.failures(runner.cases_in(Path(folder) / "results.xml"))
                return {line.partition(":")[0] for line in failed.splitlines()} or {self.name}
            return set()

    def with_faults(self, part: Part, faults: Sequence[Fault]) -> dict[str, str]:
        """Return the Verilog of a part with faults, of which a simulation chooses one."""
        return planted(self.modules(), faults, part.module_name)


def emitted(part: Callable[[], Part]) -> Callable[[], Mapping[str, str]]:
    """Return what gives the Verilog of a part, emitted at its first use."""
    return cache(lambda: verilog_modules(part()))


def benches(family: str, chip: Any) -> Iterator[PartBench]:
    """Yield the benches of the parts of a chip; chip: the family's description of it."""
    if family == "dbpim":
        yield from dbpim_benches(chip)
    elif family == "mram":
        yield from mram_benches()
    else:
        yield from crossbar_benches(chip)
    facts = common_facts(family, chip)
    modules = emitted(lambda: common_parts(facts))
    for name in COMMON:
        yield PartBench(
            name=name,
            modules=modules,
            run=lambda folder, n=name: run_common_bench(n, facts, folder),
        )


def dbpim_benches(arch: Arch) -> Iterator[PartBench]:
    """Yield the benches of DB-PIM's own parts."""
    rows: dict[str, type[Part]] = {"row_unit": RowUnit} if arch.row_unit else {}
    for name, kind in (ALONE | rows).items():
        yield PartBench(
            name=name,
            modules=emitted(lambda k=kind: k(arch=arch)),
            run=alone(name, kind, arch),
        )
    yield requantizer_bench(arch)
    for name, (part, run_floats) in FLOATS.items() if arch.row_unit else ():
        yield PartBench(name=name, modules=emitted(part), run=run_floats)
    modules = emitted(lambda: system_parts(arch))
    for name in SYSTEM:
        yield PartBench(
            name=name,
            modules=modules,
            run=lambda folder, n=name: run_system_bench(n, arch, folder),
        )
    modules = emitted(lambda: feed_parts(arch))
    for name in FEED:
        yield PartBench(
            name=name,
            modules=modules,
            run=lambda folder, n=name: run_feed_bench(n, arch, folder),
        )


def requantizer_bench(arch: Arch) -> PartBench:
    """Return the bench of the requantizer of a chip."""
    part = requantizer(arch)
    settings = {ROUNDINGS: ",".join(arch.rounding), BITS: str(arch.multiplier_bits)}
    return PartBench(
        name=part.module_name.removeprefix("dbpim_"),
        modules=emitted(lambda: part),
        run=lambda folder: run_requantizer(requantizer(arch), settings, folder),
    )


def mram_benches() -> Iterator[PartBench]:
    """Yield the benches of mram's own parts, which have the size of the tiny chip."""
    modules = emitted(lambda: chip_parts.chip_parts(tiny()))
    for name in CHIP_SIDE:
        yield PartBench(
            name=name,
            modules=modules,
            run=lambda folder, n=name: chip_parts.run_part(n, "tiny", folder),
        )
    modules = emitted(lambda: array_parts.array_parts(tiny()))
    for name in ARRAY_SIDE:
        yield PartBench(
            name=name,
            modules=modules,
            run=lambda folder, n=name: array_parts.run_part(n, "tiny", folder),
        )


def crossbar_benches(chip: Chip) -> Iterator[PartBench]:
    """Yield the benches of the parts of a crossbar chip, of each size that it has."""
    router = SideBySide(parts=[Router(chip=chip)])
    yield PartBench(
        name="router",
        modules=emitted(lambda: router),
        run=lambda folder: run_router(chip, folder, "verilator"),
    )
    for (bench, where), sizes in different(small_sizes(chip)).items():
        yield PartBench(
            name=f"{bench}, {where}",
            modules=emitted(lambda b=bench, s=sizes: small_part(b, **s)),
            run=lambda folder, b=bench, s=sizes: run_small(b, s, folder),
        )
    for where, sizes in different(array_sizes(chip)).items():
        yield PartBench(
            name=f"array, {where}",
            modules=emitted(lambda s=sizes: ArrayCase(**s).array()),
            run=lambda folder, s=sizes: run_array(s, folder),
        )


SHELLS: Mapping[str, Callable[[Any], ShellFacts]] = {
    "crossbar": crossbar_shell,
    "dbpim": dbpim_shell,
    "mram": mram_shell,
}
"""What says of a chip what its shell is made from."""


def common_facts(family: str, chip: Any) -> Facts:
    """Return what the shell of a chip says, for the benches of its parts."""
    shell = SHELLS[family](chip)
    return replace(
        made_up_facts(),
        family=family,
        registers=shell.registers,
        constants={"id": shell.id_word, "version": shell.version},
        address_bits=shell.address_bits,
        error_bits=shell.error_bits,
        errors=shell.errors,
        watchdog_cycles=shell.watchdog_cycles,
        progress_sources=len(shell.progress) + 2,
        port_bits=shell.port_bits,
        fifo_beats=shell.fifo_beats,
        burst_beats=shell.burst_beats,
        word_bits=shell.word_bits,
        count_bits=shell.count_bits,
        entries=shell.entries,
        slices=1,
    )


def alone(name: str, kind: type[Part], arch: Arch) -> Callable[[Path], None]:
    """Return what runs the bench of a part that stands alone."""

    def run_alone(folder: Path) -> None:
        bench = build(kind(arch=arch))  # type: ignore[call-arg]
        run(bench, module=f"verif.dbpim.bench_{name}", folder=folder, settings=settings(arch))

    return run_alone


def killers(
    faults: Sequence[Fault], modules: Mapping[str, str], family: str, chip: Any
) -> Iterator[tuple[Fault, str]]:
    """Yield each fault that a bench kills, with the name of the bench.

    A bench must have the very module of the chip. That of the module itself is tried, or if there
    is none all those that have the module inside.
    """
    left, all_benches = list(faults), list(benches(family, chip))
    named = {f"{family}_{bench.name}" for bench in all_benches}
    for bench in all_benches:
        own = f"{family}_{bench.name}"
        inside = [f for f in faults if bench.modules().get(f.module) == modules[f.module]]
        tried = [f for f in inside if f in left and (f.module == own or f.module not in named)]
        for fault in bench.killed(inside, tried) if tried else ():
            yield fault, bench.name
            left.remove(fault)
