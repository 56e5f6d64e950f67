"""The recipe of a channel-adaptive network, from one complete YAML file."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic.dataclasses import dataclass

from hwgen.spec.load import load_spec
from hwgen.train.recipe import STRICT, Common, Count, Phase, Positive, Share, Start

Bits = Annotated[int, Field(ge=1, le=16)]
Width = Annotated[float, Field(gt=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AdaptivePhase(Phase):
    """One phase of training.

    modes: names of the modes that take part; null: all
    quantized: whether weights and maps are on their integer grids
    batches: of an epoch; null: as many as the recipe says
    """

    name: Name
    modes: Annotated[list[str], Field(min_length=1)] | None
    quantized: bool
    batches: Count | None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Teacher:
    """A float network whose answers all sub-nets learn, from a checkpoint that the user gives.

    beta: share of the distillation in the loss: (1 - beta) CE + beta tau^2 KL
    tau: temperature of both softmax
    cycle: order and augmentation of the images repeat after this many epochs, and the teacher
        answers them once; null: they never repeat
    """

    model: Literal["adaptive_cnn", "small_cnn", "resnet20", "resnet32", "resnet44"]
    start: Start
    beta: Annotated[float, Field(gt=0, le=1)]
    tau: Positive
    cycle: Count | None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class AdaptiveRecipe(Common):
    """How one channel-adaptive network is trained.

    widths: share of the channels in each mode, the widest (1.0) first
    teacher: null for no distillation (S-NN)
    weight_bits, activation_bits: of all layers with weights, and of all maps but image and answer
    range_momentum: weight of the old range of a map in the new one, 0 to 1
    """

    format: Literal["hwgen.adaptive_recipe"]
    version: Literal[1]
    model: Literal["adaptive_cnn", "small_cnn", "resnet20", "resnet32", "resnet44"]
    widths: Annotated[list[Width], Field(min_length=1)]
    teacher: Teacher | None
    phases: Annotated[list[AdaptivePhase], Field(min_length=1)]
    weight_bits: Bits
    activation_bits: Bits
    range_momentum: Share

    @field_validator("widths")
    @classmethod
    def falls(cls, widths: list[float]) -> list[float]:
        """The widest mode is the whole network, and no mode comes twice."""
        if widths[0] != 1 or any(b >= a for a, b in zip(widths, widths[1:], strict=False)):
            raise ValueError(f"widths|falling from 1.0|{widths}")
        return widths

    @field_validator("phases")
    @classmethod
    def ends_quantized(
        cls, phases: list[AdaptivePhase], info: ValidationInfo
    ) -> list[AdaptivePhase]:
        """Every map needs a range in every mode, and phases are known by name."""
        last = phases[-1]
        if not last.quantized or last.epochs == 0 or last.modes is not None:
            raise ValueError("phases|ending with a quantized phase of all modes|another")
        names = [phase.name for phase in phases]
        if len(set(names)) < len(names):
            raise ValueError(f"phases|with different names|{names}")
        return phases


def load_adaptive_recipe(path: Path) -> AdaptiveRecipe:
    """Return the recipe in a YAML file; every mistake is one sentence."""
    return load_spec(AdaptiveRecipe, path)
