"""A training recipe: every number that decides the result, from one complete YAML file."""

from collections.abc import Mapping
from dataclasses import asdict, field, replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, ValidationInfo, field_validator
from pydantic.dataclasses import dataclass

from hwgen.errors import FieldError
from hwgen.files.load import EXACT, load_spec
from hwgen.network.pruning import WEAKEST

Share = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


TRAINING_VERSION = 2
"""Raised when the code of training changes so that a recipe gives another network: what was begun
or cached with another version is not gone on with."""
OPTIONAL: dict[str, dict[str, object]] = {
    "pruning": {"blocks": "eight", "rule": WEAKEST, "layers": {}, "over": 0.0},
    "quantization": {"step": "largest"},
    "noise": {"by_pixel": False},
}
"""Optional keys of a recipe's parts, and their defaults."""
PARTS = ("noise", "teacher")
"""Optional parts of a recipe with phases; older ones have none of them, not even a null."""
PHASES = ("float", "pruned", "quantized")
"""Of a training that prunes."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Start:
    """A float checkpoint that the user gives.

    mean, std: by which its image channels were normalised (0 to 1)
    name, licence: what it is and what its licence allows, in words; without both, tables call what
        is trained from it `not recorded`
    """

    mean: Annotated[list[Share], Field(min_length=3, max_length=3)]
    std: Annotated[list[Positive], Field(min_length=3, max_length=3)]
    name: str | None = None
    licence: str | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AdamW:
    """Adam with decoupled weight decay."""

    kind: Literal["adamw"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Sgd:
    """Stochastic gradient descent with momentum, of Nesterov's form or the plain one."""

    kind: Literal["sgd"]
    momentum: Share
    nesterov: bool

    @field_validator("nesterov")
    @classmethod
    def has_momentum(cls, nesterov: bool, info: ValidationInfo) -> bool:
        """Nesterov's form needs momentum."""
        if nesterov and info.data.get("momentum") == 0:
            raise FieldError("optimizer.nesterov", "false without momentum", "true")
        return nesterov


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Phase:
    """Epochs with one course of the learning rate: a linear warm-up, then a cosine to zero.

    epochs: 0 leaves the phase out
    label_smoothing: fraction of the target that is spread over all classes
    """

    epochs: Annotated[int, Field(ge=0)]
    warmup_epochs: Annotated[int, Field(ge=0)]
    learning_rate: Positive
    weight_decay: Annotated[float, Field(ge=0)]
    label_smoothing: Share


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Pruning:
    """Block-wise pruning.

    share: fraction of the blocks of each layer that is pruned
    first_layer, head: whether the first and the last layer are pruned, too
    blocks: filters of a block; `eight`, or `digits`: two neighbouring groups of eight whose filters
        have at most one digit make blocks of sixteen (seed 002, IV-C1: the granularity follows
        phi_th), so that both have one mask
    rule: which blocks: those of least norm (`weakest`), or a rule of an installed package
    layers: another share for layers by name, the first and the last among them
    over: part of the pruned phase in which the share grows, fast at first; 0: at once
    """

    share: Share
    first_layer: bool
    head: bool
    blocks: Literal["eight", "digits"] = "eight"
    rule: str = WEAKEST
    layers: dict[str, Share] = field(default_factory=dict)
    over: Share = 0.0

    @field_validator("rule")
    @classmethod
    def has_blocks_of_eight(cls, rule: str, info: ValidationInfo) -> str:
        """Rules of packages know no blocks of sixteen."""
        if rule != WEAKEST and info.data.get("blocks") == "digits":
            raise FieldError("pruning.rule", f"{WEAKEST} with blocks of digits", rule)
        return rule


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Quantization:
    """Training on the integer grid.

    rule: how a filter's digit count is chosen; `mode` is the most frequent one, at most two, `one`
        the same, at most one; `int8`: weights are rounded and keep all digits; `int4`: the same
        to -8 to 7, depthwise weights as int8
    range_momentum: weight of the old range of a map in the new one, 0 to 1
    step: of a filter; `largest`: its largest weight becomes 127, or 7 with `int4`; `least_error`:
        one up to twice as long, with `int4` down to half as long, of least square error behind the
        rule, chosen before the first epoch; a filter then keeps at least one digit. With one digit
        a positive weight of 127 steps becomes 64
    """

    rule: Literal["mode", "one", "int8", "int4"]
    range_momentum: Share
    step: Literal["largest", "least_error"] = "largest"


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Noise:
    """Cells of crossbars that vary, drawn anew for each batch of the quantized phase.

    variation: deviation of the logarithm of a level, as `cells.variation` of a file of effects
    cell_bits: of a cell; side: rows of a crossbar, which are flipped together
    by_pixel: each pixel of a map has cells of its own, as in layers with many copies; false: one
        copy of each layer computes all pixels; `auto`: by pixel in the layers whose images stand in
        a map of several pixels, which a chip can give copies
    """

    variation: Annotated[float, Field(gt=0, le=4)]
    cell_bits: Annotated[int, Field(ge=1, le=8)]
    side: Count
    by_pixel: Literal[False, True, "auto"] = False

    def is_by_pixel(self, pixels: int) -> bool:
        """Return whether the pixels of a layer, so many an image, have cells of their own."""
        return pixels > 1 if self.by_pixel == "auto" else self.by_pixel


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Teacher:
    """A float network whose answers are learnt: by all sub-nets, or behind the float phase.

    model, start: of a checkpoint that the user gives; both null: the float network itself
    beta: share of the distillation in the loss: (1 - beta) CE + beta tau^2 KL
    tau: temperature of both softmax
    """

    model: (
        Literal[
            "adaptive_cnn",
            "small_cnn",
            "resnet20",
            "resnet32",
            "resnet44",
            "resnet56",
            "resnet18",
            "vgg19",
            "mobilenetv2",
            "efficientnetb0",
        ]
        | None
    )
    start: Start | None
    beta: Annotated[float, Field(gt=0, le=1)]
    tau: Positive

    @field_validator("start")
    @classmethod
    def has_model(cls, start: Start | None, info: ValidationInfo) -> Start | None:
        """A checkpoint has a model and a normalization, the float network itself neither."""
        if (start is None) != (info.data.get("model") is None):
            raise FieldError("teacher.start", "null exactly if teacher.model is", "otherwise")
        return start


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Common:
    """What every training has.

    start: null for random weights, else what is known of the checkpoint that the user gives
    input_mean, input_std: of the image in 0 to 1; rounded to a zero point in bytes
    shift_pixels, flip: augmentation of training images
    threads: of torch; another number changes the order of float sums
    batch_images: of one update, over all processes together
    epoch_batches: batches of an epoch, drawn anew each time; null: all images
    gradient_norm: longer gradients of all parameters together are shortened to it; null: none are
    mixed_precision: bfloat16 in the forward pass of the phases without integer grids, on devices
        that have units for it
    """

    name: Annotated[str, Field(min_length=1)]
    dataset: Literal["digits", "fashion_mnist", "cifar10", "cifar100"]
    start: Start | None
    seed: Annotated[int, Field(ge=0, lt=1 << 31)]
    threads: Count
    batch_images: Count
    epoch_batches: Count | None
    optimizer: Annotated[AdamW | Sgd, Field(discriminator="kind")]
    gradient_norm: Positive | None
    mixed_precision: bool
    input_mean: Annotated[float, Field(ge=0, le=1)]
    input_std: Positive
    shift_pixels: Annotated[int, Field(ge=0, le=8)]
    flip: bool

    def fields(self) -> dict[str, Any]:
        """Return all fields; optional keys at their defaults are left out, as in older recipes."""
        fields = asdict(self)
        for name, defaults in OPTIONAL.items():
            if isinstance(given := fields.get(name), dict):
                fields[name] = {
                    key: value
                    for key, value in given.items()
                    if key not in defaults or value != defaults[key]
                }
        return fields

    def until(self, phase: str) -> dict[str, Any]:
        """Return the fields that a phase depends on: all, where phases have no order, but words."""
        fields = self.fields()
        if self.start is not None:
            fields["start"] = {"mean": self.start.mean, "std": self.start.std}
        return fields

    @property
    def input_zero_point(self) -> int:
        """Byte that stands for zero."""
        return round(self.input_mean * 255)

    @property
    def input_scale(self) -> float:
        """Real value of one step of an image byte."""
        return 1 / (255 * self.input_std)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class InPhases(Common):
    """A training with the fields `float_phase`, `pruned_phase` and `quantized_phase`, in order.

    teacher: of the phases behind the float one; null: none
    """

    teacher: Teacher | None = None

    def fields(self) -> dict[str, Any]:
        """Return all fields but parts that are null."""
        found = super().fields()
        return {key: value for key, value in found.items() if value is not None or key not in PARTS}

    @property
    def schedule(self) -> dict[str, Phase]:
        """The phases by name, in order."""
        return {name: getattr(self, f"{name}_phase") for name in PHASES}

    def until(self, phase: str) -> dict[str, Any]:
        """Return the fields that a phase depends on: all but later phases and what is theirs."""
        later = {f"{name}_phase" for name in PHASES[PHASES.index(phase) + 1 :]}
        if phase == PHASES[0]:
            later |= {"pruning", "quantization", "teacher"}
        if phase != PHASES[-1]:
            later.add("noise")
        fields = super().until(phase)
        return {name: value for name, value in fields.items() if name not in later}

    def with_schedule(self, phases: Mapping[str, Phase], epoch_batches: int | None) -> Self:
        """Return the recipe with other phases of the same names."""
        changed: dict[str, Any] = {f"{name}_phase": phases[name] for name in PHASES}
        return replace(self, epoch_batches=epoch_batches, **changed)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Recipe(InPhases):
    """How one network is pruned and trained for FTA.

    width: factor of the channels of all layers but the head; 1.0 is the network as published
    noise: of the quantized phase, so that the network bears such devices; null: none
    """

    format: Literal["hwgen.recipe"]
    version: Literal[2]
    model: Literal[
        "small_cnn",
        "resnet20",
        "alexnet",
        "vgg19",
        "resnet18",
        "mobilenetv2",
        "efficientnetb0",
    ]
    width: Annotated[float, Field(gt=0, le=1)]
    float_phase: Phase
    pruned_phase: Phase
    quantized_phase: Phase
    pruning: Pruning
    quantization: Quantization
    noise: Noise | None = None

    @field_validator("quantized_phase")
    @classmethod
    def has_epochs(cls, phase: Phase) -> Phase:
        """Without an epoch on the integer grid no map would have a range."""
        if phase.epochs == 0:
            raise FieldError("quantized_phase.epochs", "at least 1", "0")
        return phase


def load_recipe(path: Path) -> Recipe:
    """Return the recipe in a YAML file; every mistake is one sentence."""
    return load_spec(Recipe, path)
