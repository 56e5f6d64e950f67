"""All proofs by their names."""

from collections.abc import Callable

from verif.formal.crossbar import CROSSBAR
from verif.formal.dbpim import DBPIM
from verif.formal.proof import Proof
from verif.formal.shared_parts import SHARED
from verif.formal.shell import shell

PROOFS: dict[str, Callable[[], Proof]] = {
    make.__name__: make for make in [*SHARED, shell, *DBPIM, *CROSSBAR]
}
"""What makes each proof; its docstring says what is proved, at what size, by which method."""
LARGE = frozenset(
    {
        "adder_tree_expression",
        "adder_tree_named_adders",
        "fifo_of_beats",
        "requantizer_float32",
        "result_collector",
    }
)
"""Those that take seconds; the others run with every test."""
