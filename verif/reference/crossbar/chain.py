"""Chains: what each macro of a copy hands on to the next one."""

from collections.abc import Sequence

import numpy as np

from golden.crossbar.encoding import Ints


def handed_on(parts: Sequence[Ints]) -> Ints:
    """Return the sums behind each macro, (macros, channels); the last ones are whole.

    parts: the sums (channels) of the row tiles of each macro, in the order of the chain
    """
    sums: Ints = np.cumsum(np.stack(list(parts)), axis=0)
    return sums
