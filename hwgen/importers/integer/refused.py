"""The exception of readers for one node.

Tests: `tests/importers/onnx/test_nonsense.py`.
"""

import math

MASK_CURE = (
    "as a mask of the lowest numbers makes it: import the float file with --calibrate, which bounds"
    " masks"
)
"""Is said of scales that no map of numbers has."""


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


def of_scale(scale: float) -> RefusedError:
    """Return the refusal of a scale that is no positive number."""
    mask = f", {MASK_CURE}" if math.isinf(scale) else ""
    return RefusedError("its scale", "a positive number", f"{scale:.6g}{mask}")
