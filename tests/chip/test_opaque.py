"""Opaque records: the same fields in Python and in compiled functions, as one pointer."""

import pickle
from typing import NamedTuple

import numpy as np
import pytest

from hwgen.chip.compiled import compiled
from hwgen.chip.opaque import opaque
from hwgen.crossbar.model.tables import Grid, Ints


@opaque
class Inner(NamedTuple):
    """A record within a record."""

    counts: Ints


@opaque
class Outer(NamedTuple):
    """One field of each kind."""

    counts: Ints
    grid: Grid
    number: int
    share: float
    strict: bool
    inner: Inner


@compiled
def weigh(record: Outer) -> float:
    """Read every field."""
    total = record.counts.sum() + record.grid[1, 0] + record.number * record.share
    return float(total + record.inner.counts[0] + (1000 if record.strict else 0))


@compiled
def doubled(record: Outer) -> Outer:
    """Make a record."""
    inner = Inner(2 * record.inner.counts)
    return Outer(2 * record.counts, record.grid, 2 * record.number, 0.5, record.strict, inner)


@compiled
def fill(record: Outer, value: int) -> None:
    """Write into an array of a record."""
    record.counts[:] = value


def made() -> Outer:
    """A record made in Python, of a grid that is not in C order."""
    grid = np.arange(4.0).reshape(2, 2).T
    return Outer(np.arange(3), grid, 7, 2.0, strict=True, inner=Inner(np.array([5])))


@pytest.mark.promise("one process compiles the search, and nothing is compiled behind it")
def test_compiled_functions_read_what_python_made() -> None:
    assert weigh(made()) == 3 + 1 + 14 + 5 + 1000


def test_python_reads_what_a_compiled_function_made() -> None:
    found = doubled(made())
    assert list(found.counts) == [0, 2, 4] and list(found.inner.counts) == [10]
    assert (found.number, found.share, found.strict) == (14, 0.5, True)
    assert weigh(found) == 6 + 1 + 7 + 10 + 1000


def test_arrays_are_shared_and_replaced_ones_are_not() -> None:
    record = made()
    other = record._replace(counts=np.zeros(3, np.int64))
    fill(record, 9)
    assert list(record.counts) == [9, 9, 9] and list(other.counts) == [0, 0, 0]
    assert tuple(other)[2:5] == (7, 2.0, True)


def test_a_record_has_no_other_fields() -> None:
    with pytest.raises(AttributeError, match="weight"):
        made().weight  # type: ignore[attr-defined]  # noqa: B018
    with pytest.raises(TypeError):
        Outer(np.arange(3))  # type: ignore[call-arg]


def test_records_travel() -> None:
    """Between processes, also those that compiled functions have made."""
    record = doubled(made())
    travelled = pickle.loads(pickle.dumps(record))
    assert weigh(travelled) == weigh(record)
    assert np.array_equal(travelled.inner.counts, record.inner.counts)
