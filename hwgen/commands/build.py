"""`hwgen compile` and `hwgen build`: write a program, write Verilog.

Tests: `tests/commands/test_replace.py`.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import KW_ONLY, asdict, dataclass, field, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field
from rich.console import RenderableType

from hwgen import __version__
from hwgen.chip.boards import BAUD, BOARDS, ROUTED_TOOLS, Board
from hwgen.chip.family import Family
from hwgen.chip.interface import ChipInterface
from hwgen.chip.line import BIT_CYCLES, LEAST_MEMORY_BYTES, MOST_MEMORY_BYTES, PinFacts
from hwgen.chip.protocols import Architecture
from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.commands.context import Context
from hwgen.commands.families import InstalledFamily
from hwgen.commands.fields import Batch, File, Replace, Sparsity, Whole
from hwgen.commands.hand_over import LAYER, LEAST_BITS, PIN_LAYER, Flow, memory_abstracts, pins_in
from hwgen.commands.keywords import KEYWORDS
from hwgen.commands.on_chip import Arch, OnChip, chip_of
from hwgen.commands.prices import Prices
from hwgen.commands.replacing import placed_parts, replaced_parts, replacements_of
from hwgen.commands.request import OUTPUT_FILE, OUTPUT_FOLDER, Says, Working
from hwgen.commands.subject import configuration_of, program_of, program_path
from hwgen.errors import FamilyError
from hwgen.files.digests import (
    digest_of,
    digest_of_array,
    digest_of_code,
    digest_of_files,
    versions,
)
from hwgen.files.earlier import PROGRAM_FILES
from hwgen.report.info_tables import build_table, compile_table
from hwgen.report.system import register_files, system_files
from hwgen.report.system.board_files import board_files, constraints_name
from hwgen.report.system.librelane import (
    Block,
    axi_block,
    few_pins_block,
    few_pins_sdc,
    librelane_files,
)
from hwgen.report.types import Source
from hwgen.report.work import BuildReport, CompileReport

if TYPE_CHECKING:
    from hwgen.chip.rtl.emit import Further
    from hwgen.chip.rtl.part import Part
    from hwgen.commands.route import Routing

MANIFEST = "manifest.json"
LONGEST_PREFIX = 32
BIT_CYCLES_BY_DEFAULT, MEMORY_BYTES_BY_DEFAULT = 217, 1 << 15
"""115,200 baud at 25 MHz; a small trained network on a small chip."""
PREFIX = re.compile(f"[a-z](?:[a-z0-9_]{{0,{LONGEST_PREFIX - 2}}}[a-z0-9])?")


@dataclass(frozen=True)
class Listing(OnChip):
    """Return every packet of the program of a network as text."""

    _: KW_ONLY
    batch: Batch = 1

    def run(self) -> str:
        """Compile."""
        subject = self.subject(self.batch)
        program = program_of(self.quiet, subject)
        return subject.family.need(Family.compiler).listing(program, subject.arch)


@dataclass(frozen=True)
class Compile(OnChip):
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
class CompileCommand(
    Compile,
    command="compile",
    example="network.npz chip.yaml --listing --out build/digits.npz",
):
    """Compile a network for an architecture: tiles, masks, instructions, one memory image."""

    _: KW_ONLY
    listing: Annotated[bool, Says("print every packet of the program")] = False

    def run(self) -> CompileReport:
        """Print the listing before the table."""
        report = super().run()
        if self.listing:
            given = {each.name: getattr(self, each.name) for each in fields(Listing)}
            print(Listing(**given).run())
        return report


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


def write_verilog(
    context: Context,
    family: InstalledFamily,
    arch: Architecture,
    out: Path,
    *,
    prefix: str | None = None,
    trace: bool = True,
    replacements: Replacements = NO_REPLACEMENTS,
    pins: PinFacts | None = None,
    layer: str | None = None,
    board: Board | None = None,
    routing: "Routing | None" = None,
) -> None:
    """Write the Verilog of a chip; one that stands in a shell has its files for systems beside.

    pins: the line that it is put behind; then the files for systems are the registers alone
    layer: of the pins of memories, where files for LibreLane are wanted as well
    board: that the chip behind an UART is put on; routing: makes its bit stream
    """
    with context.progress(f"building {arch.name}"):
        top = family.need(Family.verilog).make_chip(arch)
        from hwgen.chip.rtl import emit as emitter
        from hwgen.chip.rtl.replace import with_replacements

        if prefix is not None:
            emitter.rename(top, prefix)
        with_replacements(top, replacements)
        written = Written(top=top, parameters=configuration_of(arch))
        if hasattr(top, "interface"):
            top.shows_trace = trace
            interface = top.interface(name=arch.name, digest=arch.digest, clock_mhz=arch.clock_mhz)
            if pins is None:
                written = in_system(written, interface)
            else:
                written = behind_pins(written, interface, pins)
                if board is not None:
                    written = on_board(written, interface, pins, board, routing)
            if layer is not None:
                written = for_layout(written, interface, pins, layer)
        elif pins is not None or not trace:
            cannot = "leave out its trace" if pins is None else "take --pins"
            raise FamilyError(
                f"the family {family.name} cannot {cannot}: its chip stands in no shell"
            )
        about = f"Of the chip {arch.name} ({family.name}, architecture {arch.digest[:8]})"
        emitter.emit(
            written.top,
            out,
            parameters=written.parameters,
            about=f"{about}, written by hwgen {__version__}",
            beside={**written.beside, **replacements.sources},
            further=written.further,
        )


@dataclass(frozen=True, kw_only=True)
class Written:
    """What is written of a chip: its top, a `Part`, and what stands beside its Verilog.

    parameters: of the manifest; beside: files by name; further: makes more of the Verilog
    """

    top: Any
    parameters: Mapping[str, object]
    beside: Mapping[str, str] = field(default_factory=dict)
    further: "Further | None" = None


def in_system(chip: Written, interface: ChipInterface) -> Written:
    """Return a chip with the files that put it into a system."""
    from hwgen.chip.rtl.emit import file_names

    return replace(chip, beside=system_files(interface, file_names(chip.top)))


def behind_pins(chip: Written, interface: ChipInterface, pins: PinFacts) -> Written:
    """Return a chip behind few pins, with the files of its registers."""
    from hwgen.chip.rtl.line.few_pins import FewPins

    chip.top.shows_trace = False
    return Written(
        top=FewPins(chip=chip.top, facts=pins),
        parameters={**chip.parameters, "pins": asdict(pins)},
        beside=register_files(interface),
    )


def on_board(
    chip: Written,
    interface: ChipInterface,
    pins: PinFacts,
    board: Board,
    routing: "Routing | None",
) -> Written:
    """Return the top of a board around a chip behind an UART, with the files of the board.

    routing: makes the bit stream as well; None: none is made
    """
    from hwgen.chip.rtl.emit import file_names
    from hwgen.chip.rtl.line.board_top import BoardTop

    top = BoardTop(chip=chip.top, board=board)
    baud = BAUD
    if pins.bit_cycles != board.bit_cycles:
        baud = round(1e6 * board.mhz / pins.bit_cycles)
    files = board_files(
        board,
        interface.what,
        top=top.module_name,
        modules=file_names(top),
        baud=baud,
        written=f"Of {interface.what}, written by hwgen {__version__}",
    )
    further: Further | None = None
    if routing is not None:
        pin_file = files[constraints_name(board)]
        further = partial(routing, board=board, top=top.module_name, pins=pin_file)
    return Written(
        top=top,
        parameters={**chip.parameters, "board": board.name},
        beside={**chip.beside, **files},
        further=further,
    )


def for_layout(
    chip: Written, interface: ChipInterface, pins: PinFacts | None, layer: str
) -> Written:
    """Return a chip with files for LibreLane; layer: of the pins of its memories."""
    block, more = block_of(interface, pins, chip.top, chip.beside)
    abstracts = memory_abstracts(chip.top, layer)
    return replace(
        chip,
        beside={**chip.beside, **more},
        further=partial(librelane_files, block, abstracts=abstracts, least=LEAST_BITS),
    )


def block_of(
    interface: ChipInterface, pins: PinFacts | None, top: "Part", beside: Mapping[str, str]
) -> tuple[Block, Mapping[str, str]]:
    """Return what becomes a block of a layout, and its constraints where nothing has them."""
    if pins is None:
        return axi_block(interface, pins_in(beside[f"{interface.prefix}_axi.v"])), {}
    from hwgen.chip.rtl.line.few_pins import PINS, driven

    line = PINS[pins.line]
    block = few_pins_block(interface, top.module_name, [*line])
    return block, {block.constraints: few_pins_sdc(block, driven(pins.line))}


def verilog_of(
    context: Context,
    family: InstalledFamily,
    arch: Architecture,
    *,
    name: str,
    replacements: Replacements = NO_REPLACEMENTS,
) -> Path:
    """Return the folder of a chip's Verilog in the work folder; write it if it is not cached."""
    facts = [configuration_of(arch), digest_of_code(*family.code), versions()]
    if replacements:
        facts.append(repr(replacements))
    folder = context.work / "verilog" / f"{arch.name}-{name}-{digest_of(facts)[:16]}"
    if not folder.exists():
        write_verilog(context, family, arch, folder, replacements=replacements)
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
    # Modules of replacements stand in files that are not of the chip.
    below_it = modules[name]["instances"].items() if name in modules else ()
    for below, count in below_it:
        for inner, times in uses(modules, below).items():
            found[inner] += count * times
    return found
