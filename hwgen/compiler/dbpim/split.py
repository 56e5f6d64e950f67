"""Split a layer over the cores: G filter sets x S position shares."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hwgen.compiler.dbpim.effort import group_cycles
from hwgen.compiler.dbpim.groups import FilterGroup
from hwgen.spec.dbpim.arch import Arch


@dataclass(frozen=True, kw_only=True)
class Split:
    """Who computes what of a layer.

    sets: the filter groups of each set that has any, in order of use
    share: cores of a set; each has its own positions
    positions: output positions; position vectors: M neighbours of them, the last may have fewer
    chunk_vectors: position vectors of a core for which it holds partial sums
    """

    sets: tuple[tuple[FilterGroup, ...], ...]
    share: int
    positions: int
    vectors: int
    chunk_vectors: int

    def count(self, share: int) -> int:
        """Return the position vectors of one share: they differ by one at most."""
        return self.vectors // self.share + (share < self.vectors % self.share)

    @property
    def chunks(self) -> int:
        """How often a filter group walks its tiles."""
        return -(-self.count(0) // self.chunk_vectors)

    def chunk_count(self, share: int, chunk: int) -> int:
        """Return the position vectors of a share in a chunk; 0 where it has no further chunk."""
        return max(0, min(self.chunk_vectors, self.count(share) - chunk * self.chunk_vectors))

    def cores(self, number: int, chunk: int) -> int:
        """Return the cores of a set that have position vectors in a chunk, one bit each."""
        bits = sum(1 << s for s in range(self.share) if self.chunk_count(s, chunk))
        return bits << number * self.share

    @property
    def active_cores(self) -> int:
        """Cores of all sets that have filter groups, one bit each."""
        return (1 << len(self.sets) * self.share) - 1


def candidates(groups: Sequence[FilterGroup], positions: int, arch: Arch) -> Iterator[Split]:
    """Yield every split in which no active core is without a vector, the largest share first."""
    vectors = -(-positions // arch.macros_per_core)
    share = arch.cores
    while share:
        if share <= vectors:
            count = -(-vectors // share)
            single = all(len(group.tiles) == 1 for group in groups)
            yield Split(
                sets=deal(groups, arch.cores // share, arch),
                share=share,
                positions=positions,
                vectors=vectors,
                chunk_vectors=count if single else arch.psum_vectors,
            )
        share //= 2


def deal(
    groups: Sequence[FilterGroup], sets: int, arch: Arch
) -> tuple[tuple[FilterGroup, ...], ...]:
    """Give the longest group first to the set with the least work; drop sets without any."""
    hands: list[list[FilterGroup]] = [[] for _ in range(sets)]
    work = [0] * sets
    efforts = {group.index: group_cycles(group, arch) for group in groups}
    for group in sorted(groups, key=lambda group: -efforts[group.index]):
        emptiest = work.index(min(work))
        hands[emptiest].append(group)
        work[emptiest] += efforts[group.index]
    return tuple(tuple(sorted(hand, key=lambda group: group.index)) for hand in hands if hand)
