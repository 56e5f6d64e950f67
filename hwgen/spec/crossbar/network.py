"""What synthesis needs to know of a network: layers, their sizes, and who reads whom.

Only what takes time on a crossbar accelerator is a layer: convolutions, fully connected layers,
poolings and element-wise additions. Activations belong to the layer before them; what only moves
or renames data (flatten, reshape, concat, dropout) is gone, and its readers name the layers behind
it (shared sheet of seed 003, front end and layer model).
"""

import hashlib
import json
from dataclasses import asdict
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid", strict=True)

Size = Annotated[int, Field(ge=1)]
Kind = Literal["conv", "fc", "pool", "eltwise"]
Activation = Literal["none", "relu", "sigmoid"]

WITH_WEIGHTS: tuple[Kind, ...] = ("conv", "fc")


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CrossbarLayer:
    """One layer; maps are square, sides are in pixels.

    name: of the node that it comes from, unique
    kind: conv, fc, pool (maximum or average, global too) or eltwise (addition of its providers)
    providers: places of the layers whose maps it reads, all before its own; empty: the image
    kernel, stride, padding: of the window; padding is that at the top and at the left.
        1, 1, 0 for fc and eltwise
    in_channels: channels that it reads, those of concatenated providers added up; for fc: inputs
    out_channels: channels (fc: outputs) that it writes
    groups: of a convolution; an output channel reads in_channels / groups
    in_side, out_side: sides of the maps; 1 for fc
    activation: what is applied to its outputs
    """

    name: Annotated[str, Field(min_length=1)]
    kind: Kind
    providers: tuple[Annotated[int, Field(ge=0)], ...]
    kernel: Size
    stride: Size
    padding: Annotated[int, Field(ge=0)]
    in_channels: Size
    out_channels: Size
    groups: Size
    in_side: Size
    out_side: Size
    activation: Activation

    @property
    def has_weights(self) -> bool:
        """Whether it takes crossbars."""
        return self.kind in WITH_WEIGHTS

    @property
    def pixels(self) -> int:
        """Output positions of a map."""
        return self.out_side * self.out_side

    @property
    def operations(self) -> int:
        """Multiplications and additions for one image; 0 for pool and eltwise, as published."""
        if not self.has_weights:
            return 0
        rows = self.kernel * self.kernel * self.in_channels // self.groups
        return 2 * rows * self.out_channels * self.pixels


@dataclass(frozen=True, kw_only=True, config=STRICT)
class CrossbarNetwork:
    """Layers in an order in which each stands behind all that it reads.

    name: for people and for the names of files
    input_channels, input_side: of the image
    fused_activations: the front end of the published tool had fused activations into convolutions
        and fully connected layers, and so charged none for them; `published` rules follow it
    """

    name: Annotated[str, Field(min_length=1)]
    input_channels: Size
    input_side: Size
    layers: Annotated[tuple[CrossbarLayer, ...], Field(min_length=1)]
    fused_activations: bool = False

    @model_validator(mode="after")
    def check(self) -> Self:
        """Names differ, providers come first, somebody holds weights; field|allowed|given."""
        names = [layer.name for layer in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"layers|each of another name|two that are called {name}")
        for place, layer in enumerate(self.layers):
            for provider in layer.providers:
                if provider >= place:
                    raise ValueError(f"{layer.name}.providers|layers before it|{provider}")
            if layer.kind == "eltwise" and not layer.providers:
                raise ValueError(f"{layer.name}.providers|at least one layer|none")
        if not any(layer.has_weights for layer in self.layers):
            raise ValueError("layers|at least one convolution or fully connected layer|none")
        return self

    @property
    def operations(self) -> int:
        """Multiplications and additions for one image."""
        return sum(layer.operations for layer in self.layers)

    @property
    def digest(self) -> str:
        """sha256 over everything, 64 hex digits."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()
