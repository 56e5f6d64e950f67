"""The recipe of a transformer: every number that decides the result, from one YAML file."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic.dataclasses import dataclass

from hwgen.errors import FieldError
from hwgen.files.load import EXACT, load_spec
from hwgen.network.layer_norm import SUMS
from hwgen.train.recipe import Count, InPhases, Phase, Pruning


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Stem:
    """A convolution before the blocks; a kernel as wide as its stride cuts patches."""

    channels: Count
    kernel: Count
    stride: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Architecture:
    """Convolutions, then blocks; the channels of the last convolution are the width of a token.

    hidden: channels between the two layers of a block
    """

    stem: Annotated[list[Stem], Field(min_length=1)]
    heads: Count
    blocks: Count
    hidden: Count

    @field_validator("heads")
    @classmethod
    def divides(cls, heads: int, info: ValidationInfo) -> int:
        """Heads split the channels of a token, and a norm reads eight channels at a time."""
        stem = info.data.get("stem")
        if stem and stem[-1].channels % heads:
            raise FieldError("architecture.heads", f"a divisor of {stem[-1].channels}", heads)
        if stem and stem[-1].channels % SUMS:
            raise FieldError(
                "architecture.stem",
                f"of channels that {SUMS} divides, at its end",
                stem[-1].channels,
            )
        return heads


@dataclass(frozen=True, kw_only=True, config=EXACT)
class TransformerRecipe(InPhases):
    """How a transformer is trained, pruned and trained on integer weights, from random ones.

    calibration_images: the first training images, which show the range of each map
    """

    start: None
    format: Literal["hwgen.transformer_recipe"]
    version: Literal[1]
    architecture: Architecture
    float_phase: Phase
    pruned_phase: Phase
    quantized_phase: Phase
    pruning: Pruning
    calibration_images: Count


def load_transformer_recipe(path: Path) -> TransformerRecipe:
    """Return the recipe in a YAML file; every mistake is one sentence."""
    return load_spec(TransformerRecipe, path)
