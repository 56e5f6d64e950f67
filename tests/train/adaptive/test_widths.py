"""Widths: streams that share an order, rounding, tables, multiplications."""

import pytest

from hwgen.errors import ConfigError
from hwgen.network.widths import channels_at
from hwgen.train.adaptive.widths import (
    check_plan,
    extensions,
    free_streams,
    given_table,
    macs,
    mode_name,
    narrowed,
    streams,
    uniform,
)
from hwgen.train.models import plan_model

CIFAR = (32, 32, 3)
RESNET = plan_model("resnet20", CIFAR, 10)
SMALL = plan_model("adaptive_cnn", (8, 8, 1), 10)


@pytest.mark.promise(
    "channels stand in kept-first order, streams tie orders together, and no answer changes"
)
def test_streams_of_resnet20() -> None:
    first = streams(RESNET)
    assert first["stage1_block3_add"] == first["stage1_block1_conv2"] == first["conv1"] == "conv1"
    assert first["stage1_block2_conv1"] == "stage1_block2_conv1"
    assert first["stage2_block1_shortcut"] == first["stage2_block3_add"] == "stage2_block1_conv2"
    assert first["average_pool"] == first["stage3_block1_conv2"]
    assert len(free_streams(RESNET)) == 3 + 9
    assert extensions(RESNET) == [
        ("conv1", "stage2_block1_conv2"),
        ("stage2_block1_conv2", "stage3_block1_conv2"),
    ]


def test_rounding_of_the_eight_widths() -> None:
    widths = (0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 1.0)
    assert [channels_at(16, width) for width in widths] == [4, 6, 7, 9, 10, 12, 14, 16]
    assert channels_at(1, 0.25) == 1
    assert [mode_name(width) for width in (1.0, 0.5, 0.25)] == ["1.0x", "0.5x", "0.25x"]


@pytest.mark.promise(
    "widths are uniform, given, or chosen by norm within multiplications or cycles of a staircase"
)
def test_uniform_table() -> None:
    table = uniform(RESNET, [1.0, 0.5])
    assert table.modes == ("1.0x", "0.5x")
    assert table.channels["input"] == (3, 3)
    assert table.channels["stage3_block2_conv1"] == (64, 32)
    assert table.channels["head"] == (10, 10)
    # By hand: 432 weights x 1024 pixels, then 9 * 16 * 16 x 1024 and so on, 640 of the head.
    assert macs(RESNET, table, 0) == 40_551_040
    assert macs(SMALL, uniform(SMALL, [1.0, 0.25]), 1) == 64 * 9 * (4 + 16) + 16 * 9 * 16 + 40


def test_a_mode_alone() -> None:
    table = uniform(RESNET, [1.0, 0.5])
    plan, alone = narrowed(RESNET, table, 1)
    assert plan.channels("stage2_block1_add") == 16
    assert alone.modes == ("0.5x",)
    assert macs(plan, alone, 0) == macs(RESNET, table, 1)


def test_given_table() -> None:
    table = given_table(SMALL, {"odd": {"conv1": 5, "conv2": 7, "conv3": 16}})
    assert table.modes == ("1.0x", "odd")
    assert table.channels["max_pool"] == (16, 7)
    with pytest.raises(ConfigError, match=r"modes\.odd must be channels for each of conv1"):
        given_table(SMALL, {"odd": {"conv1": 5}})
    with pytest.raises(ConfigError, match=r"odd\.conv2 must be from 1 to 16, got 17"):
        given_table(SMALL, {"odd": {"conv1": 5, "conv2": 17, "conv3": 16}})


def test_other_operations_are_refused() -> None:
    with pytest.raises(ConfigError, match="must be one of conv, linear, max_pool"):
        check_plan(plan_model("efficientnetb0", CIFAR, 10))
