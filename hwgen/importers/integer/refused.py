"""The exception of readers for one node.

Tests: `tests/importers/onnx/test_nonsense.py`.
"""


class RefusedError(Exception):
    """A node that cannot be read as it is used: `what` must be `allowed`, got `given`.

    node, operator: of which this is said; empty: the node that is read
    """

    def __init__(self, what: str, allowed: object, given: object) -> None:
        super().__init__(f"{what} must be {allowed}, got {given}")
        self.what, self.allowed, self.given = what, str(allowed), str(given)
        self.node, self.operator = "", ""

    def of(self, node: str, operator: str) -> "RefusedError":
        """Return the error as one of a node, unless it is that of another already."""
        if not self.node:
            self.node, self.operator = node, operator
        return self
