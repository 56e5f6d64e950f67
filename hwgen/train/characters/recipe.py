"""The recipe of a language model of characters: every number that decides the result."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator
from pydantic.dataclasses import dataclass

from hwgen.errors import FieldError
from hwgen.files.load import EXACT, load_spec
from hwgen.network.layer_norm import SUMS
from hwgen.train.recipe import AdamW, Count, Phase, Positive, Share

PHASES = ("float", "quantized", "maps")
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Decoder:
    """Blocks of causal attention; context: characters that a token reads, its own counted."""

    blocks: Count
    width: Count
    heads: Count
    hidden: Count
    context: Annotated[int, Field(ge=2, multiple_of=2)]

    @field_validator("width")
    @classmethod
    def is_whole(cls, width: int) -> int:
        """A norm reads eight channels at a time."""
        if width % SUMS:
            raise FieldError("architecture.width", f"a multiple of {SUMS}", width)
        return width

    @field_validator("heads")
    @classmethod
    def divides(cls, heads: int, info: ValidationInfo) -> int:
        """Heads split the channels of a token."""
        if (width := info.data.get("width")) and width % heads:
            raise FieldError("architecture.heads", f"a divisor of {width}", heads)
        return heads


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Texts:
    """Where the texts come from; nobody but the user fetches them.

    package, licence: in words
    train, test: sha256 of the unpacked bytes of each text, by its name; none: any text
    """

    package: str
    licence: str
    train: dict[str, Sha256]
    test: dict[str, Sha256]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CharacterRecipe:
    """How a language model is trained from random weights, on weights of two digits, on bytes.

    dropout: of what each part of a block adds
    batch_sequences: of one update, of `context` characters each
    epoch_batches: updates of an epoch, sequences drawn anew each time
    test_characters: that are counted when a network is judged
    calibration_sequences: of the training texts, which show the range of each map
    """

    format: Literal["hwgen.character_recipe"]
    version: Literal[1]
    name: Annotated[str, Field(min_length=1)]
    seed: Annotated[int, Field(ge=0, lt=1 << 31)]
    threads: Count
    texts: Texts
    architecture: Decoder
    dropout: Share
    batch_sequences: Count
    epoch_batches: Count
    optimizer: AdamW
    gradient_norm: Positive | None
    float_phase: Phase
    quantized_phase: Phase
    maps_phase: Phase
    test_characters: Count
    calibration_sequences: Count

    @property
    def schedule(self) -> dict[str, Phase]:
        """The phases by name, in order."""
        return {name: getattr(self, f"{name}_phase") for name in PHASES}

    def until(self, phase: str) -> dict[str, Any]:
        """Return the fields that the weights of a phase depend on."""
        unread = {"texts", "test_characters", "calibration_sequences"}
        unread |= {f"{name}_phase" for name in PHASES[PHASES.index(phase) + 1 :]}
        return {name: value for name, value in asdict(self).items() if name not in unread}


def load_character_recipe(path: Path) -> CharacterRecipe:
    """Return the recipe in a YAML file; every mistake is one sentence."""
    return load_spec(CharacterRecipe, path)
