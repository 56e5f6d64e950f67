"""Where the maps lie: each in the lowest gap that is free while it is needed (first fit)."""

from collections.abc import Sequence

from hwgen.dbpim.compiler.steps import Step, Tensor
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import Opcode, field_bits, field_limit
from hwgen.errors import CompileError

MAP_LIMIT = field_limit(Opcode.CONV, "input_height")
"""Stored rows, stored columns and channel words of a map at most."""

WORDS_LIMIT = 1 << field_bits(Opcode.CONV, "input_base")
"""Words of a bank that maps may take."""


class UnitError(CompileError):
    """A unit cannot run; one that is cut in another way perhaps can."""


class FullError(UnitError):
    """A map does not fit: the step that writes it first, and its name."""

    def __init__(self, step: int, tensor: Tensor, free: int, available: int) -> None:
        super().__init__(
            f"layer {tensor.shape.name}: its map must fit the activation buffer, got"
            f" {tensor.words} words a bank where {free} of {available} are free in one piece"
        )
        self.step, self.tensor = step, tensor


def lifetimes(steps: Sequence[Step]) -> dict[Tensor, tuple[int, int]]:
    """Return the first and the last step of each map."""
    found: dict[Tensor, tuple[int, int]] = {}
    for number, step in enumerate(steps):
        for tensor in (*step.inputs, *([step.output] if step.output else [])):
            found[tensor] = (found.get(tensor, (number, number))[0], number)
    return found


def allocate(steps: Sequence[Step], arch: Arch) -> None:
    """Set the base of every map; FullError for the first one that does not fit.

    Maps are placed in the order of their first step; where that fails, the largest first.
    """
    lives = lifetimes(steps)
    try:
        place_all(list(lives), lives, arch)
    except FullError:
        largest = sorted(lives, key=lambda tensor: -tensor.words)
        try:
            place_all(largest, lives, arch)
        except FullError:
            place_all(list(lives), lives, arch)


def place_all(order: Sequence[Tensor], lives: dict[Tensor, tuple[int, int]], arch: Arch) -> None:
    """Place maps one after the other."""
    placed: list[Tensor] = []
    for tensor in order:
        first, last = lives[tensor]
        check_size(tensor)
        alive = [other for other in placed if lives[other][0] <= last and first <= lives[other][1]]
        tensor.base = lowest_gap(tensor, alive, first, arch)
        placed.append(tensor)


def lowest_gap(tensor: Tensor, alive: list[Tensor], step: int, arch: Arch) -> int:
    """Return the lowest base at which a map overlaps none of the others."""
    available = available_words(arch)
    words, base, largest = tensor.words, 0, 0
    for other in sorted(alive, key=lambda other: other.base):
        gap = other.base - base
        if gap >= words:
            return base
        base, largest = max(base, other.base + other.words), max(largest, gap)
    gap = available - base
    if gap < words:
        raise FullError(step, tensor, max(largest, gap), available)
    return base


def available_words(arch: Arch) -> int:
    """Return the words of a bank in which maps may lie."""
    return min(arch.bank_words, WORDS_LIMIT)


def check_size(tensor: Tensor) -> None:
    """Refuse a map that the fields of an instruction cannot describe."""
    shape, images = tensor.shape, tensor.images[0] - tensor.origin + tensor.images[1]
    sizes = {
        "stored rows": max(shape.height, (images - 1) * tensor.image_rows + shape.height),
        "stored columns": max(shape.width, images * tensor.image_columns),
        "channel words": tensor.channel_words,
    }
    for what, size in sizes.items():
        if size > MAP_LIMIT:
            raise CompileError(
                f"layer {shape.name}: {what} must be at most {MAP_LIMIT}, got {size}"
            )
