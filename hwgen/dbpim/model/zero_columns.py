"""How many bit planes of real inputs are all zero: what `input_bits` can skip."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from hwgen.dbpim.facts.arch import ACTIVATION_BITS, Arch
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.stream import decode_stream
from hwgen.dbpim.model.activity import tile_keys
from hwgen.dbpim.model.sources import Maps, ProgramStep, folded_maps, program_steps, tile_costs


class BitColumns(NamedTuple):
    """Bit planes of all groups of inputs of a layer: those that are all zero, and all."""

    zero: int
    total: int


class ColumnCounter:
    """Count the zero bit planes of one program's groups, one run at a time."""

    def __init__(self, program: Program, arch: Arch) -> None:
        # Counted also for a chip that skips nothing; the groups are those of its program.
        skips = replace(arch.sparsity, input_bits=True)
        self._arch = replace(arch, sparsity=skips, sparse_parts=True)
        self._folds = program.facts.folds
        self._steps = program_steps(decode_stream(program.image, arch)[1:], program.facts.steps)

    def count(self, maps: Maps) -> dict[str, BitColumns]:
        """Return the bit planes of each layer with weights, by name.

        maps: as for the cycle model. Of a group that is all zero, one plane is not counted as
        zero, because it takes a cycle.
        """
        found, maps = dict[str, BitColumns](), folded_maps(maps, self._folds)
        for step in self._steps:
            if step.tiles:
                before = found.get(step.plan.layer, BitColumns(0, 0))
                here = self._step(step, maps)
                found[step.plan.layer] = BitColumns(
                    before.zero + here.zero, before.total + here.total
                )
        return found

    def _step(self, step: ProgramStep, maps: Maps) -> BitColumns:
        """Return the bit planes of one step; a tile that is loaded again is counted once."""
        counted: set[tuple[int, int]] = set()
        zero = total = 0
        costs = tile_costs(step, maps, self._arch)
        for key, cost in zip(tile_keys(step.tiles), costs, strict=True):
            if key not in counted:
                counted.add(key)
                zero += ACTIVATION_BITS * cost.size - int(cost.sum(dtype=np.int64))
                total += ACTIVATION_BITS * cost.size
        return BitColumns(zero, total)
