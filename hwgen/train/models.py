"""The networks that training knows, by name."""

from collections.abc import Callable

from hwgen.errors import ConfigError
from hwgen.train.plans.alexnet import alexnet
from hwgen.train.plans.builder import Builder
from hwgen.train.plans.efficientnet import efficientnetb0
from hwgen.train.plans.mobilenet import mobilenetv2
from hwgen.train.plans.plan import Plan, Shape
from hwgen.train.plans.resnet import resnet18, resnet20, resnet32, resnet44, resnet56
from hwgen.train.plans.small_cnn import adaptive_cnn, small_cnn
from hwgen.train.plans.vgg import vgg19

MODELS: dict[str, Callable[[Builder, int], None]] = {
    "small_cnn": small_cnn,
    "adaptive_cnn": adaptive_cnn,
    "resnet20": resnet20,
    "resnet32": resnet32,
    "resnet44": resnet44,
    "resnet56": resnet56,
    "alexnet": alexnet,
    "vgg19": vgg19,
    "resnet18": resnet18,
    "mobilenetv2": mobilenetv2,
    "efficientnetb0": efficientnetb0,
}


def plan_model(name: str, shape: Shape, classes: int, *, width: float = 1.0) -> Plan:
    """Return the plan called `name` for images of `shape`.

    width: factor of the channels of all layers but the head
    """
    if name not in MODELS:
        raise ConfigError(
            field="model", allowed=f"one of {', '.join(MODELS)}", given=name, source="recipe"
        )
    height, columns, _ = shape
    if height != columns or height % 4:
        raise ConfigError(
            field="images",
            allowed=f"square with a side that is a multiple of 4 for {name}",
            given=f"{height} x {columns}",
            source="dataset",
        )
    build = Builder(name, shape, width=width)
    MODELS[name](build, classes)
    return build.plan()
