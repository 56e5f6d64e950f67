"""What of a file cannot be imported: every node at once, one sentence each."""

from collections.abc import Sequence
from dataclasses import dataclass

from hwgen.errors import HwgenError, plain_lines


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """One node that cannot be imported.

    node, operator: as the file and its format call them
    what: a property of the node; allowed: what it must be; given: what it is
    """

    node: str
    operator: str
    what: str
    allowed: str
    given: str

    @property
    def sentence(self) -> str:
        """The refusal as one sentence without its full stop."""
        return (
            f"node {self.node} ({self.operator}): {self.what} must be {self.allowed},"
            f" got {self.given}"
        )


class RefusedNetworkError(HwgenError):
    """A network with nodes that cannot be imported; the message has a line for each."""

    def __init__(self, *, source: str, refusals: Sequence[Refusal]) -> None:
        self.refusals = tuple(refusals)
        lines = [refusal.sentence for refusal in refusals]
        if len(lines) == 1:
            lines = [f"{lines[0]} ({source})"]
        else:
            lines = [f"{len(lines)} nodes cannot be imported ({source}):", *lines]
        super().__init__(plain_lines(lines))

    def __str__(self) -> str:
        """Return all lines."""
        return Exception.__str__(self)
