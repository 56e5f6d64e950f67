"""Put replacements into the parts of a chip, and say what parts can be replaced.

Tests: `tests/verif/common/test_register_file.py`.
"""

from collections.abc import Mapping
from typing import TypeGuard, TypeVar

from hwgen.chip.replacement import AnyReplacement, MemorySpec, Replacements
from hwgen.chip.rtl.array_part import ArrayPart
from hwgen.chip.rtl.emit import parts_below_first
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.replaceable import Placed
from hwgen.errors import ConfigError, with_near

AnyPart = TypeVar("AnyPart", bound=Part)
AnyReplaceable = MemoryPart | ArrayPart


def replaceable(top: Part) -> dict[str, AnyReplaceable]:
    """Return the parts of a chip that can be replaced by their names, without the family."""
    return {name_of(part): part for part in parts_below_first(top) if is_replaceable(part)}


def is_replaceable(part: Part) -> TypeGuard[AnyReplaceable]:
    """Return whether another module can stand for a part."""
    return isinstance(part, MemoryPart | ArrayPart)


def replace_parts(top: Part, replacements: Replacements) -> dict[str, Placed]:
    """Put replacements into the parts of a chip; return how each replaced part is made, by name.

    A part that is replaced whole has no parts below it.

    Errors: ConfigError for a name that no such part of the chip has, a replacement that does not do
    what its part needs, and for modules and files that have the name of others
    """
    check_names(list(parts_below_first(top)), replacements)
    found: dict[str, Placed] = {}
    for name, replacement in sorted(replacements.of, key=lambda one: is_memory(one[1])):
        known = replaceable(top)
        chosen = [one for one in known if is_named(name, one, known)]
        if not chosen:
            raise ConfigError(
                field="--replace",
                allowed=f"a part of the chip: {', '.join(known)}",
                given=with_near(name, known),
                source="command line",
            )
        for one in chosen:
            if one in found:
                raise ConfigError(
                    field="--replace",
                    allowed="one replacement of each part",
                    given=f"two of {one}",
                    source="command line",
                )
            for part in list(parts_below_first(top)):
                if is_replaceable(part) and name_of(part) == one:
                    found[one] = part.replace_by(replacement)
    return found


def is_memory(replacement: AnyReplacement) -> bool:
    """Return whether a replacement is a memory: they come behind arrays, which have some."""
    return isinstance(replacement.spec, MemorySpec)


def with_replacements(top: AnyPart, replacements: Replacements) -> AnyPart:
    """Return a chip with replacements in its parts; see `replace_parts`."""
    if replacements:
        replace_parts(top, replacements)
    return top


def is_named(name: str, one: str, parts: Mapping[str, AnyReplaceable]) -> bool:
    """Return whether a name is that of a part, with or without its sizes."""
    return name in (one, stem(parts[one], one))


def name_of(part: Part) -> str:
    """Return the name of a module without the family."""
    return part.module_name.removeprefix(f"{part.family}_")


def stem(part: Part, name: str) -> str:
    """Return a name without the sizes."""
    return name.removesuffix(f"_{part.size_suffix}") if part.size_suffix else name


def check_names(parts: list[Part], replacements: Replacements) -> None:
    """Refuse modules and files that have the name of others."""
    taken = {part.module_name for part in parts}
    files = {f"{name}.v": "" for name in taken}
    modules: dict[str, AnyReplacement] = {}
    for _, replacement in replacements.of:
        module = replacement.spec.module
        other = modules.setdefault(module, replacement)
        if module in taken or other != replacement:
            raise replacement.refuse(
                "module", "a name that no other module of the chip has", module
            )
        for file, text in replacement.sources:
            if files.setdefault(file, text) != text:
                raise replacement.refuse(
                    "files.verilog", "names that no other file of the chip has", file
                )
