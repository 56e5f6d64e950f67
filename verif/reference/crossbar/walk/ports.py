"""The one port of each scratchpad, access by access, and the packets that senders make of reads.

Tests: `tests/verif/reference/crossbar/test_walk.py`.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field

from verif.reference.crossbar.walk.hazards import NEVER


@dataclass
class User:
    """An engine at a port; of those that ask the one with the lowest rank is served.

    jobs: when it asks first, and how many accesses follow; in rising order
    grants: the clock of each access; last: of each job
    done: is told of the last access of each job
    """

    rank: tuple[int, int]
    jobs: list[tuple[int, int]] = field(default_factory=list)
    grants: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    done: Callable[[int, int], None] | None = None
    want: int = NEVER
    left: int = 0
    job: int = 0

    def open(self, after: int) -> None:
        """Ask for the next job, if there is one, at `after` or later; jobs may be empty."""
        self.want = NEVER
        while self.job < len(self.jobs):
            want, self.left = self.jobs[self.job]
            if self.left:
                self.want = max(want, after)
                return
            self.last.append(want - 1)
            self.job += 1


@dataclass
class Port:
    """A port; free: from which clock on; due: when it will serve somebody."""

    users: list[User] = field(default_factory=list)
    free: int = 0
    due: int = NEVER


class Ports:
    """All ports of a chip, in the order of time."""

    def __init__(self, macros: int, access_clocks: int) -> None:
        self.ports = [Port() for _ in range(macros)]
        self._access, self._queue = access_clocks, list[tuple[int, int]]()

    def add(self, macro: int, user: User) -> User:
        """Connect a user."""
        self.ports[macro].users.append(user)
        return user

    def ask(self, macro: int, user: User, want: int, accesses: int) -> None:
        """Give a user a further job, while ports work."""
        user.jobs.append((want, accesses))
        if user.want == NEVER:
            user.open(want)
            self._schedule(macro, max(user.want, self.ports[macro].free))

    def _schedule(self, macro: int, clock: int) -> None:
        """Look at a port in a clock, unless that is done earlier."""
        port = self.ports[macro]
        if clock < min(port.due, NEVER):
            port.due = clock
            heapq.heappush(self._queue, (clock, macro))

    def run(self) -> None:
        """Serve everybody."""
        for macro, port in enumerate(self.ports):
            port.users.sort(key=lambda user: user.rank)
            for user in port.users:
                user.open(0)
            first = min((user.want for user in port.users), default=NEVER)
            self._schedule(macro, first)
        while self._queue:
            clock, macro = heapq.heappop(self._queue)
            port = self.ports[macro]
            if clock == port.due:
                port.due = NEVER
                self._serve(macro, port, clock)

    def _serve(self, macro: int, port: Port, clock: int) -> None:
        """Grant an access; further ones too, as long as nobody else can come between."""
        for user in port.users:
            if user.want <= clock:
                break
        else:
            self._schedule(macro, min(one.want for one in port.users))
            return
        user.grants.append(clock)
        port.free = clock + self._access
        user.left -= 1
        if user.left:
            user.want = clock + 1
        else:
            user.last.append(clock)
            user.job += 1
            user.open(clock + 1)
            if user.done is not None:
                user.done(user.job - 1, clock)
        soonest = min(one.want for one in port.users)
        if soonest < NEVER:
            self._schedule(macro, max(soonest, port.free))
