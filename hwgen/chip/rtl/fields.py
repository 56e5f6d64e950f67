"""Signals with the layout of their fields, and without a net for each.

Amaranth makes a net of each field of each signal that has a layout, for debuggers; a word of
parameters has hundreds. Here a signal keeps its layout: the printer names slices after it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

from amaranth.hdl import Format, Value
from amaranth.lib import data

LAYOUTS = (data.Layout, data.ArrayLayout)
"""Those with a method `format` of their own, from which Amaranth takes the fields."""

_in_force = RLock()


@contextmanager
def without_field_nets() -> Iterator[None]:
    """Let signals made inside have no field nets; one thread at a time."""
    with _in_force:
        originals = [layout.format for layout in LAYOUTS]
        for layout in LAYOUTS:
            layout.format = as_a_number
        try:
            yield
        finally:
            for layout, original in zip(LAYOUTS, originals, strict=True):
                layout.format = original


def as_a_number(layout: data.Layout, value: data.View, format_spec: str) -> Format:
    """Return how a signal with a layout is shown: as one number, which knows the layout."""
    shown = Format("{}", Value.cast(value))
    shown.layout = layout
    return shown
