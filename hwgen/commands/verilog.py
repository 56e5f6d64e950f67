"""The Verilog of a chip, and what stands beside it: for systems, lines, boards and layouts.

Tests: `tests/commands/test_verilog.py`.
"""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hwgen import __version__
from hwgen.chip.boards import BAUD, Board
from hwgen.chip.family import Family
from hwgen.chip.interface import ChipInterface
from hwgen.chip.line import PinFacts
from hwgen.chip.protocols import Architecture
from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.commands.context import Context
from hwgen.commands.families import InstalledFamily
from hwgen.commands.hand_over import LEAST_BITS, memory_abstracts, pins_in
from hwgen.commands.subject import configuration_of
from hwgen.errors import FamilyError
from hwgen.files.digests import digest_of, digest_of_code, digest_of_files, versions
from hwgen.files.folder import refuse_foreign
from hwgen.report.system import WAIVERS, register_files, system_files
from hwgen.report.system.board_files import board_files, constraints_name
from hwgen.report.system.librelane import (
    Block,
    axi_block,
    few_pins_block,
    few_pins_sdc,
    librelane_files,
)
from hwgen.report.system.waivers import waivers

if TYPE_CHECKING:
    from hwgen.chip.rtl.emit import Further
    from hwgen.chip.rtl.part import Part
    from hwgen.commands.route import Routing

MANIFEST = "manifest.json"


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
    from hwgen.chip.rtl.folder import files_of_earlier_output

    refuse_foreign(out, files_of_earlier_output)
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

    written = f"{interface.what}, written by hwgen {__version__}"
    return replace(
        chip,
        beside=system_files(interface, file_names(chip.top)),
        further=lambda files: {WAIVERS: waivers(interface, files, written)},
    )


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
    first = chip.further or (lambda files: {})
    layout = partial(librelane_files, block, abstracts=abstracts, least=LEAST_BITS)
    return replace(
        chip,
        beside={**chip.beside, **more},
        further=lambda files: {**first(files), **layout(files)},
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
