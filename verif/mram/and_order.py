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


def and_order(*, weight_planes: int, input_planes: int, row_sets: int) -> Iterator[And]:
    """Yield the ANDs of a load: falling n + m, then row sets, then rising n."""
    highest = weight_planes + input_planes - 2
    for degree in range(highest, -1, -1):
        pairs = [
            (row_set, n, degree - n)
            for row_set in range(row_sets)
            for n in range(weight_planes)
            if 0 <= degree - n < input_planes
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


def rows_of(operation: And, fields: Mapping[str, int], weight_rows: int) -> tuple[int, int]:
    """Return the two rows of an AND of a record."""
    base = fields["weight_row_1" if operation.row_set else "weight_row_0"]
    plane = operation.row_set * fields["input_planes"] + operation.m
    return base + operation.n, weight_rows + plane
