"""`hwgen self-test`: programs whose answers show that a cell of a chip is stuck.

Tests: `tests/commands/test_self_test.py`.
"""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from rich.console import RenderableType

from hwgen.chip.family import Family
from hwgen.chip.limits import RunLimits
from hwgen.chip.protocols import Program
from hwgen.commands.architectures import Arch, LoadedArchitecture, chip_of
from hwgen.commands.context import Context
from hwgen.commands.engines import expected_outputs
from hwgen.commands.fields import Count, File, Seed
from hwgen.commands.images import Batch, batch_of
from hwgen.commands.request import OUTPUT_FOLDER, Says, Working
from hwgen.commands.subject import Subject, configuration_of
from hwgen.errors import SimulationError
from hwgen.files.digests import versions
from hwgen.files.folder import add_files
from hwgen.files.npz import write_npz
from hwgen.network.file import save_network
from hwgen.report.files import write_report
from hwgen.report.self_test import (
    MissedCell,
    SelfTestReport,
    StuckCells,
    TestedMemory,
    TestedPart,
    self_test_table,
)
from hwgen.report.types import Source

if TYPE_CHECKING:
    from hwgen.chip.self_test import Part
    from hwgen.chip.sim.host import ChipRun, HostedChip, Work
    from hwgen.chip.sim.stuck import CellArray, StuckCell

REPORT = "self-test.json"
HANGING, SLACK_CYCLES, MOST_STORES = 4, 20_000, 1_000_000
"""A chip with a stuck cell hangs after so many times the cycles of a healthy one, and more."""
PROTOCOL = ("memory: ", "host: ")
"""Begins of what ends a simulation whose chip broke the rules of its bus: a fault that was seen."""


@dataclass(frozen=True)
class SelfTest(
    Working, command="self-test", example="chip.yaml --out build/self-test --check --stuck 200"
):
    """Write programs, inputs and expected answers that show whether a cell of a chip is stuck.

    Each part is an ordinary network, its compiled program, images and the answers of the reference,
    as files of hwgen and as bytes for a host; self-test.json lists them with their checksums.
    --check runs them in Verilog; exit code 1 if an answer differs. --stuck draws cells, has each
    stuck at 0 and at 1 in the Verilog, and counts how many the answers show.

    Flip-flops and wires are no cells: their test is the scan of your flow.
    """

    architecture: Arch
    out: Annotated[File, Says("folder to write", use=OUTPUT_FOLDER)]
    _: KW_ONLY
    verilog: Annotated[
        bool, Says("run the parts in Verilog and compare the answers", names=("--check",))
    ] = False
    stuck: Annotated[
        Count | None, Says("draw N cells and count those found, with --check", metavar="N")
    ] = None
    seed: Seed = 1

    def check(self) -> None:
        """Refuse cells that are drawn for no simulation."""
        if self.stuck is not None and not self.verilog:
            raise self.refusal("stuck", "given with --check", self.stuck)

    def run(self) -> SelfTestReport:
        """Write the folder, simulate the healthy chip, and those with a stuck cell."""
        chip, out = chip_of(self.quiet, self.architecture), Path(self.out)
        tester = SelfTester(context=self.quiet, chip=chip, out=out)
        passed = [tester.passes(each) if self.verilog else None for each in tester.loaded]
        stuck = None
        if self.stuck is not None and all(passed):
            stuck = tester.coverage(self.stuck, self.seed)
        arch = chip.parameters
        report = SelfTestReport(
            format="hwgen.report.self_test",
            version=1,
            architecture=Source(name=arch.name, file=str(chip.file), digest=arch.digest),
            configuration=configuration_of(arch),
            folder=str(out),
            parts=[each.told(ok) for each, ok in zip(tester.loaded, passed, strict=True)],
            stuck=stuck,
            versions=versions(),
        )

        def fill(fresh: Path) -> None:
            for each in tester.loaded:
                each.write(fresh)
            write_report(report, fresh / REPORT)

        add_files(out, fill)
        return report

    def table(self, report: SelfTestReport) -> RenderableType:
        """Return the parts, and what was found of stuck cells."""
        return self_test_table(report)

    def agrees(self, report: SelfTestReport) -> bool:
        """Return whether no answer differs."""
        return all(part.passed is not False for part in report.parts)


@dataclass(kw_only=True)
class LoadedPart:
    """A part with its program and its expected answers.

    work: of a host; runs: what the healthy chip did, once it was simulated
    """

    part: "Part"
    subject: Subject
    batch: Batch
    program: Program
    expected: Any
    work: "Work"
    runs: "Sequence[ChipRun[Any]]" = ()

    @cached_property
    def in_memory(self) -> Any:
        """Program, images and answers as bytes."""
        layout = self.subject.family.need(Family.firmware)
        return layout.in_memory(self.program, self.subject.arch, self.batch.images, self.expected)

    @property
    def limits(self) -> RunLimits:
        """After which a chip with a stuck cell hangs."""
        most = max(run.cycles for run in self.runs)
        cycles = HANGING * most + SLACK_CYCLES
        return replace(self.work.limits, cycles=cycles, stores=MOST_STORES)

    @property
    def cycles(self) -> int:
        """Cycles of all runs of the healthy chip."""
        return sum(run.cycles for run in self.runs)

    def write(self, folder: Path) -> None:
        """Write the files of the part."""
        name = self.part.name
        save_network(self.part.network, folder / f"{name}.npz")
        programs = self.subject.family.need(Family.programs)
        programs.save_program(self.program, folder / f"{name}.program.npz")
        write_npz(folder / f"{name}.images.npz", {"images": self.batch.images}, what="images")
        for kind, content in (
            ("program", self.in_memory.program),
            ("images", self.in_memory.images),
            ("expected", self.in_memory.expected),
        ):
            (folder / f"{name}.{kind}.bin").write_bytes(content)

    def told(self, passed: bool | None) -> TestedPart:
        """Return what a report says of the part."""
        return TestedPart(
            name=self.part.name,
            reaches=self.part.reaches,
            network=self.part.network.digest,
            images=len(self.batch.images),
            program_bytes=self.program.image.size,
            checksum=f"{zlib.crc32(self.in_memory.expected):08x}",
            passed=passed,
            cycles=self.cycles if self.runs else None,
        )


@dataclass(kw_only=True)
class SelfTester:
    """The self-test of a chip, and simulations of it."""

    context: Context
    chip: LoadedArchitecture
    out: Path

    @cached_property
    def loaded(self) -> list[LoadedPart]:
        """The parts, whose hosts all have equal memories: one simulator runs them.

        All take few cycles: the simulator that is compiled soonest will do.
        """
        parts = self.chip.family.need(Family.self_test).parts(self.chip.parameters)
        found = [self.load(part) for part in parts]
        size = max(each.work.memory_bytes for each in found)
        for each in found:
            each.work = replace(each.work, memory_bytes=size)
        return found

    def load(self, part: "Part") -> LoadedPart:
        """Return a part with its program and what golden answers."""
        family, arch = self.chip.family, self.chip.parameters
        subject = Subject(
            network=part.network,
            network_file=self.out / f"{part.name}.npz",
            family=family,
            arch=arch,
            arch_file=self.chip.file,
        )
        batch = batch_of(part.network, part.images, None, name=part.name, split="all", count=None)
        with self.context.progress(f"compiling {part.name}"):
            program = family.need(Family.compiler).compile_network(part.network, arch)
        return LoadedPart(
            part=part,
            subject=subject,
            batch=batch,
            program=program,
            expected=expected_outputs(self.context, subject, batch),
            work=family.need(Family.self_test).work_of(program, arch, part.images),
        )

    @cached_property
    def hosted(self) -> "HostedChip[Any]":
        """The chip."""
        return self.chip.family.need(Family.self_test).hosted_chip(self.chip.parameters)

    @cached_property
    def may_stick(self) -> "HostedChip[Any]":
        """The chip, one cell of which may be stuck."""
        from hwgen.chip.sim.stuck import with_stuck_cells

        return with_stuck_cells(self.hosted)

    def simulated(
        self, part: LoadedPart, hosted: "HostedChip[Any]", cell: "StuckCell | None" = None
    ) -> "Sequence[ChipRun[Any]]":
        """Return every start of a chip."""
        from hwgen.chip.sim.stuck import run_stuck

        with self.context.told(f"the RTL of {hosted.name}") as tell:
            return run_stuck(part.work, hosted, cell, builds=self.context.work / "sim", say=tell)

    def passes(self, part: LoadedPart) -> bool:
        """Return whether the healthy chip gives the answers of golden."""
        part.runs = self.simulated(part, self.hosted)
        return self.is_right(part, part.runs)

    def is_right(self, part: LoadedPart, runs: "Sequence[ChipRun[Any]]") -> bool:
        """Return whether runs give the answers of golden; SimulationError where one did not end."""
        tests = self.chip.family.need(Family.self_test)
        maps = tests.maps_of(runs, part.program, self.chip.parameters, part.batch.images)
        return all(
            np.array_equal(found[name], wanted[number])
            for number, found in enumerate(maps)
            for name, wanted in part.expected.items()
        )

    def coverage(self, count: int, seed: int) -> StuckCells:
        """Return how many of the drawn cells the test finds, each stuck at 0 and at 1.

        The healthy chip has run before.
        """
        from hwgen.chip.sim.stuck import drawn_cells

        arrays, foreseen = self.counted_arrays(), 2 * count * sum(one.cycles for one in self.loaded)
        for part in self.loaded:
            limits = replace(part.work.limits, foreseen=foreseen)
            part.work = replace(part.work, limits=limits)
            part.runs = self.simulated(part, self.may_stick)
            if not self.is_right(part, part.runs):
                raise SimulationError(f"a chip without a stuck cell differs in {part.part.name}")
            part.work = replace(part.work, limits=part.limits)
        cells = drawn_cells(arrays, count, seed)
        drawn = Counter(cell.array.module for cell in cells)
        missed = []
        with self.context.progress("stuck cells", len(cells)) as done:
            for cell in cells:
                if not any(self.shows(part, cell) for part in self.loaded):
                    missed.append(cell)
                done()
        kept = Counter(cell.array.module for cell in missed)
        modules = dict.fromkeys(array.module for array in arrays)
        return StuckCells(
            seed=seed,
            cells=len(cells) // 2,
            found=len(cells) - len(missed),
            memories=[
                memory_of(module, arrays, drawn[module], drawn[module] - kept[module])
                for module in modules
            ],
            missed=[
                MissedCell(instance=each.array.path, word=each.word, bit=each.bit, value=each.value)
                for each in missed
            ],
        )

    def counted_arrays(self) -> "list[CellArray]":
        """Return all memories of the chip, with the bits of their words that count."""
        from hwgen.chip.sim.stuck import cell_arrays

        tests, arch = self.chip.family.need(Family.self_test), self.chip.parameters
        arrays = cell_arrays(self.hosted.modules, self.hosted.top)
        return [replace(each, read_bits=tests.read_bits(each, arch)) for each in arrays]

    def shows(self, part: LoadedPart, cell: "StuckCell") -> bool:
        """Return whether a host sees a stuck cell: an error, no end, or another answer."""
        try:
            found = self.simulated(part, self.may_stick, cell)
        except SimulationError as error:
            if not any(begin in str(error) for begin in PROTOCOL):
                raise
            return True
        return len(found) != len(part.runs) or any(
            run.busy
            or not run.done
            or bool(run.error)
            or any(
                not np.array_equal(run.answers[label], answer)
                for label, answer in healthy.answers.items()
            )
            for run, healthy in zip(found, part.runs, strict=True)
        )


def memory_of(module: str, arrays: "Sequence[CellArray]", drawn: int, found: int) -> TestedMemory:
    """Return what a report says of all memories of a module."""
    own = [each for each in arrays if each.module == module]
    return TestedMemory(
        module=module,
        instances=len(own),
        cells=sum(each.cells for each in own),
        counted=sum(each.counted for each in own),
        drawn=drawn,
        found=found,
    )
