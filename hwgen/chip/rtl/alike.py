"""Which parts are made of the same sizes, so that one of them stands for all."""

from collections.abc import Iterable, Mapping, Sequence

from hwgen.chip.rtl.part import Part

OF_AMARANTH = "_MustUse"
"""How names of attributes begin that say where an object was made, not what it is."""


def different(parts: Iterable[Part]) -> list[Part]:
    """Return parts without those that are alike one before them."""
    found: list[Part] = []
    for part in parts:
        if not any(alike(part, one) for one in found):
            found.append(part)
    return found


def alike(one: object, other: object) -> bool:
    """Return whether two parts, or two values in them, are certainly the same.

    Parts are if they are of one class and everything that their `__init__` has kept is alike: their
    `elaborate` sees nothing else. Objects that do not say when they are equal are different.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Part) and isinstance(other, Part):
        return alike(kept(one), kept(other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, Sequence):
        return len(one) == len(other) and all(map(alike, one, other))
    return bool(one == other)


def kept(part: Part) -> dict[str, object]:
    """Return what a part has kept beside its ports."""
    ports = part.signature.members
    return {
        name: value
        for name, value in vars(part).items()
        if name not in ports and not name.startswith(OF_AMARANTH)
    }
