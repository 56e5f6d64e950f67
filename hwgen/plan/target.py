"""What pieces are made for: a chip, whose own compiler says what it takes, or golden alone.

Tests: `tests/plan/test_cut.py`.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hwgen.chip.protocols import Architecture
from hwgen.errors import HwgenError, RefusedNodesError
from hwgen.network import QuantizedNetwork

LAYER = re.compile(r"layer ([^\s:]+)")
"""How a compiler names a layer in what it refuses."""
GOLDEN = "golden"
"""Names no chip: pieces are what golden computes."""
EXACT = "float32"
"""The rounding of a chip that answers as the runtimes do."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why a network is not taken, and the layers that the sentences name."""

    sentence: str
    layers: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A chip; without an architecture golden.

    compiled: compiles a network for the chip, as its family does
    """

    arch: Architecture | None = None
    compiled: Callable[[QuantizedNetwork], object] | None = None

    @property
    def name(self) -> str:
        """The name of the chip."""
        return GOLDEN if self.arch is None else self.arch.name

    @property
    def is_exact(self) -> bool:
        """Whether pieces can round as the runtime does; else they round half up."""
        return self.arch is None or EXACT in getattr(self.arch, "rounding", ())

    def refused(self, network: QuantizedNetwork) -> Refused | None:
        """Return why the family's compiler does not take a network; None: it does."""
        if self.compiled is None:
            return None
        try:
            self.compiled(network)
        except RefusedNodesError as error:
            return refused_for(error.sentences)
        except HwgenError as error:
            return refused_for([str(error)])
        return None


def refused_for(sentences: Iterable[str]) -> Refused:
    """Return a refusal for some sentences."""
    told = list(sentences)
    layers = {found for each in told for found in LAYER.findall(each)}
    return Refused(sentence=told[0], layers=frozenset(layers))
