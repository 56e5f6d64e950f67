"""Runs all proofs, or those with a word in their name, and prints a row for each."""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import NamedTuple

from verif.cpu import cpu_seconds
from verif.formal.proof import Answer, Proof
from verif.formal.registry import LARGE, PROOFS

PROCESSES = 2


class Row(NamedTuple):
    """What was found about a part: whether its properties hold, and break with its fault."""

    name: str
    proof: Proof
    holds: Answer
    refuted: Answer
    seconds: float

    @property
    def right(self) -> bool:
        """Return whether the part is proved and its fault is refuted."""
        return (self.holds, self.refuted) == (Answer.HOLDS, Answer.REFUTED)


def row(name: str) -> tuple[Answer, Answer, float]:
    """Prove one part and refute its fault; return both answers and the processor seconds."""
    begin = cpu_seconds()
    proof = PROOFS[name]()
    return proof.holds(), proof.refutes(), cpu_seconds() - begin


def main(words: Sequence[str]) -> int:
    """Print a table; return 1 if a part is not proved or a fault not refuted."""
    chosen = [name for name in PROOFS if not words or any(word in name for word in words)]
    # The long ones first: then both processes end at the same time.
    chosen.sort(key=lambda name: name not in LARGE)
    print(f"{'part':<24} {'size':<34} {'method':<14} {'cycles':>6} {'CPU s':>6} holds   fault")
    wrong = 0
    with ProcessPoolExecutor(PROCESSES) as pool:
        for name, found in zip(chosen, pool.map(row, chosen), strict=True):
            one = Row(name, PROOFS[name](), *found)
            wrong += not one.right
            method = one.proof.method
            print(
                f"{name:<24} {one.proof.size:<34} {method.kind:<14} {method.cycles or '-':>6}"
                f" {one.seconds:>6.1f} {one.holds.value:<7} {one.refuted.value}",
                flush=True,
            )
    print(f"{len(chosen)} proofs, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
