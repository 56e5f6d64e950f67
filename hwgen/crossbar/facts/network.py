"""What synthesis needs to know of a network: layers, their sizes, and who reads whom.

Only what takes time on a crossbar accelerator is a layer: convolutions, fully connected layers,
poolings and element-wise additions. Activations belong to the layer before them; what only moves
or renames data (flatten, reshape, concat, dropout) is gone, and its readers name the layers behind
it (shared sheet of seed 003, front end and layer model).
"""

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from hwgen.errors import FieldError
from hwgen.files.digests import digest_of
from hwgen.files.load import EXACT

Size = Annotated[int, Field(ge=1)]
Kind = Literal["conv", "fc", "pool", "eltwise"]
Activation = Literal["none", "relu", "sigmoid"]

WITH_WEIGHTS: tuple[Kind, ...] = ("conv", "fc")


Pair = tuple[int, int]
"""Of rows (vertical), of columns (horizontal)."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Columns:
    """What is different along a row, in pixels; padding is that at the left."""

    kernel: Size
    stride: Size
    padding: Annotated[int, Field(ge=0)]
    in_side: Size
    out_side: Size


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CrossbarLayer:
    """One layer; sides are in pixels.

    name: of the node that it comes from, unique
    kind: conv, fc, pool (maximum or average, global too) or eltwise (of its providers)
    providers: places of the layers whose maps it reads, all before its own; empty: the image
    kernel, stride, padding: of the window; padding is that at the top and at the left.
        1, 1, 0 for fc and eltwise. Of rows, and of columns too where `columns` is absent
    in_channels: channels that it reads, those of concatenated providers added up; for fc: inputs
    out_channels: channels (fc: outputs) that it writes
    groups: of a convolution; an output channel reads in_channels / groups
    in_side, out_side: rows of the maps, and columns where `columns` is absent; 1 for fc
    activation: what is applied to its outputs; sigmoid: any function of one element but ReLU
    columns: where windows or maps are not square
    dilation: distance of neighbours in the window, of rows and of columns
    product: of eltwise: the providers are multiplied, not added up; one may have a single pixel,
        which is a factor for each channel
    average: of a pool: the mean of the window, not the maximum
    slope: of a relu: the factor of what is below 0; None: one a channel, loaded with the weights
    limits: least and greatest output in integers, where the file of the network says them
    raw_bits: of sums that are the answer as they are; None: results are requantized
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
    columns: Columns | None = None
    dilation: tuple[Size, Size] = (1, 1)
    product: bool = False
    average: bool = False
    slope: float | None = 0.0
    limits: Pair | None = None
    raw_bits: Literal[32, 64] | None = None

    @property
    def kernels(self) -> Pair:
        """Pixels of the window that are read, in a column and in a row."""
        return self.kernel, self.kernel if self.columns is None else self.columns.kernel

    @property
    def strides(self) -> Pair:
        """Strides of rows and of columns."""
        return self.stride, self.stride if self.columns is None else self.columns.stride

    @property
    def paddings(self) -> Pair:
        """Padding at the top and at the left."""
        return self.padding, self.padding if self.columns is None else self.columns.padding

    @property
    def in_sides(self) -> Pair:
        """Rows and columns of the maps that it reads."""
        return self.in_side, self.in_side if self.columns is None else self.columns.in_side

    @property
    def out_sides(self) -> Pair:
        """Rows and columns of its map."""
        return self.out_side, self.out_side if self.columns is None else self.columns.out_side

    @property
    def spans(self) -> Pair:
        """Rows and columns from the first to the last pixel of the window."""
        (rows, columns), (down, along) = self.kernels, self.dilation
        return (rows - 1) * down + 1, (columns - 1) * along + 1

    @property
    def end_paddings(self) -> Pair:
        """Padding at the bottom and at the right: what the last windows reach beyond the map."""
        rows, columns = (
            max(0, (out_side - 1) * stride + span - padding - in_side)
            for in_side, out_side, stride, span, padding in zip(
                self.in_sides, self.out_sides, self.strides, self.spans, self.paddings, strict=True
            )
        )
        return rows, columns

    @property
    def taps(self) -> int:
        """Pixels of the window that are read."""
        return self.kernels[0] * self.kernels[1]

    @property
    def operands(self) -> int:
        """Elements that make one output of an eltwise layer."""
        return 2 if self.product else len(self.providers)

    @property
    def is_plain(self) -> bool:
        """Whether published rules know it: square, without dilation, no product."""
        return self.columns is None and self.dilation == (1, 1) and not self.product

    @property
    def has_weights(self) -> bool:
        """Whether it takes crossbars."""
        return self.kind in WITH_WEIGHTS

    @property
    def pixels(self) -> int:
        """Output positions of a map."""
        return self.out_sides[0] * self.out_sides[1]

    @property
    def operations(self) -> int:
        """Multiplications and additions for one image; 0 for pool and eltwise, as published."""
        if not self.has_weights:
            return 0
        rows = self.taps * self.in_channels // self.groups
        return 2 * rows * self.out_channels * self.pixels


@dataclass(frozen=True, kw_only=True, config=EXACT)
class CrossbarNetwork:
    """Layers in an order in which each stands behind all that it reads.

    name: for people and for the names of files
    input_channels, input_side: of the image; input_columns: where it is not square
    fused_activations: the front end of the published tool had fused activations into convolutions
        and fully connected layers, and so charged none for them; `published` rules follow it
    """

    name: Annotated[str, Field(min_length=1)]
    input_channels: Size
    input_side: Size
    layers: Annotated[tuple[CrossbarLayer, ...], Field(min_length=1)]
    fused_activations: bool = False
    input_columns: Size | None = None

    @model_validator(mode="after")
    def check(self) -> Self:
        """Names differ, providers come first, somebody holds weights."""
        names = [layer.name for layer in self.layers]
        for name in names:
            if names.count(name) > 1:
                raise FieldError("layers", "each of another name", f"two that are called {name}")
        for place, layer in enumerate(self.layers):
            for provider in layer.providers:
                if provider >= place:
                    raise FieldError(f"{layer.name}.providers", "layers before it", provider)
            if layer.kind == "eltwise" and not layer.providers:
                raise FieldError(f"{layer.name}.providers", "at least one layer", "none")
            for provider in layer.providers:
                if self.layers[provider].raw_bits is not None:
                    raw = self.layers[provider].name
                    raise FieldError(
                        f"{layer.name}.providers", "requantized maps", f"raw sums of {raw}"
                    )
            check_options(layer)
        if not any(layer.has_weights for layer in self.layers):
            raise FieldError("layers", "at least one convolution or fully connected layer", "none")
        return self

    @property
    def input_sides(self) -> Pair:
        """Rows and columns of the image."""
        return self.input_side, self.input_columns or self.input_side

    @property
    def operations(self) -> int:
        """Multiplications and additions for one image."""
        return sum(layer.operations for layer in self.layers)

    @property
    def digest(self) -> str:
        """sha256 over everything, 64 hex digits."""
        facts = without_defaults(asdict(self), NETWORK_DEFAULTS)
        facts["layers"] = [without_defaults(layer, LAYER_DEFAULTS) for layer in facts["layers"]]
        return digest_of(facts)


def check_options(layer: CrossbarLayer) -> None:
    """Refuse options of other kinds of layers."""
    if layer.product and layer.kind != "eltwise":
        raise FieldError(f"{layer.name}.product", "of an eltwise layer", f"a {layer.kind}")
    if layer.average and layer.kind != "pool":
        raise FieldError(f"{layer.name}.average", "of a pool", f"a {layer.kind}")
    if layer.slope != 0 and layer.activation != "relu":
        raise FieldError(f"{layer.name}.slope", "of a relu", f"a {layer.activation}")
    if layer.raw_bits is not None and not (layer.has_weights and layer.activation == "none"):
        given = f"a {layer.kind} with {layer.activation}"
        raise FieldError(
            f"{layer.name}.raw_bits", "of a layer with weights and no activation", given
        )


NETWORK_DEFAULTS: dict[str, Any] = {"input_columns": None}
LAYER_DEFAULTS: dict[str, Any] = {
    "columns": None,
    "dilation": (1, 1),
    "product": False,
    "average": False,
    "slope": 0.0,
    "limits": None,
    "raw_bits": None,
}
"""What stands in digests only where it is different; the digests of square networks are older."""


def without_defaults(facts: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """Return facts without those that have the default."""
    return {
        key: value for key, value in facts.items() if key not in defaults or value != defaults[key]
    }
