"""How a host has a chip write on: which tokens a call takes, and which of them turn out right.

Tests: `tests/commands/test_writing_on.py`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

ORDERS = (4, 3, 2)
"""Tokens of a context that drafts look at, the longest first."""
MOST_CONTEXTS = 50_000
"""Of a table of drafts: those whose likeliest next token a text has most often."""
LEAST_SEEN = 2
"""Times that a text has the likeliest next token of a context."""

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Turn:
    """A call: its first position, its tokens, and how many of them turned out right.

    known: tokens that stand in the text before the call; those behind them are drafts
    written: tokens that it adds to the text; again: it reads again what a full context had
    """

    position: int
    tokens: Sequence[int]
    known: int
    right: int
    written: int
    again: bool


@dataclass(frozen=True)
class Drafts:
    """What probably comes next: of contexts of some tokens the one that follows them most often."""

    table: Mapping[tuple[int, ...], int]

    def after(self, tokens: Sequence[int], count: int) -> list[int]:
        """Return up to `count` tokens that probably follow; the longest known context decides."""
        seen = list(tokens[-max(ORDERS) :])
        for _ in range(count):
            contexts = (tuple(seen[-order:]) for order in ORDERS)
            found = next((self.table[each] for each in contexts if each in self.table), None)
            if found is None:
                break
            seen.append(found)
        return seen[len(tokens[-max(ORDERS) :]) :]


NO_DRAFTS = Drafts({})


def drafts_of(texts: Iterable[Ints], tokens: int) -> Drafts:
    """Return the drafts that texts teach; texts: numbers of tokens below `tokens`, -1: unknown."""
    parts = list(texts)
    found: list[tuple[int, tuple[int, ...], int]] = []
    for order in ORDERS:
        if tokens ** (order + 1) >= 1 << 63:
            continue
        places = tokens ** np.arange(order, -1, -1, dtype=np.int64)
        rows = [
            np.lib.stride_tricks.sliding_window_view(np.append(each, -1), order + 1)
            for each in parts
            if len(each) > order
        ]
        keys = [(each[(each >= 0).all(axis=1)] * places).sum(axis=1) for each in rows]
        values, counts = np.unique(
            np.concatenate([*keys, np.empty(0, np.int64)]), return_counts=True
        )
        # The last of a context, sorted by their counts, is its likeliest.
        ranked = np.lexsort((-values, counts, values // tokens))
        values, counts = values[ranked], counts[ranked]
        contexts = values // tokens
        best = np.append(contexts[1:] != contexts[:-1], True) & (counts >= LEAST_SEEN)
        most = np.argsort(-counts[best], kind="stable")[:MOST_CONTEXTS]
        for value, count in zip(
            values[best][most].tolist(), counts[best][most].tolist(), strict=True
        ):
            digits = tuple(int(value // place % tokens) for place in places.tolist())
            found.append((count, digits[:-1], digits[-1]))
    found.sort(key=lambda each: -each[0])
    return Drafts({context: token for _, context, token in found[:MOST_CONTEXTS]})


def write_on(
    codes: Sequence[int],
    count: int,
    *,
    step: Callable[[Sequence[int], int], Any],
    choose: Callable[[Any], int],
    context: int | None,
    at_once: int,
    drafts: Drafts = NO_DRAFTS,
    ends: Set[int] = frozenset(),
) -> tuple[list[int], list[Turn]]:
    """Return `count` tokens behind `codes`, or those up to an end, and the calls that write them.

    step: returns the answer to each of up to `at_once` tokens, the first of them at a position
    choose: returns the token that an answer stands for; once for each that is written, in turn
    ends: tokens that end a text
    context: positions; a full one is left: its last half is read again; None: any number
    A draft counts where it is what `choose` returns, so that the tokens do not depend on drafts,
    nor on `at_once`. In the last places of a context, where `at_once` do not fit, one is taken.
    """
    codes = list(codes)
    begin, end = len(codes), len(codes) + count
    base = place = 0
    turns: list[Turn] = []
    while len(codes) < end and (len(codes) == begin or codes[-1] not in ends):
        if context is not None and len(codes) - base > context:
            base, place = len(codes) - max(1, context // 2), 0
        several = context is None or place + at_once <= context
        given = codes[base + place :][: at_once if several else 1]
        known = len(given)
        if several and base + place + known == len(codes):
            given += drafts.after(codes, min(at_once, end - len(codes)) - known)
        answers = step(given, place)
        right, before = known, len(codes)
        if base + place + known == before:
            for right in range(known, len(given) + 1):
                codes.append(choose(answers[right - 1]))
                if len(codes) == end or codes[-1] in ends:
                    break
                if right == len(given) or given[right] != codes[-1]:
                    break
        again = base > 0 and begin < before > base + place + known
        turns.append(Turn(place, given, known, right, len(codes) - before, again))
        place += right
    return codes[begin:], turns


def chosen(
    logits: Reals,
    temperature: float,
    rng: np.random.Generator,
    *,
    top_k: int | None = None,
    top_p: float = 1.0,
) -> int:
    """Return the number of a drawn token; each draw takes one number of the generator.

    top_k: of the likeliest so many alone; top_p: of the likeliest that together have this share
    """
    drawn = rng.random()
    if temperature == 0:
        return int(logits.argmax())
    shares = np.exp((logits - logits.max()) / temperature)
    shares /= shares.sum()
    ranked = np.argsort(-shares, kind="stable")
    before = np.cumsum(shares[ranked]) - shares[ranked]
    if top_k is not None:
        shares[ranked[top_k:]] = 0
    shares[ranked[before >= top_p]] = 0
    together = np.cumsum(shares)
    last = int(np.flatnonzero(shares)[-1])
    return min(int(np.searchsorted(together / together[-1], drawn, side="right")), last)
