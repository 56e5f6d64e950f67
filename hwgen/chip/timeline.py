"""What a unit of a chip does over the cycles of a run."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Interval:
    """Cycles in which a unit does one thing, or mostly; fraction: of the time that it does it."""

    begin: int
    end: int
    what: str
    fraction: float


@dataclass(frozen=True, kw_only=True)
class Track:
    """One unit; intervals in order, without overlap; nothing between them: the unit rests."""

    unit: str
    intervals: tuple[Interval, ...]


def merged(intervals: Sequence[Interval]) -> Iterator[Interval]:
    """Yield the intervals, those that touch and do the same as one."""
    held: Interval | None = None
    for each in intervals:
        if held is not None and held.end == each.begin and held.what == each.what:
            before, cycles = held.end - held.begin, each.end - each.begin
            share = (before * held.fraction + cycles * each.fraction) / (before + cycles)
            held = Interval(begin=held.begin, end=each.end, what=each.what, fraction=share)
            continue
        if held is not None:
            yield held
        held = each
    if held is not None:
        yield held
