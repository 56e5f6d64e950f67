"""`hwgen compile` and `hwgen build`: write a program, write Verilog.

Tests: `tests/commands/test_replace.py`.
"""

import re
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from rich.console import RenderableType

from hwgen.chip.boards import BOARDS, ROUTED_TOOLS, Board
from hwgen.chip.family import Family
from hwgen.chip.line import BIT_CYCLES, LEAST_MEMORY_BYTES, MOST_MEMORY_BYTES, PinFacts
from hwgen.commands.architectures import Arch, chip_of
from hwgen.commands.fields import Batch, File, Replace, Sparsity, Whole
from hwgen.commands.hand_over import LAYER, PIN_LAYER, Flow
from hwgen.commands.keywords import KEYWORDS
from hwgen.commands.on_chip import OnChip
from hwgen.commands.prices import Prices
from hwgen.commands.replacing import placed_parts, replaced_parts, replacements_of
from hwgen.commands.request import OUTPUT_FILE, OUTPUT_FOLDER, Says, Working
from hwgen.commands.subject import configuration_of, program_of, program_path
from hwgen.commands.verilog import what_was_written, write_verilog
from hwgen.files.digests import digest_of_array, versions
from hwgen.files.earlier import PROGRAM_FILES
from hwgen.report.info_tables import build_table, compile_table
from hwgen.report.types import Source
from hwgen.report.work import BuildReport, CompileReport

LONGEST_PREFIX = 32
BIT_CYCLES_BY_DEFAULT, MEMORY_BYTES_BY_DEFAULT = 217, 1 << 15
"""115,200 baud at 25 MHz; a small trained network on a small chip."""
PREFIX = re.compile(f"[a-z](?:[a-z0-9_]{{0,{LONGEST_PREFIX - 2}}}[a-z0-9])?")


@dataclass(frozen=True)
class Compile(OnChip, command="compile", example="network.npz chip.yaml --out digits.npz"):
    """Compile a network for an architecture: tiles, masks, instructions, one memory image.

    Raises FormatError for a layer that the chip does not run.
    """

    _: KW_ONLY
    out: Annotated[
        File | None,
        Says(
            "file of the program [default: one in --work]", use=OUTPUT_FILE, replaces=PROGRAM_FILES
        ),
    ] = None
    batch: Batch = 1

    def run(self) -> CompileReport:
        """Compile, and write the program."""
        subject = self.subject(self.batch)
        program = program_of(self.quiet, subject)
        if self.out is not None:
            subject.family.need(Family.programs).save_program(program, Path(self.out))
        file = self.out or program_path(self.quiet, subject)
        return CompileReport(
            format="hwgen.report.compile",
            version=1,
            network=subject.network_source,
            architecture=subject.arch_source,
            configuration=subject.configuration,
            program=Source(
                name=subject.network.graph.name,
                file=str(file),
                digest=digest_of_array(program.image),
            ),
            bytes=program.image.size,
            layers=subject.family.need(Family.compiler).tiling(program, subject.arch),
            versions=versions(),
        )

    def table(self, report: CompileReport) -> RenderableType:
        """Return the tiles of each layer."""
        return compile_table(report)


@dataclass(frozen=True)
class Build(Working, command="build", example="chip.yaml --out build/small"):
    """Write the Verilog of a chip: each module once, a file list and a manifest.

    Beside it stands what a system needs: a wrapper with the usual names of AXI and the interrupt,
    the register map in SystemRDL and C, a driver in C, a FuseSoC core, waivers, constraints.

    With --pins the top is the chip behind an UART or SPI, with a memory for program and maps; a
    host at the other end of the line drives it. There is no wrapper, driver, core and constraint.

    With --for and an FPGA board the top is that of the board, around the chip behind an UART; its
    pins stand beside it. With --route the FPGA's tools make a bit stream of it, in minutes.

    A chip belongs to an architecture, never to a network.
    """

    architecture: Arch
    out: Annotated[File, Says("folder to write, replaced whole", use=OUTPUT_FOLDER)]
    _: KW_ONLY
    prefix: Annotated[
        str | None,
        Says("begin of the names of all modules [default: the family]", metavar="NAME"),
    ] = None
    trace: Annotated[
        bool, Says("leave out the ports that only benches connect", names=(" /--no-trace",))
    ] = True
    sparsity: Sparsity = None
    replace: Replace = None
    flow: Annotated[
        Flow | None,
        Says(
            f"files for a flow of layout, librelane, or an FPGA board: {', '.join(BOARDS)}",
            names=("--for",),
            metavar="FLOW",
        ),
    ] = None
    route: Annotated[
        bool, Says("place and route it for the board of --for, and pack the bit stream")
    ] = False
    pin_layer: Annotated[
        str | None,
        Says(
            "metal of the pins of memories, with --for librelane; power is on the next one"
            f" [default: {PIN_LAYER}]",
            metavar="METAL",
        ),
    ] = None

    pins: Annotated[
        Literal["spi", "uart"] | None,
        Says("put the chip behind a line, with a memory [default: AXI]", metavar="spi|uart"),
    ] = None
    memory: Annotated[
        Annotated[Whole, Field(ge=LEAST_MEMORY_BYTES, le=MOST_MEMORY_BYTES)] | None,
        Says(
            f"bytes of the memory of --pins, a power of two [default: {MEMORY_BYTES_BY_DEFAULT}]",
            metavar="BYTES",
        ),
    ] = None
    bit_cycles: Annotated[
        Annotated[Whole, Field(ge=BIT_CYCLES[0], le=BIT_CYCLES[1])] | None,
        Says(
            "clock cycles of a bit of --pins uart"
            f" [default: {BIT_CYCLES_BY_DEFAULT}, 115200 baud at 25 MHz]",
            metavar="N",
        ),
    ] = None

    def check(self) -> None:
        """Refuse a prefix that is no beginning of names in Verilog, C and FuseSoC."""
        if self.pin_layer is not None and self.flow != "librelane":
            raise self.refusal("pin_layer", "given with --for librelane", self.pin_layer)
        if self.pin_layer is not None and not LAYER.fullmatch(self.pin_layer):
            raise self.refusal(
                "pin_layer", "a name that ends with its number, such as met3", self.pin_layer
            )
        if self.prefix is not None and not PREFIX.fullmatch(self.prefix):
            raise self.refusal(
                "prefix",
                f"a lower-case letter, then at most {LONGEST_PREFIX - 1} of lower case, digits"
                " and _, the last one not _",
                self.prefix,
            )
        if self.prefix in KEYWORDS:
            raise self.refusal("prefix", "no keyword of Verilog, SystemRDL or C", self.prefix)
        self.check_pins()

    def check_pins(self) -> None:
        """Refuse what says something of a line that is not there."""
        if self.memory is not None and self.memory & (self.memory - 1):
            raise self.refusal("memory", "a power of two", self.memory)
        if self.memory is not None and self.line is None:
            raise self.refusal("memory", "given with --pins", self.memory)
        if self.bit_cycles is not None and self.line != "uart":
            raise self.refusal("bit_cycles", "given with --pins uart", self.bit_cycles)
        board = self.board
        if board is not None and self.pins == "spi":
            raise self.refusal("pins", f"uart, with --for {board.name}", self.pins)
        if board is not None and (self.memory or 0) > board.block_rams * board.block_ram_bytes:
            most = board.block_rams * board.block_ram_bytes
            raise self.refusal(
                "memory", f"at most {most}, the block RAMs of {board.title}", self.memory
            )
        if self.route and (board is None or board.tools not in ROUTED_TOOLS):
            known = [each.name for each in BOARDS.values() if each.tools in ROUTED_TOOLS]
            raise self.refusal("route", f"given with --for {' or '.join(known)}", self.flow)

    @property
    def board(self) -> Board | None:
        """The FPGA board; None: there is none."""
        return BOARDS.get(self.flow or "")

    @property
    def line(self) -> Literal["spi", "uart"] | None:
        """What the chip stands behind: a board has an UART."""
        return "uart" if self.board is not None else self.pins

    def run(self) -> BuildReport:
        """Build."""
        chip, out = chip_of(self.quiet, self.architecture, self.sparsity), Path(self.out)
        arch, replacements = chip.parameters, replacements_of(self.replace)
        parts = replaced_parts(
            Prices(chip.family), arch, placed_parts(chip.family, arch, replacements)
        )
        from hwgen.commands.route import Routing

        routing = Routing(self.quiet, arch.name) if self.route else None
        write_verilog(
            self.quiet,
            chip.family,
            arch,
            out,
            prefix=self.prefix,
            trace=self.trace,
            replacements=replacements,
            pins=self.few_pins(),
            layer=self.pin_layer or PIN_LAYER if self.flow == "librelane" else None,
            board=self.board,
            routing=routing,
        )
        return BuildReport(
            format="hwgen.report.build",
            version=1,
            architecture=Source(name=arch.name, file=str(chip.file), digest=arch.digest),
            configuration=configuration_of(arch),
            folder=str(out),
            replaced=parts,
            **what_was_written(out),
            routed=None if routing is None else routing.done,
            versions=versions(),
        )

    def few_pins(self) -> PinFacts | None:
        """Return what stands between the chip and its pins; None: nothing."""
        line, board = self.line, self.board
        if line is None:
            return None
        return PinFacts(
            line=line,
            memory_bytes=self.memory or MEMORY_BYTES_BY_DEFAULT,
            bit_cycles=self.bit_cycles
            or (BIT_CYCLES_BY_DEFAULT if board is None else board.bit_cycles),
        )

    def table(self, report: BuildReport) -> RenderableType:
        """Return the modules, and what became of them on an FPGA."""
        return build_table(report)

    def agrees(self, report: BuildReport) -> bool:
        """Return whether what was routed is as fast as the clock of its board."""
        return report.routed is None or report.routed.is_fast_enough
