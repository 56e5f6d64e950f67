"""The solution of a relaxed problem: what shares of which choices, and what that exceeds."""

import numpy as np

from hwgen.crossbar.model.tables import Floats, Ints, Tables
from hwgen.crossbar.synthesis.boxes import Box
from hwgen.crossbar.synthesis.choices import Choices
from hwgen.crossbar.synthesis.cuts import Cut
from hwgen.crossbar.synthesis.limits import ALONE, Limits, conditional, path_of
from hwgen.crossbar.synthesis.pairs import Turns, busy_steps


class Mixed:
    """A mixture of columns: choices alone, and of two layers that share macros.

    choices: those that have a share, and no others; shares: of each
    pairs: the share of each pair of layers
    """

    def __init__(
        self,
        tables: Tables,
        box: Box,
        choices: Choices,
        turns: Turns,
        own: Ints,
        mate: Ints,
        shares: Floats,
    ) -> None:
        self.tables, self.box = tables, box
        kept = np.unique(np.concatenate((own, mate[mate != ALONE])))
        begin = np.searchsorted(kept, choices.begin)
        arrays = {name: getattr(choices, name)[kept] for name in choices._fields[1:]}
        self.choices = Choices(begin=begin, **arrays)
        self.turns = turns
        self._limits = Limits(self.choices, turns.near, busy_steps(tables, self.choices))
        self._own = np.searchsorted(kept, own)
        self._mate = np.where(mate == ALONE, ALONE, np.searchsorted(kept, mate))
        self._columns = shares
        self.shares = np.zeros(len(kept))
        self.pairs: dict[tuple[int, int], float] = {}
        layer_of = self._limits.layer_of
        for c, d, share in zip(self._own, self._mate, shares, strict=True):
            self.shares[c] += share
            if d != ALONE:
                self.shares[d] += share
                pair = int(layer_of[c]), int(layer_of[d])
                self.pairs[pair] = self.pairs.get(pair, 0.0) + float(share)

    def span(self, i: int) -> slice:
        """Return the place of the choices of layer i."""
        return slice(int(self.choices.begin[i]), int(self.choices.begin[i + 1]))

    def condition(self, cut: Cut, share: float) -> Cut:
        """Return a path that counts where a condition holds, in so large a share of the mixture."""
        args = self.tables, self.choices, self.shares, cut, share
        return cut._replace(reach=conditional(*args))

    def excess_of(self, cut: Cut) -> float:
        """Return by how much the mixture exceeds the limit of a path, as a share of all steps."""
        path = path_of(self.tables, self.box, self.choices, cut)
        used = self._limits.used_by(path.use, self._own, self._mate)
        return float((used * self._columns).sum() - path.high)
