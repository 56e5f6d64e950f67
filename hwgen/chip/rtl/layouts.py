"""Layouts of several families: where the fields of a structure lie."""

from amaranth.lib.data import Layout


def places(layout: Layout) -> dict[str, tuple[int, int]]:
    """Return the lowest bit and the width of each field, by its name."""
    return {str(name): (field.offset, field.width) for name, field in layout}
