"""Reference of `hwgen.dbpim.rtl.ppu`: shift and add over bit planes, rows and tiles."""

from collections.abc import Iterable


def ppu(steps: Iterable[tuple[int, int]], *, start: int = 0) -> int:
    """Return start + the sum of (tree sum << bit) over `steps` of (bit, tree sum), as int32.

    start: 0, or the partial sum of the tile before. A sum beyond int32 wraps, so that adding the
    bias later can bring it back into range.
    """
    total = start + sum(tree_sum << bit for bit, tree_sum in steps)
    return (total + (1 << 31)) % (1 << 32) - (1 << 31)
