"""The networks have the published sizes, and a plan says what it multiplies."""

import pytest

from hwgen.errors import ConfigError
from hwgen.train.models import MODELS, plan_model
from hwgen.train.plans.plan import Plan

CIFAR100 = (32, 32, 3)


def cifar100(name: str) -> Plan:
    return plan_model(name, CIFAR100, 100)


@pytest.mark.promise("the networks have the published numbers of weights and multiplications")
@pytest.mark.parametrize(
    ("name", "macs", "tolerance"),
    [
        ("vgg19", 398e6, 0.002),  # published in whole millions
        ("resnet18", 556e6, 0.002),
        ("mobilenetv2", 85e6, 0.006),
        ("efficientnetb0", 30e6, 0.03),  # published as about 30 million
    ],
)
def test_multiplications_without_depthwise(name: str, macs: float, tolerance: float) -> None:
    plan = cifar100(name)
    assert sum(plan.macs(node) for node in plan.sparse) == pytest.approx(macs, rel=tolerance)


def test_alexnet_has_two_layers_of_4096() -> None:
    plan = cifar100("alexnet")
    hidden = [node for node in plan.nodes if node.op == "linear"]
    assert [node.channels for node in hidden] == [4096, 4096, 100]
    assert plan.shapes[hidden[0].inputs[0]] == (1, 1, 256)
    assert plan.shapes["conv1"] == (8, 8, 64)
    assert sum(plan.weights(node) for node in plan.weighted) == pytest.approx(20.7e6, rel=0.001)


@pytest.mark.parametrize(
    ("name", "layers"),
    [("vgg19", 17), ("resnet18", 21), ("mobilenetv2", 58), ("efficientnetb0", 82), ("alexnet", 8)],
)
def test_layers_with_weights(name: str, layers: int) -> None:
    assert len(cifar100(name).weighted) == layers


def test_mobilenetv2_has_the_wide_pair_and_clips_at_six() -> None:
    plan = cifar100("mobilenetv2")
    widest = [name for name, shape in plan.shapes.items() if shape == (32, 32, 144)]
    # Two stages read maps of 24 channels: the second block of stage 2, and stage 3.
    assert widest[:2] == ["stage2_block2_expand", "stage2_block2_depthwise"]
    depthwise = [node for node in plan.weighted if not node.sparse]
    assert len(depthwise) == 17
    assert all(node.groups == node.channels and node.clip == "relu6" for node in depthwise)
    assert {node.stride for node in depthwise} == {1, 2}


def test_efficientnetb0_has_tables_and_factors() -> None:
    plan = cifar100("efficientnetb0")
    ops = [node.op for node in plan.nodes]
    assert ops.count("multiply") == 16
    functions = [node.function for node in plan.nodes if node.op == "table"]
    assert functions.count("sigmoid") == 16 and functions.count("silu") == 2 + 15 + 16 + 16
    for node in plan.nodes:
        if node.op == "multiply":
            assert plan.shapes[node.inputs[1]] == (1, 1, node.channels)
    squeezed = [node.channels for node in plan.nodes if node.name.endswith("_squeeze")]
    assert squeezed[:4] == [8, 4, 6, 6]


@pytest.mark.promise(
    "a narrow network has the layers of the whole one, and too small images are refused"
)
@pytest.mark.parametrize("name", MODELS)
def test_a_narrow_network_has_the_same_layers(name: str) -> None:
    whole, narrow = cifar100(name), plan_model(name, CIFAR100, 100, width=0.25)
    windows = [
        [(node.op, node.kernel, node.stride) for node in plan.nodes if node.kernel > 1]
        for plan in (narrow, whole)
    ]
    assert windows[0] == windows[1]
    assert narrow.nodes[-1].channels == 100
    weights = [sum(plan.weights(node) for node in plan.weighted) for plan in (narrow, whole)]
    assert weights[0] < weights[1] / 3
    convs = [node for node in narrow.nodes if node.op == "conv" and "squeeze" not in node.name]
    assert all(node.channels % 8 == 0 for node in convs)


def test_too_small_images_are_one_sentence() -> None:
    with pytest.raises(ConfigError, match="images must be so large that a window of 2 fits at"):
        plan_model("vgg19", (16, 16, 3), 100)
    with pytest.raises(ConfigError, match=r"model must be one of small_cnn, .*, got lenet"):
        plan_model("lenet", CIFAR100, 100)
