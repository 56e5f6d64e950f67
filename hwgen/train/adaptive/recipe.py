"""The recipe of a channel-adaptive network, from one complete YAML file."""

import itertools
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, ValidationInfo, field_validator
from pydantic.dataclasses import dataclass

from hwgen.errors import FieldError
from hwgen.files.load import EXACT, load_spec
from hwgen.train.adaptive.widths import mode_name
from hwgen.train.recipe import Common, Count, Phase, Share, Teacher

Bits = Annotated[int, Field(ge=1, le=16)]
Width = Annotated[float, Field(gt=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
BASE, SELECT = "base", "select"
"""Names of the phase of the widest network alone, and of the one that finds the channels."""
Model = Literal["adaptive_cnn", "small_cnn", "resnet20", "resnet32", "resnet44", "resnet56"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AdaptivePhase(Phase):
    """One phase of the shared training.

    modes: names of the modes that take part; null: all
    quantized: whether weights and maps are on their integer grids
    batches: of an epoch; null: as many as the recipe says
    """

    name: Name
    modes: Annotated[list[str], Field(min_length=1)] | None
    quantized: bool
    batches: Count | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Uniform:
    """Every layer has the same share of its channels."""

    kind: Literal["uniform"]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Given:
    """Channels of each stream by mode, without the widest mode.

    A stream is named by its first layer.
    """

    kind: Literal["table"]
    modes: dict[str, dict[str, Count]]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ByNorm:
    """Channels by layer from the norms of a network that is trained to have few (seed 004).

    path: `multi` trains the base anew for each mode; `single` takes the modes, wide to narrow,
        from one training, of which each mode has an equal part
    phase: of such a training; penalty: weight of the sum of all batch-norm factors in its loss
    cost: what a mode may have as much of as the uniform one of its width, multiplications or
        cycles; staircase: file with the cycles of each layer, null for multiplications
    """

    kind: Literal["norm"]
    path: Literal["multi", "single"]
    phase: Phase
    penalty: Annotated[float, Field(ge=0)]
    cost: Literal["macs", "cycles"]
    staircase: str | None

    @field_validator("staircase")
    @classmethod
    def has_cycles(cls, staircase: str | None, info: ValidationInfo) -> str | None:
        """Cycles need the staircase, multiplications have no use for it."""
        if (staircase is None) != (info.data.get("cost") == "macs"):
            raise FieldError("selection.staircase", "a file for cycles, null for macs", staircase)
        return staircase


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AdaptiveRecipe(Common):
    """How one channel-adaptive network is trained.

    widths: nominal share of the channels in each mode, the widest (1.0) first
    selection: channels of each layer and mode
    base_phase: the widest network alone, in float, before its channels are ordered
    weights: `shared` by all modes, or of each mode alone (`individual`, I-NN)
    teacher: null for no distillation (S-NN)
    weight_bits, activation_bits: of all layers with weights, and of all maps but image and answer
    range_momentum: weight of the old range of a map in the new one, 0 to 1
    """

    format: Literal["hwgen.adaptive_recipe"]
    version: Literal[2]
    model: Model
    widths: Annotated[list[Width], Field(min_length=1)]
    selection: Annotated[Uniform | Given | ByNorm, Field(discriminator="kind")]
    base_phase: Phase
    weights: Literal["shared", "individual"]
    teacher: Teacher | None
    phases: Annotated[list[AdaptivePhase], Field(min_length=1)]
    weight_bits: Bits
    activation_bits: Bits
    range_momentum: Share

    @property
    def schedule(self) -> dict[str, Phase]:
        """The phases by name, in order; `base` and `select` are those before the modes."""
        before: dict[str, Phase] = {BASE: self.base_phase}
        if isinstance(self.selection, ByNorm):
            before[SELECT] = self.selection.phase
        return before | {phase.name: phase for phase in self.phases}

    def with_schedule(self, phases: Mapping[str, Phase], epoch_batches: int | None) -> Self:
        """Return the recipe with other phases of the same names."""
        selection = self.selection
        if isinstance(selection, ByNorm):
            selection = replace(selection, phase=phases[SELECT])
        own = [phases[phase.name] for phase in self.phases]
        return replace(
            self,
            base_phase=phases[BASE],
            selection=selection,
            phases=[phase for phase in own if isinstance(phase, AdaptivePhase)],
            epoch_batches=epoch_batches,
        )

    def staircase_in(self, folder: Path) -> Path | None:
        """Return the file of the staircase that the recipe names, if it does."""
        name = self.selection.staircase if isinstance(self.selection, ByNorm) else None
        return None if name is None else folder / name

    @property
    def modes(self) -> list[str]:
        """Names of the modes."""
        return [mode_name(width) for width in self.widths]

    @field_validator("widths")
    @classmethod
    def falls(cls, widths: list[float]) -> list[float]:
        """The widest mode is the whole network, and no mode comes twice."""
        if widths[0] != 1 or any(b >= a for a, b in itertools.pairwise(widths)):
            raise FieldError("widths", "falling from 1.0", widths)
        return widths

    @field_validator("phases")
    @classmethod
    def ends_quantized(
        cls, phases: list[AdaptivePhase], info: ValidationInfo
    ) -> list[AdaptivePhase]:
        """Every map needs a range in every mode; phases and modes are known by name."""
        last = phases[-1]
        if not last.quantized or last.epochs == 0 or last.modes is not None:
            raise FieldError("phases", "ending with a quantized phase of all modes", "another")
        names = [phase.name for phase in phases]
        if len(set(names)) < len(names):
            raise FieldError("phases", "with different names", names)
        known = [mode_name(width) for width in info.data.get("widths", [])]
        for phase in phases:
            for name in phase.modes or []:
                if name not in known:
                    raise FieldError(f"phases.{phase.name}.modes", f"among {known}", name)
        return phases


def load_adaptive_recipe(path: Path) -> AdaptiveRecipe:
    """Return the recipe in a YAML file; every mistake is one sentence."""
    return load_spec(AdaptiveRecipe, path)
