"""Facts of AXI4 that every chip, its memory and its cycle model share."""

PAGE_BYTES = 4096
"""A burst never crosses a multiple of this size."""

MEMORY_ADDRESS_BITS = 64
"""Address bits of the memory ports of all families."""

READ_FIFO_BEATS = 64
"""Beats that the read engine of a chip may hold or have requested."""

BURST_BEATS = 16
"""Beats of one burst of the engines at most."""

RESPONSE_CYCLES = 1
"""Memory: from the last beat of a burst of writes to its response."""

INCREMENTING = 1
"""AxBURST of a burst whose addresses grow."""

MOST_BURST_BEATS = 256
"""The longest INCR burst that AxLEN can express."""

OKAY = 0
SUBORDINATE_ERROR = 2
"""RRESP and BRESP; a chip takes every value other than OKAY as an error."""
