"""The reports of `hwgen train`, `compile`, `build`, `export`: what they wrote; and of `cache`."""

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.chip.tiling import LayerTiling
from hwgen.files.load import EXACT
from hwgen.report.routed import RoutedChip
from hwgen.report.types import Count, Digest, Fraction, ReplacedPart, Setting, Source
from hwgen.report.writing import RunEffects


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Accuracy:
    """Fraction of the test images that are right: in float, in pruned float, and in integers."""

    float: Fraction
    pruned: Fraction
    integer: Fraction


@dataclass(frozen=True, kw_only=True, config=EXACT)
class TrainReport:
    """The quantized network file that training wrote, and its accuracy.

    reused: the result was cached, nothing was trained
    training: content of `training.json` beside the network: seed, split, recipe, history
    """

    format: Literal["hwgen.report.train"]
    version: Literal[1]
    recipe: str
    network: Source
    accuracy: Accuracy
    reused: bool
    training: dict[str, Any]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ModeAccuracy:
    """One mode: fraction of the test images that are right in float and in integers.

    macs: multiplications of one image
    """

    mode: str
    float: Fraction
    integer: Fraction
    macs: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AdaptiveTrainReport:
    """The quantized network files of a channel-adaptive training, and the accuracy of its modes.

    networks: one file with all modes, or one for each mode alone
    reused: the result was cached, nothing was trained
    training: content of `training.json` beside the networks: seed, split, recipe, history
    """

    format: Literal["hwgen.report.train_adaptive"]
    version: Literal[1]
    recipe: str
    networks: list[Source]
    modes: list[ModeAccuracy]
    reused: bool
    training: dict[str, Any]


Bits = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class BitsACharacter:
    """Mean of -log2 of the share that a language model gives to the next character of a text.

    float: of the float model; two_digits: with weights of two digits; integer: of the network file,
        by golden; characters: that were counted
    """

    float: Bits
    two_digits: Bits
    integer: Bits
    characters: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CharacterTrainReport:
    """The network file that the training of a language model wrote, and how well it foresees.

    training: content of `training.json` beside the network: seed, texts, recipe, history
    """

    format: Literal["hwgen.report.train_characters"]
    version: Literal[1]
    recipe: str
    network: Source
    bits: BitsACharacter
    training: dict[str, Any]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CompileReport:
    """The program that was written, and how it tiles each layer."""

    format: Literal["hwgen.report.compile"]
    version: Literal[1]
    network: Source
    architecture: Source
    configuration: dict[str, Any]
    program: Source
    bytes: Count
    layers: list[LayerTiling]
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class BuildReport:
    """The Verilog that was written.

    modules: instances of each module in the whole chip, by name
    replaced: parts that others stand for
    digest: over the names and bytes of all files but the list, which names the folder
    routed: on an FPGA; null: it was not
    """

    format: Literal["hwgen.report.build"]
    version: Literal[1]
    architecture: Source
    configuration: dict[str, Any]
    folder: str
    top: str
    files: list[str]
    modules: dict[str, Count]
    replaced: list[ReplacedPart]
    digest: Digest
    versions: dict[str, str]
    routed: RoutedChip | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ExportReport:
    """The folder that was written, and its script that builds and runs the simulation.

    effects: of devices that err, in the memory image and the answers; null: both are exact
    """

    format: Literal["hwgen.report.export"]
    version: Literal[1]
    setting: Setting
    folder: str
    script: str
    effects: RunEffects | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CachedKind:
    """Results of one kind that were kept.

    entries, bytes: before anything was cleared
    """

    name: str
    what: str
    folder: str
    entries: Count
    bytes: Count
    cleared: bool


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CacheReport:
    """What commands keep to be faster next time."""

    format: Literal["hwgen.report.cache"]
    version: Literal[1]
    kinds: list[CachedKind]
