"""What tests of simulated crossbar chips share."""

from collections.abc import Iterator

import pytest

from hwgen.crossbar.sim.chip_run import hosted
from tests.verif.crossbar.random_chips import quick


@pytest.fixture
def forget() -> Iterator[None]:
    """Let no other test have the Verilog of a planted fault."""
    for kept in (hosted, quick):
        kept.cache_clear()
    yield
    for kept in (hosted, quick):
        kept.cache_clear()
