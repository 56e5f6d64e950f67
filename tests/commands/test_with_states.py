"""Commands that take each image alone refuse a network whose calls depend on each other."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hwgen.commands.effects import Effects
from hwgen.commands.exchange import ExportOnnx
from hwgen.commands.fit import Fit
from hwgen.commands.model import Model
from hwgen.commands.sweep import Sweep
from hwgen.errors import DataError
from hwgen.network.file import save_network
from verif.dbpim.recurrent import NETWORKS

CHIP = "dbpim/small_rows"


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the file of a GRU."""
    file = tmp_path_factory.mktemp("states") / "gru.npz"
    save_network(NETWORKS["gru"](1), file)
    return str(file)


REFUSED: dict[str, Callable[[str, str], object]] = {
    "effects": lambda network, _: Effects(network, CHIP, effects="effects/exact"),
    "export-onnx": lambda network, folder: ExportOnnx(network, f"{folder}/out.onnx"),
    "fit": lambda network, folder: Fit(network, out=f"{folder}/out.npz"),
}


@pytest.mark.promise("commands that take each image alone refuse a network with states")
@pytest.mark.parametrize("command", REFUSED)
def test_each_image_alone(command: str, network: str, tmp_path: Path) -> None:
    wanted = f"hwgen {command} must be given a network without states, got .*, which has 1"
    with pytest.raises(DataError, match=wanted):
        REFUSED[command](network, str(tmp_path)).run()  # type: ignore[attr-defined]


def test_a_sweep_takes_calls_as_many_as_images(network: str, tmp_path: Path) -> None:
    """The chip as it is has the cycles of two calls, as the model has them."""
    shape = NETWORKS["gru"](1).graph.input.shape
    data = str(tmp_path / "images.npz")
    np.savez(data, images=np.zeros((2, *shape), np.uint8))
    (point,) = Sweep(network, CHIP, keys={"cores": [2]}, data=data, images=2).run().points
    model = Model(network, CHIP, data=data, calls=2).run()
    assert point.cycles_model == model.cycles_model
    with pytest.raises(DataError, match=r"the calls must be from 1 to 2 \(.*\), got 3"):
        Model(network, CHIP, data=data, calls=3).run()
