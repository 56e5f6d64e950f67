"""What each room must export for a family, as types: a new family is a package of that shape."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from hwgen.spec.network import QuantizedNetwork
from hwgen.spec.tiling import LayerTiling

Bytes = NDArray[np.uint8]


class Architecture(Protocol):
    """A frozen dataclass; `digest` covers what decides the Verilog and which programs run."""

    @property
    def name(self) -> str: ...
    @property
    def clock_mhz(self) -> float: ...
    @property
    def digest(self) -> str: ...


class ProgramFacts(Protocol):
    """For whom a program was compiled."""

    @property
    def network(self) -> str: ...
    @property
    def network_name(self) -> str: ...
    @property
    def architecture(self) -> str: ...
    @property
    def architecture_name(self) -> str: ...


class Program(Protocol):
    """One memory image and its facts."""

    @property
    def facts(self) -> ProgramFacts: ...
    @property
    def image(self) -> Bytes: ...


class LayerCycles(Protocol):
    """Cycles from the retirement before a layer to its own."""

    @property
    def name(self) -> str: ...
    @property
    def cycles(self) -> int: ...


class Prediction(Protocol):
    """Cycles of one image; `layers` add up to `cycles`, the chip's own steps among them."""

    @property
    def cycles(self) -> int: ...
    @property
    def load(self) -> int: ...
    @property
    def layers(self) -> Sequence[LayerCycles]: ...


class CycleModel(Protocol):
    """The cycle model of one program."""

    def predict(self, inputs: Sequence[Bytes]) -> Prediction:
        """Return the cycles of one image, from the input map of each layer."""


class BitColumns(Protocol):
    """Bit columns of a layer's inputs."""

    @property
    def zero(self) -> int: ...
    @property
    def total(self) -> int: ...


class ColumnCounter(Protocol):
    """Counts the bit columns of one program's inputs."""

    def count(self, inputs: Sequence[Bytes]) -> Sequence[BitColumns]:
        """Return an entry for each layer of the program."""


class SpecRoom(Protocol):
    """What `hwgen.spec.<family>` exports; ROOMS: which rooms of `hwgen.flow.families` it has."""

    ROOMS: Sequence[str]
    SWITCHES: Sequence[str]

    def load_arch(self, path: Path) -> Architecture: ...
    def with_sparsity(self, arch: Architecture, switches: str) -> Architecture: ...


class ProgramRoom(Protocol):
    """What `hwgen.spec.<family>` exports as well, if the family has programs."""

    def load_program(self, path: Path) -> Program: ...
    def save_program(self, program: Program, path: Path) -> None: ...
    def check_match(
        self, program: Program, arch: Architecture, network: QuantizedNetwork
    ) -> None: ...


class CompilerRoom(Protocol):
    """What `hwgen.compiler.<family>` exports; `layer_cost` is what the model room calls so."""

    def compile_network(
        self, network: QuantizedNetwork, arch: Architecture, *, layer_cost: object = None
    ) -> Program: ...
    def listing(self, program: Program, arch: Architecture) -> str: ...
    def tiling(self, program: Program, arch: Architecture) -> list[LayerTiling]: ...


class ModelRoom(Protocol):
    """What `hwgen.model.<family>` exports.

    must_compile: whether its first use will take up to a minute, because it compiles
    """

    def CycleModel(self, program: Program, arch: Architecture) -> CycleModel: ...  # noqa: N802
    def ColumnCounter(self, program: Program, arch: Architecture) -> ColumnCounter: ...  # noqa: N802
    def SplitCost(self, arch: Architecture) -> object: ...  # noqa: N802
    def must_compile(self) -> bool: ...
    def where_cycles_go(self, prediction: Prediction) -> Mapping[str, float]: ...
    def utilization(self, layers: Sequence[LayerCycles]) -> float | None:
        """Return the share of the active cells that do effective work; None: none is active."""


class RtlRoom(Protocol):
    """What `hwgen.rtl.<family>` exports: the top part of an architecture."""

    def make_chip(self, arch: Architecture) -> Any: ...


class GoldenRoom(Protocol):
    """What `golden.<family>` exports: all maps by layer name, `input` among them."""

    def infer(self, network: QuantizedNetwork, images: Bytes) -> Mapping[str, NDArray[Any]]: ...


class ImageRun(Protocol):
    """What a simulation of one image showed.

    retirements: cycle of each retirement, in the order of a prediction's layers
    maps: by layer name, as golden has them without the first axis; logits: int32
    waves: file of the waves, if they were asked for
    """

    @property
    def cycles(self) -> int: ...
    @property
    def load_cycles(self) -> int: ...
    @property
    def retirements(self) -> Sequence[int]: ...
    @property
    def maps(self) -> Mapping[str, NDArray[Any]]: ...
    @property
    def logits(self) -> NDArray[Any]: ...
    @property
    def waves(self) -> Path | None: ...


class VerifRoom(Protocol):
    """What `verif.<family>` exports.

    waves: a `verif.runner.Waves`; seed: of everything that is garbage at power-on
    """

    def simulate(
        self,
        arch: Architecture,
        program: Program,
        images: Bytes,
        *,
        waves: object = None,
        seed: int = 1,
    ) -> Sequence[ImageRun]: ...
    def write_by_hand(
        self,
        arch: Architecture,
        program: Program,
        images: Bytes,
        logits: NDArray[np.int32],
        folder: Path,
    ) -> Path:
        """Write what runs images beside the folder `verilog` without Python; return the script."""
