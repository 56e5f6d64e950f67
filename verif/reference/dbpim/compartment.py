"""Reference of `hwgen.dbpim.rtl.compartment`: one input bit against the active row of weights."""

from golden.dbpim.dbmu import Ints, dbmu, dense_dbmu


def compartment(cells: Ints, *, row: int, x: int) -> Ints:
    """Return the term of each filter; cells: values, (rows, filters, 2), 0 where disabled."""
    return dbmu(x, cells[row])


def dense_compartment(weights: Ints, *, row: int, x: int, bits: int = 8) -> Ints:
    """Return the same for weights of so many bits, (rows, filters), 0 where disabled."""
    return dense_dbmu(x, weights[row], bits=bits)
