"""The order in which the tiles of a layer stand in the stream.

Tests: `tests/dbpim/compiler/test_unstored.py`.
"""

from dataclasses import dataclass

from hwgen.dbpim.compiler.groups import FilterGroup
from hwgen.dbpim.compiler.split import Split
from hwgen.dbpim.facts.arch import Arch


@dataclass(frozen=True, kw_only=True)
class Load:
    """One tile packet.

    number: of the tile within its group; cores: one bit for each core
    turn: rotation of positions over macros; constant in a chunk, so that partial sums stay in place
    last_group: the set has no further group in this layer
    needed: cycle of the layer in which its set starts it, by the compiler's estimate; with one
        stream for all cores, its number in the set
    """

    group: FilterGroup
    number: int
    chunk: int
    cores: int
    turn: int
    last_group: bool
    needed: int


def stream_order(split: Split, arch: Arch) -> list[Load]:
    """Return the loads of all sets by time of need; the order within a set stays."""
    loads = [load for number in range(len(split.sets)) for load in loads_of(number, split, arch)]
    return sorted(loads, key=lambda load: load.needed)


def loads_of(number: int, split: Split, arch: Arch) -> list[Load]:
    """Return the loads of one set in order of use: for each group, chunk, tile."""
    groups = split.sets[number]
    loads, now = [], 0
    cores = range(number, arch.cores, split.set_count)
    chunks = [
        (split.cores(number, chunk), max(split.chunk_count(core, chunk) for core in cores))
        for chunk in range(split.chunks)
    ]
    for order, group in enumerate(groups):
        for chunk, (members, vectors) in enumerate(chunks):
            for tile, weights in enumerate(group.tiles):
                loads.append(
                    Load(
                        group=group,
                        number=tile,
                        chunk=chunk,
                        cores=members,
                        turn=(order + chunk) % arch.macros_per_core,
                        last_group=group is groups[-1],
                        needed=now,
                    )
                )
                # Cores of one stream need their tiles at the same time.
                now += 1 if arch.shares_stream else weights.cycles * vectors
    return loads
