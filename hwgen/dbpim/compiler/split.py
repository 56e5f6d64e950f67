"""Split a step over the cores: G filter sets x S bands of position vectors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from hwgen.dbpim.compiler.grid import Grid, Rows
from hwgen.dbpim.compiler.groups import FilterGroup
from hwgen.dbpim.facts.arch import Arch


@dataclass(frozen=True, kw_only=True)
class Work:
    """What one core does in a step: vectors span[0] .. span[1] - 1 of the grid.

    words: channel words of a SIMD step, first and number; of a CONV step (0, 0)
    """

    span: Rows
    words: tuple[int, int] = (0, 0)

    @property
    def vectors(self) -> int:
        """Position vectors of the core."""
        return self.span[1] - self.span[0]


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which core computes what of a step.

    works: of each core; one without vectors is not active
    sets: filter groups of each set that has any, in order of use; core c is in set c mod G and has
        band c div G, so that cores of one band are neighbours and hold the same rows
    set_count: G
    chunk_vectors: position vectors of a core for which it holds partial sums; 0 of a SIMD step
    """

    works: tuple[Work, ...]
    sets: tuple[tuple[FilterGroup, ...], ...] = ()
    set_count: int = 1
    chunk_vectors: int = 0

    @cached_property
    def spans(self) -> tuple[Rows, ...]:
        """Position vectors of each core."""
        return tuple(work.span for work in self.works)

    @property
    def active_cores(self) -> int:
        """Cores that have vectors, one bit for each core."""
        return sum(1 << core for core, work in enumerate(self.works) if work.vectors)

    @property
    def cores_per_set(self) -> int:
        """Cores that divide the positions among them."""
        return sum(1 for work in self.works[:: self.set_count] if work.vectors)

    @cached_property
    def longest(self) -> int:
        """Position vectors of the busiest core."""
        return max(work.vectors for work in self.works)

    @property
    def chunks(self) -> int:
        """How often a filter group walks its tiles."""
        return -(-self.longest // self.chunk_vectors)

    def chunk_count(self, core: int, chunk: int) -> int:
        """Return the position vectors of a core in a chunk; 0 where it has no further chunk."""
        left = self.works[core].vectors - chunk * self.chunk_vectors
        return max(0, min(self.chunk_vectors, left))

    def cores(self, number: int, chunk: int) -> int:
        """Return the cores of set `number` that have vectors in a chunk, one bit for each core."""
        members = range(number, len(self.works), self.set_count)
        return sum(1 << core for core in members if self.chunk_count(core, chunk))


def conv_splits(groups: Sequence[FilterGroup], grid: Grid, arch: Arch) -> Iterator[Split]:
    """Yield every split in which each set has a filter group, the fewest sets first.

    With one stream for all cores they compute the same positions: one split, a set for each core.
    """
    single = all(len(group.tiles) == 1 for group in groups)
    # A pair has two entries of the partial sums for a position.
    chunk = arch.psum_vectors // max(group.results for group in groups)
    count = arch.cores if arch.shares_stream else 1
    while count <= arch.cores:
        cores_per_set = arch.cores // count
        if arch.shares_stream or count == 1 or count < 2 * len(groups):
            bands = spread_bands(grid, cores_per_set)
            sets = deal_in_waves(groups, count) if arch.shares_stream else deal(groups, count)
            works = tuple(
                Work(span=bands[core // count] if core % count < len(sets) else (0, 0))
                for core in range(arch.cores)
            )
            longest = max(work.vectors for work in works)
            yield Split(
                works=works,
                sets=sets,
                set_count=count,
                chunk_vectors=longest if single else chunk,
            )
        count *= 2


def simd_split(words: tuple[int, int], grid: Grid, arch: Arch) -> Split:
    """Return the split with the least work of the busiest core, of equal ones the most bands.

    Cores of one band divide its channel words.
    """
    first, count = words
    if arch.shares_stream:
        # The chip has one SIMD unit, beside the one buffer.
        rest = [Work(span=(0, 0))] * (arch.cores - 1)
        return Split(works=(Work(span=(0, grid.vectors), words=words), *rest))
    parts = 1

    def cost(parts: int) -> int:
        """Return the word-vectors of the busiest core with `parts` cores a band."""
        bands = min(arch.cores // parts, grid.vectors)
        return max(end - begin for begin, end in grid.bands(bands)) * -(-count // parts)

    candidates = [parts]
    while 2 * parts <= arch.cores:
        parts *= 2
        candidates.append(parts)
    parts = min(candidates, key=cost)
    bands = spread_bands(grid, arch.cores // parts)
    works = []
    for core in range(arch.cores):
        band, part = divmod(core, parts)
        begin, end = count * part // parts, count * (part + 1) // parts
        span = bands[band] if begin < end else (0, 0)
        works.append(Work(span=span, words=(first + begin, end - begin)))
    return Split(works=tuple(works))


def spread_bands(grid: Grid, count: int) -> list[Rows]:
    """Return the vectors of `count` cores; where these are fewer, bands lie at equal distances.

    So a core's band is within the rows that it has of larger maps.
    """
    bands = grid.bands(min(count, grid.vectors))
    spread = [(0, 0)] * count
    for number, band in enumerate(bands):
        spread[number * count // len(bands)] = band
    return spread


def deal(groups: Sequence[FilterGroup], sets: int) -> tuple[tuple[FilterGroup, ...], ...]:
    """Distribute groups over sets, the longest first, each to the set with the least work.

    Sets without a group are dropped (longest processing time first scheduling).
    """
    dealt: list[list[FilterGroup]] = [[] for _ in range(sets)]
    work = [0] * sets
    for group in sorted(groups, key=lambda group: -group.cycles):
        emptiest = work.index(min(work))
        dealt[emptiest].append(group)
        work[emptiest] += group.cycles
    return tuple(tuple(sorted(each, key=lambda group: group.index)) for each in dealt if each)


def deal_in_waves(groups: Sequence[FilterGroup], sets: int) -> tuple[tuple[FilterGroup, ...], ...]:
    """Distribute groups over sets so that the sets compute groups of similar size at a time."""
    ordered = sorted(groups, key=lambda group: -group.cycles)
    return tuple(tuple(ordered[number::sets]) for number in range(min(sets, len(groups))))
