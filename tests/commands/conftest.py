"""Fixtures of the tests of the flow."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.jobs.executors import SerialExecutor
from hwgen.network.file import save_network
from tests.commands.compared import IMAGES, golden, simulated
from tests.commands.made_up import Simulated
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images


@pytest.fixture
def runs() -> list[Simulated]:
    """What a chip without fault shows."""
    return [simulated(image, golden()) for image in range(IMAGES)]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A network of few cycles, and two images for it."""
    network = directed("narrow")
    save_network(network, tmp_path / "network.npz")
    np.savez(tmp_path / "images.npz", images=random_images(network, 2, seed=0))
    return tmp_path / "network.npz", tmp_path / "images.npz"


@pytest.fixture
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """No process is started, which would import everything again."""
    monkeypatch.setattr("hwgen.jobs.executors.make_executor", lambda workers: SerialExecutor())
