"""Densities stand in place of a network for `hwgen model` and `hwgen explore --grid`."""

from pathlib import Path

import numpy as np
import pytest

from hwgen import api
from hwgen.errors import HwgenError
from tests.network.test_densities import OWN, written

CHIPS = [
    ("digits_small_cnn", "dbpim/small"),
    ("digits_resnet20", "dbpim/paper"),
    ("digits_vit", "dbpim/paper_rows"),
    ("cifar10_cct", "dbpim/paper_rows"),
    ("cifar10_resnet20_50", "dbpim/paper"),
    ("cifar10_resnet20_digits", "dbpim/paper_digits"),
]
MOST_DEVIATION = 0.05


pytestmark = pytest.mark.usefixtures("in_this_process")


@pytest.fixture
def context(tmp_path: Path) -> api.Context:
    return api.Context(work=tmp_path / "work", console=None)


@pytest.mark.dear("digits_small_cnn-dbpim/small")
@pytest.mark.promise(
    "densities in place of a network predict cycles and energy of each shipped DB-PIM network"
    " within 5 %: shares of pruned blocks, digits and zero bits, and no weights"
)
@pytest.mark.parametrize(("network", "chip"), CHIPS)
def test_densities_predict_what_the_network_takes(
    network: str, chip: str, context: api.Context, tmp_path: Path
) -> None:
    file = tmp_path / "densities.yaml"
    real = api.model(network, chip, densities=file, context=context)
    drawn = api.model(file, chip, context=context)
    assert drawn.cycles_model == pytest.approx(real.cycles_model, rel=MOST_DEVIATION)
    assert drawn.cycles_model != real.cycles_model
    assert drawn.energy is not None
    assert real.energy is not None
    assert drawn.energy.image_nj == pytest.approx(real.energy.image_nj, rel=MOST_DEVIATION)
    assert drawn.setting.data.name == "drawn"


def test_fewer_ones_and_fewer_weights_take_less(context: api.Context, tmp_path: Path) -> None:
    def cycles(text: str) -> int:
        return api.model(written(tmp_path, text), "dbpim/small", context=context).cycles_model

    usual = cycles(OWN)
    assert (
        cycles(
            OWN.replace(
                "channels: 3}", "channels: 3, densities: {zero_planes: [1, 1, 1, 1, 1, 1, 1, 0]}}"
            )
        )
        < usual
    )
    assert cycles(OWN.replace("pruned_blocks: 0.5", "pruned_blocks: 0.9")) < usual


def test_a_sweep_takes_densities(context: api.Context, tmp_path: Path) -> None:
    file = written(tmp_path, OWN)
    report = api.sweep(file, "dbpim/small", {"cores": [1, 2]}, context=context)
    assert report.points[1].cycles_model is not None
    whole = api.model(file, "dbpim/small", context=context)
    assert report.points[1].cycles_model == whole.cycles_model


def test_other_commands_and_images_are_refused(context: api.Context, tmp_path: Path) -> None:
    file = written(tmp_path, OWN)
    with pytest.raises(HwgenError, match="densities are for hwgen model and hwgen explore --grid"):
        api.simulate(file, "dbpim/small", context=context)
    with pytest.raises(HwgenError, match="data must be left out where densities draw the maps"):
        api.model(file, "dbpim/small", data=np.zeros((1, 8, 8, 3), np.uint8), context=context)
