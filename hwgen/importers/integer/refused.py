"""The exception of readers for one node.

Tests: `tests/importers/onnx/test_nonsense.py`.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

CALIBRATED = ContextVar("calibrated", default=False)
"""Whether what is read was made by --calibrate a moment ago."""


@contextmanager
def calibrated() -> Iterator[None]:
    """Leave out, in the body, the advice to do what is done."""
    token = CALIBRATED.set(True)
    try:
        yield
    finally:
        CALIBRATED.reset(token)


def advice(text: str) -> str:
    """Return a part of a sentence that says what --calibrate would do; empty where it did."""
    return "" if CALIBRATED.get() else text


def mask_cure() -> str:
    """Return what is said of scales that no map of numbers has."""
    return advice(
        ", as a mask of the lowest numbers makes it: import the float file with --calibrate, which"
        " bounds masks"
    )


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
    mask = mask_cure() if math.isinf(scale) else ""
    return RefusedError("its scale", "a positive number", f"{scale:.6g}{mask}")
