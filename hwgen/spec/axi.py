"""Facts of the AXI4 protocol."""

PAGE_BYTES = 4096
"""A burst never crosses a border of this size."""
