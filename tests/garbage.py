"""Netlists that nothing uses any more leave a worker, which would grow to gigabytes otherwise.

They hold themselves, so only a whole collection frees them; an emission moves what it made to the
old generation, and Python hardly ever looks there.
"""

import gc
import os
from pathlib import Path

GROWTH = 200 << 20
"""Bytes by which a process grows before everything is collected."""
STATM = Path("/proc/self/statm")
"""Where Linux says how many pages a process holds; elsewhere nothing is collected."""

LEAST = [0]
"""Bytes that the process held after the last collection."""


def resident() -> int:
    """Return the bytes of memory that this process holds; 0 where the system does not say."""
    try:
        pages = STATM.read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def collect_what_grew() -> bool:
    """Collect all garbage if this process has grown much; return whether it had."""
    if resident() <= LEAST[0] + GROWTH:
        return False
    gc.collect()
    LEAST[0] = resident()
    return True
