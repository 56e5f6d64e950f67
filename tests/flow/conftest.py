"""Fixtures of the tests of the flow."""

import pytest

from tests.flow.compared import IMAGES, golden, simulated
from tests.flow.made_up import Simulated


@pytest.fixture
def runs() -> list[Simulated]:
    """What a chip without fault shows."""
    return [simulated(image, golden()) for image in range(IMAGES)]
