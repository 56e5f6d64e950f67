"""Reference of `hwgen.rtl.dbpim.compartment`: one input bit against the active row of cells."""

import numpy as np
from numpy.typing import NDArray

from golden.dbpim.dbmu import Bits, dbmu


def compartment(cells: NDArray[np.uint8], *, row: int, x: int) -> tuple[Bits, Bits]:
    """Return hi and lo of every cell column; cells: Q, (rows, cell columns)."""
    return dbmu(x, cells[row])
