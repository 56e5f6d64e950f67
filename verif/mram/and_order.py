"""The rule of the order of ANDs of a load, written from the microarchitecture."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class And:
    """One AND: weight plane n and input plane m of a row set, and what becomes of its counts."""

    row_set: int
    n: int
    m: int
    first: bool
    double: bool
    subtract: bool


def and_order(
    *, weight_planes: int, input_planes: int, row_sets: int, twins: bool = False
) -> Iterator[And]:
    """Yield the ANDs of a load: falling n + m, then row sets, then rising n.

    twins: of the second row set; each second plane from the lowest on, then the highest one, which
    counts negative: the one between is the twin's
    """
    highest = weight_planes + input_planes - 2
    for degree in range(highest, -1, -1):
        pairs = [
            (row_set, n, degree - n)
            for row_set in range(row_sets)
            for n in range(weight_planes)
            if 0 <= degree - n < input_planes
            and not (twins and row_set and is_of_twin(n, degree, weight_planes, input_planes))
        ]
        for place, (row_set, n, m) in enumerate(pairs):
            yield And(
                row_set=row_set,
                n=n,
                m=m,
                first=degree == highest and place == 0,
                double=degree != highest and place == 0,
                subtract=n == weight_planes - 1,
            )


def is_of_twin(n: int, degree: int, weight_planes: int, input_planes: int) -> bool:
    """Return whether the twin computes weight plane n of a degree beside the plane below."""
    lowest = max(0, degree - input_planes + 1)
    return n < weight_planes - 1 and (n - lowest) % 2 == 1


def rows_of(operation: And, fields: Mapping[str, int], weight_rows: int) -> tuple[int, int]:
    """Return the two rows of an AND of a record."""
    base = fields["weight_row_1" if operation.row_set else "weight_row_0"]
    plane = operation.row_set * fields["input_planes"] + operation.m
    return base + operation.n, weight_rows + plane
