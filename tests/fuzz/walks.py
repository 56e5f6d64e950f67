"""Random crossbar designs, each walked through its schedule; none is walked twice."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.verif.reference.crossbar.walk_designs import drawn

STATE = "walks.jsonl"


class Walked(NamedTuple):
    """A design that was walked.

    hazards: how many; sentence: the first one; kinds: of operation and state, how many of each
    images: of the stream; 0: the design cannot be built
    """

    design: int
    images: int
    hazards: int
    sentence: str
    kinds: dict[str, int]


def walked(design: int) -> Walked:
    """Draw a design and walk it."""
    one = drawn(design)
    if one is None:
        return Walked(design, 0, 0, "", {})
    found = one.hazards()
    kinds = Counter(f"{each.operation}: {each.what} {each.state}" for each in found)
    common = {" ".join(text.split()[:4]): number for text, number in kinds.most_common(4)}
    return Walked(design, one.images, len(found), found[0].sentence if found else "", common)


def walk_all(count: int, first: int, state: Path | None) -> Iterator[Walked]:
    """Yield `count` designs from `first` on; those in the file `state` are read, others added."""
    known: dict[int, Walked] = {}
    if state is not None and state.exists():
        lines = state.read_text(encoding="utf-8").splitlines()
        known = {one.design: one for one in (Walked(*json.loads(line)) for line in lines)}
    for design in range(first, first + count):
        if design in known:
            yield known[design]
            continue
        found = walked(design)
        if state is not None:
            with state.open("a", encoding="utf-8") as file:
                file.write(json.dumps(found) + "\n")
        yield found


def walk_designs(count: int, seed: int, keep: Path | None = None) -> int:
    """Walk designs, print what was found; 1 after a hazard. Those of a seed are always the same.

    keep: folder of the file of what was walked, with which a later run goes on
    """
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
    begin, counts, images = time.process_time(), Counter[str](), 0
    for one in walk_all(count, (seed - 1) * count, keep / STATE if keep else None):
        images += one.images
        if one.hazards:
            print(f"design {one.design}: {one.hazards} hazards: {one.sentence}")
        counts["cannot be built" if not one.images else "hazards" if one.hazards else "clean"] += 1
    for what, number in sorted(counts.items()):
        print(f"{number:6} walk: {what}")
    seconds = time.process_time() - begin
    print(f"{count} designs of seed {seed}, {images} images: {seconds:.0f} s of processor time")
    return 1 if counts["hazards"] else 0
