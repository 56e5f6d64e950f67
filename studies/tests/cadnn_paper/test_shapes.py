"""ResNet20 by shapes alone is the network that training knows, and a valid file."""

import pytest
from hwgen_studies.cadnn_paper.memory import sizes
from hwgen_studies.cadnn_paper.shapes import channels_of, resnet20

from hwgen.network.check import check_network
from hwgen.train.adaptive.widths import uniform
from hwgen.train.models import plan_model

WIDTHS = (1.0, 0.75, 0.5, 0.25)


@pytest.mark.promise(
    "energy, memory and area are worked out from counts, and what is behind 2.7x is solved for"
)
def test_it_is_a_valid_network_of_four_modes() -> None:
    network = resnet20(WIDTHS)
    check_network(network, source="shapes")
    assert network.graph.modes == ("1.0x", "0.75x", "0.5x", "0.25x")
    assert channels_of(32, (1.0, 0.3)) == (32, 10)


def test_it_has_the_weights_of_the_network_that_is_trained() -> None:
    plan = plan_model("resnet20", (32, 32, 3), 10)
    weights, elements, channels = sizes(resnet20(WIDTHS), 0)
    assert weights == sum(plan.weights(node) for node in plan.weighted) == 268_336
    assert elements == 7 * 16 * 32**2 + 6 * 32 * 16**2 + 6 * 64 * 8**2
    assert channels == 7 * 16 + 6 * 32 + 6 * 64
    narrow = sizes(resnet20(WIDTHS), 2)
    assert narrow[1:] == (elements // 2, channels // 2)
    assert weights / narrow[0] > 3.9


def test_the_chip_and_the_training_round_the_same_way() -> None:
    """0.35 of 16 channels is 6 for both."""
    widths = [1.0, 0.85, 0.75, 0.65, 0.55, 0.45, 0.35, 0.25]
    table = uniform(plan_model("resnet20", (32, 32, 3), 10), widths)
    shapes = resnet20(widths)
    assert channels_of(16, [0.35]) == (6,)
    names = {"conv1": "conv1", "stage2_1_shortcut": "stage2_block1_shortcut"}
    for drawn, trained in names.items():
        assert shapes.map_of(drawn).mode_channels == table.channels[trained]
