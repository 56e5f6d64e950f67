"""Rules for issue, leave and results of a macro in each cycle, from the microarchitecture."""

from collections import deque
from dataclasses import dataclass

from hwgen.dbpim.facts.timing import RESULT_SLOTS
from verif.dbpim.macro_stimulus import Head
from verif.reference.dbpim.ipu import ipu


@dataclass(frozen=True)
class Seen:
    """What a macro shows in one cycle."""

    issue: bool
    leave: bool
    result_valid: bool


class MacroRules:
    """Expects issue, leave and result.valid of each cycle from what the macro is given.

    latency: from the last bit plane of a result to its entry in the queue
    """

    def __init__(self, *, skip: bool, latency: int) -> None:
        self._skip, self._latency = skip, latency
        self._planes_done = 0
        self._visible_from: deque[int] = deque()

    def cycle(self, now: int, head: Head | None, *, may_issue: bool, ready: bool) -> Seen:
        """Return what cycle `now` must show.

        head: the group on offer, if any; may_issue: its row is loaded and nothing inhibits
        ready: a result is taken when there is one
        """
        result_valid = bool(self._visible_from) and self._visible_from[0] <= now
        outstanding = len(self._visible_from)
        if result_valid and ready:
            self._visible_from.popleft()
        if head is None:
            return Seen(False, False, result_valid)
        last = self._planes_done + 1 == len(ipu(head.group, skip=self._skip))
        full = last and head.ends_result and outstanding == RESULT_SLOTS
        if full or not may_issue:
            return Seen(False, False, result_valid)
        self._planes_done = 0 if last else self._planes_done + 1
        if last and head.ends_result:
            self._visible_from.append(now + self._latency)
        return Seen(True, last, result_valid)

    @property
    def outstanding(self) -> int:
        """Results between the issue of their last bit plane and their taking."""
        return len(self._visible_from)
