"""Facts that both sides of a comparison read: their values come from the sources alone."""

from hwgen.chip.axi import PAGE_BYTES
from hwgen.network.sparsity import ALPHA, PHI_LIMIT


def test_page_of_axi() -> None:
    """AMBA AXI, A3.4.1: a burst must not cross a 4 KB address boundary."""
    assert PAGE_BYTES == 4 * 1024


def test_granularity_and_threshold() -> None:
    """Seed 002, IV-C: blocks of alpha = 8 filters, phi_th is 0, 1 or 2."""
    assert (ALPHA, PHI_LIMIT) == (8, 2)
