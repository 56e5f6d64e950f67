"""Split a layer over the cores: G filter sets x S cores, which take position vectors in turns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hwgen.compiler.dbpim.groups import FilterGroup
from hwgen.spec.dbpim.arch import Arch


@dataclass(frozen=True, kw_only=True)
class Split:
    """Which core computes what of a layer.

    sets: the filter groups of each set that has any, in order of use
    cores_per_set: S; the cores of a set compute the same filters at different positions
    positions: output positions of the layer
    vectors: position vectors of M neighbours (M = macros_per_core); the last may have fewer
    chunk_vectors: position vectors of a core for which it holds partial sums
    """

    sets: tuple[tuple[FilterGroup, ...], ...]
    cores_per_set: int
    positions: int
    vectors: int
    chunk_vectors: int

    def count(self, core_in_set: int) -> int:
        """Return the position vectors of one core of a set: they differ by one at most."""
        size = self.cores_per_set
        return self.vectors // size + (core_in_set < self.vectors % size)

    @property
    def chunks(self) -> int:
        """How often a filter group walks its tiles."""
        return -(-self.count(0) // self.chunk_vectors)

    def chunk_count(self, core_in_set: int, chunk: int) -> int:
        """Return the position vectors of a core in a chunk; 0 where it has no further chunk."""
        left = self.count(core_in_set) - chunk * self.chunk_vectors
        return max(0, min(self.chunk_vectors, left))

    def cores(self, number: int, chunk: int) -> int:
        """Return the cores of set `number` that have vectors in a chunk, one bit for each core."""
        bits = sum(1 << core for core in range(self.cores_per_set) if self.chunk_count(core, chunk))
        return bits << number * self.cores_per_set

    @property
    def active_cores(self) -> int:
        """Cores of all sets that have filter groups, one bit for each core."""
        return (1 << len(self.sets) * self.cores_per_set) - 1


def candidates(groups: Sequence[FilterGroup], positions: int, arch: Arch) -> Iterator[Split]:
    """Yield every split in which each active core has a vector, the fewest sets first."""
    vectors = -(-positions // arch.macros_per_core)
    single = all(len(group.tiles) == 1 for group in groups)
    cores_per_set = arch.cores
    while cores_per_set:
        if cores_per_set <= vectors:
            yield Split(
                sets=deal(groups, arch.cores // cores_per_set, arch),
                cores_per_set=cores_per_set,
                positions=positions,
                vectors=vectors,
                chunk_vectors=-(-vectors // cores_per_set) if single else arch.psum_vectors,
            )
        cores_per_set //= 2


def deal(
    groups: Sequence[FilterGroup], sets: int, arch: Arch
) -> tuple[tuple[FilterGroup, ...], ...]:
    """Distribute groups over sets, the longest first, each to the set with the least work.

    Sets without a group are dropped (longest processing time first scheduling).
    """
    dealt: list[list[FilterGroup]] = [[] for _ in range(sets)]
    work = [0] * sets
    cycles = {group.index: group.cycles(arch) for group in groups}
    for group in sorted(groups, key=lambda group: -cycles[group.index]):
        emptiest = work.index(min(work))
        dealt[emptiest].append(group)
        work[emptiest] += cycles[group.index]
    return tuple(tuple(sorted(each, key=lambda group: group.index)) for each in dealt if each)
