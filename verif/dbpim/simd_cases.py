"""Steps that the bench of `simd` runs, by name."""

from dataclasses import dataclass

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import PRODUCTS, TWO_MAPS, Operation


@dataclass(frozen=True, kw_only=True)
class Case:
    """One step, of `words` channel words of `vectors` position vectors each.

    held: words of map a that a result of a product reads
    extreme: all inputs are 255 or 0, weights -128 or 127, M and shift the largest or smallest
    """

    operation: Operation
    kernel: tuple[int, int] = (1, 1)
    words: int = 2
    vectors: int = 3
    planes: bool = False
    sums: bool = False
    held: int = 0
    extreme: bool = False

    def taps(self, channels: int) -> int:
        """Return the word-vectors of a result, where a word has so many channels."""
        if self.operation in PRODUCTS:
            return self.held * (1 + channels)
        return 2 if self.operation in TWO_MAPS else self.kernel[0] * self.kernel[1]


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

SCORES, VALUES = PRODUCTS
PRODUCT_CASES = {
    "scores": Case(operation=SCORES, held=2),
    "scores_of_one": Case(operation=SCORES, held=1, words=3, vectors=4),
    "scores_extreme": Case(operation=SCORES, held=5, words=1, extreme=True),
    "values": Case(operation=VALUES, held=2),
    "values_of_one": Case(operation=VALUES, held=1, words=3, vectors=4),
    "values_extreme": Case(operation=VALUES, held=5, words=1, extreme=True),
}


TFLITE_CASES = {
    "squares": Case(operation=Operation.SQUARES, words=4, vectors=8),
    "squares_extreme": Case(operation=Operation.SQUARES, extreme=True),
}


def cases_of(arch: Arch) -> dict[str, Case]:
    """Return the steps that a chip can run."""
    products = PRODUCT_CASES if arch.row_unit else {}
    return CASES | products | (TFLITE_CASES if arch.simd_tflite else {})
