"""Put replacements into the parts of a chip, and say what parts can be replaced."""

from collections.abc import Mapping
from typing import TypeVar

from hwgen.chip.replacement import Replacement, Replacements
from hwgen.chip.rtl.emit import parts_below_first
from hwgen.chip.rtl.memory_part import MemoryPart
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.replaced import Tiling, tiling
from hwgen.errors import ConfigError, with_near

AnyPart = TypeVar("AnyPart", bound=Part)


def memories_of(top: Part) -> dict[str, MemoryPart]:
    """Return the memories of a chip by their names, without the family."""
    return {name_of(part): part for part in parts_below_first(top) if isinstance(part, MemoryPart)}


def replace_parts(top: Part, replacements: Replacements) -> dict[str, Tiling]:
    """Put replacements into the parts of a chip; return how each replaced part is made, by name.

    Errors: ConfigError for a name that no memory of the chip has, a replacement that does not do
    what its part needs, and for modules and files that have the name of others
    """
    every = list(parts_below_first(top))
    memories = memories_of(top)
    check_names(every, replacements)
    found: dict[str, Tiling] = {}
    for name, replacement in replacements.of:
        chosen = [one for one in memories if is_named(name, one, memories)]
        if not chosen:
            raise ConfigError(
                field="--replace",
                allowed=f"a memory of the chip: {', '.join(memories)}",
                given=with_near(name, memories),
                source="command line",
            )
        for one in chosen:
            found[one] = placed(memories[one], one, replacement)
    for part in every:
        if isinstance(part, MemoryPart):
            part.replacement = memories[name_of(part)].replacement
    return found


def with_replacements(top: AnyPart, replacements: Replacements) -> AnyPart:
    """Return a chip with replacements in its parts; see `replace_parts`."""
    if replacements:
        replace_parts(top, replacements)
    return top


def placed(part: MemoryPart, name: str, replacement: Replacement) -> Tiling:
    """Put a replacement into a part."""
    if part.replacement is not None:
        raise ConfigError(
            field="--replace",
            allowed="one replacement of each part",
            given=f"two of {name}",
            source="command line",
        )
    part.replacement = replacement
    return tiling(part.asked(), replacement, needs_old=part.reads_what_it_writes)


def is_named(name: str, memory: str, memories: Mapping[str, MemoryPart]) -> bool:
    """Return whether a name is that of a memory, with or without its sizes."""
    return name in (memory, stem(memories[memory], memory))


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
    modules: dict[str, Replacement] = {}
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
