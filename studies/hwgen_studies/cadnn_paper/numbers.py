"""What stands beside the numbers of documents 001 and 004."""

from hwgen.mram.facts.arch import load_arch
from hwgen_studies.cadnn_paper.report import AdaptivePaperReport
from hwgen_studies.cadnn_paper.rows import ARCHITECTURE
from hwgen_studies.numbers import Ours, constant, named, ours_of

TRAINED = Ours(value=None, reason="", weights="trained")
BITS_A_MB = 1 << 20
NANOMETRES = 45.0
"""Of the table of energies."""


def ours(report: AdaptivePaperReport) -> dict[str, Ours]:
    """Return the rows of a report by name, and what the chip's file says."""
    arch = load_arch(ARCHITECTURE)
    clock = f"{report.clock_mhz:.0f} MHz"
    counted = Ours(value=None, reason="", weights="drawn", cycles="modelled", clock=clock)
    like = dict.fromkeys(("Table I", "Table III", "Table IV"), TRAINED) | {"Section V-B": counted}
    like["Section V-C"] = TRAINED
    found = ours_of(report.rows, like)
    cells = arch.sub_arrays * arch.array.rows * arch.array.columns
    facts = {
        "capacity": cells / BITS_A_MB,
        "rows of a sub-array": arch.array.rows,
        "columns of a sub-array": arch.array.columns,
        "technology": NANOMETRES,
    }
    return found | {named("configuration", what): constant(value) for what, value in facts.items()}
