"""Replacements of parts of a chip: read from a command line, checked, told in a report.

Tests: `tests/commands/test_replace.py`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hwgen.chip.accesses import AccessEnergy, energies_of
from hwgen.chip.family import Family
from hwgen.chip.protocols import Architecture
from hwgen.chip.replacement import Replacements, load_replacement
from hwgen.commands.families import InstalledFamily
from hwgen.commands.prices import Prices
from hwgen.errors import ConfigError
from hwgen.report.info import ArrayNeeds, MemoryNeeds
from hwgen.report.types import ReplacedPart

if TYPE_CHECKING:
    from hwgen.chip.rtl.replace import AnyReplaceable
    from hwgen.chip.rtl.replaceable import Placed


def replacements_of(given: Sequence[str] | None) -> Replacements:
    """Return the replacements that `--replace` names, each as PART=FILE.

    Errors: ConfigError for another text, a part that is named twice, a wrong file
    """
    found = {}
    for text in given or ():
        part, equals, file = text.partition("=")
        if not (part and equals and file):
            raise refusal("PART=FILE, such as activation_bank=sram.yaml", text or "nothing")
        if part in found:
            raise refusal("one replacement of each part", f"two of {part}")
        found[part] = load_replacement(Path(file))
    return Replacements(tuple(found.items()))


def part_needs(
    family: InstalledFamily, arch: Architecture
) -> tuple[list[MemoryNeeds], list[ArrayNeeds]]:
    """Return the memories and arrays of a chip, and what each needs of a replacement."""
    from hwgen.chip.rtl.memory_part import MemoryPart
    from hwgen.chip.rtl.replace import replaceable

    top = family.need(Family.verilog).make_chip(arch)
    found, arrays = [], []
    for name, part in replaceable(top).items():
        if not isinstance(part, MemoryPart):
            arrays.append(
                ArrayNeeds(
                    name=name,
                    sizes=dict(part.sizes),
                    pins=list(part.pins),
                    optional=[pin for pin in part.pins if pin in part.optional],
                    cycles=part.array_cycles,
                    cells=part.cells,
                )
            )
            continue
        cells = part.asked()
        found.append(
            MemoryNeeds(
                name=name,
                words=cells.depth,
                bits=cells.bits,
                slice_bits=cells.bits // cells.slices,
                reads=len(cells.reads),
                read_cycles=cells.read_cycles,
                one_address=cells.one_address,
                reads_what_it_writes=part.reads_what_it_writes,
            )
        )
    return found, arrays


def refusal(allowed: str, given: object) -> ConfigError:
    """Return the error of the option."""
    return ConfigError(field="--replace", allowed=allowed, given=given, source="command line")


def placed_parts(
    family: InstalledFamily, arch: Architecture, replacements: Replacements
) -> "list[tuple[AnyReplaceable, Placed]]":
    """Return the replaced parts of a chip, and how each is made; ConfigError where it cannot be."""
    if not replacements:
        return []
    from hwgen.chip.rtl.replace import replace_parts, replaceable

    top = family.need(Family.verilog).make_chip(arch)
    tilings = replace_parts(top, replacements)
    parts = replaceable(top)
    return [(parts[name], tiles) for name, tiles in tilings.items()]


def replaced_parts(
    prices: Prices,
    arch: Architecture,
    placed: "Sequence[tuple[AnyReplaceable, Placed]]",
    *,
    events: Mapping[str, int] | None = None,
) -> list[ReplacedPart]:
    """Return what a report says of replaced parts.

    events: that a simulation counted, for the energy of the accesses
    """
    if not placed:
        return []
    from hwgen.chip.rtl.replace import name_of

    found = []
    for part, tiles in placed:
        replacement = part.replacement
        assert replacement is not None
        spent = None if events is None else spent_in(prices, arch, part, tiles, events)
        found.append(
            ReplacedPart(
                part=name_of(part),
                replacement=replacement.spec.name,
                file=str(replacement.file),
                module=replacement.spec.module,
                banks=tiles.banks,
                columns=tiles.columns,
                copies=tiles.copies,
                energy_pj=spent and spent[0],
                table_pj=spent and spent[1],
            )
        )
    return found


def spent_in(
    prices: Prices,
    arch: Architecture,
    part: "AnyReplaceable",
    tiles: "Placed",
    events: Mapping[str, int],
) -> tuple[float, float] | None:
    """Return the picojoules of the accesses to a replaced part, and those of the table.

    None: the replacement has no energies, or no event counts the accesses.
    """
    from hwgen.chip.rtl.memory_part import MemoryPart
    from hwgen.chip.rtl.replace import name_of, stem

    figures = part.replacement.spec.figures if part.replacement else None
    if figures is None or figures.read_pj is None or figures.write_pj is None:
        return None
    if not prices.family.offers(Family.energy):
        return None
    names = (name_of(part), stem(part, name_of(part)))
    found = [one for one in prices.accesses(arch) if one.part in names]
    if not found:
        return None
    # A read is of one bank and of one copy, a write of one bank in each copy.
    each = AccessEnergy(
        read_pj=figures.read_pj * tiles.columns,
        write_pj=figures.write_pj * tiles.columns * tiles.copies,
        bits=part.asked().bits if isinstance(part, MemoryPart) else None,
    )
    return energies_of(found, events, each)
