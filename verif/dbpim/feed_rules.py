"""Rules for the events of fetcher and switch in each cycle, from the microarchitecture."""

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hwgen.dbpim.facts.timing import FETCH_CYCLES, FETCH_SLOTS

Place = tuple[int, int]
"""Bank and address of a word."""


@dataclass(frozen=True)
class Move:
    """What the switch does in one cycle: `count` inputs go to the places from `fill` upwards."""

    fill: int
    count: int
    release: bool
    push: bool


class SwitchRules:
    """Expects the number of inputs that move in each cycle; golden has their values."""

    def __init__(self, *, group_bytes: int, rate: int) -> None:
        self._group_bytes, self._rate = group_bytes, rate
        self._fill = 0
        self._moved = 0

    def cycle(self, selected: int | None, *, vector_end: bool, full: bool) -> Move | None:
        """Return the move of this cycle, if any.

        selected: inputs of the oldest word that its mask selects, None without a word
        vector_end: the word is its position vector's last; full: the queue takes nothing
        """
        if selected is None or full:
            return None
        count = min(self._rate, self._group_bytes - self._fill, selected - self._moved)
        release = self._moved + count == selected
        push = self._fill + count == self._group_bytes or (release and vector_end)
        move = Move(self._fill, count, release, push)
        self._moved = 0 if release else self._moved + count
        self._fill = 0 if push else self._fill + count
        return move


@dataclass(frozen=True)
class Fetch:
    """What the fetcher does in one cycle: the address that each bank reads, if any.

    empty: no word is inside at the beginning of the cycle
    begins: a word takes a slot; full: one waits for a slot
    """

    reads: dict[int, int]
    ready: bool
    word_valid: bool
    empty: bool
    begins: bool
    full: bool


class FetchRules:
    """Expects reads, `ready`, `word_valid` and `empty` of each cycle."""

    def __init__(self) -> None:
        self._waiting: list[Place] | None = None
        self._visible_from: deque[int] = deque()

    def cycle(
        self,
        now: int,
        needed: Sequence[Place] | None,
        *,
        release: bool,
        others: Collection[int] = (),
    ) -> Fetch:
        """Return what cycle `now` must show.

        needed: the word's places in the order of the macros, None without a request
        release: the oldest word leaves when there is one
        others: banks that another unit reads
        """
        word_valid = bool(self._visible_from) and self._visible_from[0] <= now
        occupied = len(self._visible_from) + (self._waiting is not None)
        reads: dict[int, int] = {}
        ready = False
        fresh = needed is not None and self._waiting is None
        full = fresh and occupied >= FETCH_SLOTS
        if needed is not None and not full:
            waiting = list(needed) if self._waiting is None else self._waiting
            for bank, address in waiting:
                if bank not in others:
                    reads.setdefault(bank, address)
            waiting = [place for place in waiting if reads.get(place[0]) != place[1]]
            ready = not waiting
            self._waiting = waiting or None
            if ready:
                self._visible_from.append(now + FETCH_CYCLES)
        if word_valid and release:
            self._visible_from.popleft()
        begins = fresh and not full
        return Fetch(reads, ready, word_valid, empty=occupied == 0, begins=begins, full=full)
