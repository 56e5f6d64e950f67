"""Steps that the bench of `simd` runs, by name."""

from dataclasses import dataclass

from hwgen.dbpim.facts.instructions import Operation


@dataclass(frozen=True, kw_only=True)
class Case:
    """One step, of `words` channel words of `vectors` position vectors each.

    extreme: all inputs are 255 or 0, weights -128 or 127, M and shift the largest or smallest
    """

    operation: Operation
    kernel: tuple[int, int] = (1, 1)
    words: int = 2
    vectors: int = 3
    planes: bool = False
    sums: bool = False
    extreme: bool = False

    @property
    def taps(self) -> int:
        """Word-vectors of a result."""
        two = self.operation in (Operation.ADD, Operation.MULTIPLY)
        return 2 if two else self.kernel[0] * self.kernel[1]


CASES = {
    "maximum": Case(operation=Operation.MAXIMUM, kernel=(3, 3)),
    "maximum_of_one": Case(operation=Operation.MAXIMUM, vectors=8),
    "sum": Case(operation=Operation.SUM, kernel=(2, 3)),
    "sum_of_one": Case(operation=Operation.SUM, vectors=6),
    "sum_extreme": Case(operation=Operation.SUM, kernel=(5, 5), extreme=True),
    "planes": Case(operation=Operation.SUM, kernel=(2, 3), planes=True),
    "three_bytes": Case(operation=Operation.SUM, kernel=(3, 2), sums=True),
    "three_bytes_of_one": Case(operation=Operation.SUM, sums=True, vectors=5),
    "three_bytes_extreme": Case(operation=Operation.SUM, kernel=(9, 4), sums=True, extreme=True),
    "depthwise": Case(operation=Operation.DEPTHWISE, kernel=(3, 3), words=5),
    "depthwise_of_one": Case(operation=Operation.DEPTHWISE, words=7, vectors=1),
    "depthwise_extreme": Case(operation=Operation.DEPTHWISE, kernel=(4, 8), words=2, extreme=True),
    "add": Case(operation=Operation.ADD, vectors=8),
    "add_extreme": Case(operation=Operation.ADD, extreme=True),
    "multiply": Case(operation=Operation.MULTIPLY, vectors=8),
    "multiply_extreme": Case(operation=Operation.MULTIPLY, extreme=True),
    "table": Case(operation=Operation.TABLE, vectors=6),
}
