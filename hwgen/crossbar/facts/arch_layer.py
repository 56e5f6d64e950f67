"""The parts of an architecture file but its fabric: the network, and what each layer has."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.crossbar.facts.network import Activation, Columns, CrossbarLayer, Kind
from hwgen.files.load import EXACT

Size = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Network:
    """The network that it was made for; with the layers below, all of it."""

    name: Name
    digest: Digest
    input_channels: Size
    input_side: Size
    fused_activations: bool
    input_columns: Size | None = None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ComponentsFile:
    """The constants that it was made with."""

    name: Name
    digest: Digest


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Memory:
    """The scratchpad of each macro; every access moves `bus_bits`."""

    kilobytes: Size
    bus_bits: Size


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Mesh:
    """Rows and columns of macros, of which the last row may not be full; links of `flit_bits`."""

    rows: Size
    columns: Size
    macros: Size
    flit_bits: Size
    hop_ns: Positive


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Window:
    """Kernel, stride and padding (top) in pixels; groups of a convolution."""

    kernel: Size
    stride: Size
    padding: Count
    groups: Size
    bottom_padding: Count
    right_padding: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Map:
    """A map of channels; side in pixels, that of a column where a layer has `columns`."""

    channels: Size
    side: Size


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Mapping:
    """How the work of a layer is cut.

    copies: of the weights (WtDup), or pixels that a layer without weights handles at a time
    blocks: computation blocks of an image; each handles `copies` pixels, the last one maybe fewer
    rows: of weights, that is inputs that meet in one output; row_tiles, column_tiles: crossbars
        that one cell slice of one copy takes; all 0 without weights
    crossbars: of all copies, slices and tiles
    clocks_per_bit: pipeline steps in which the ADCs of a macro work off one input bit
    """

    copies: Size
    blocks: Size
    rows: Count
    row_tiles: Count
    column_tiles: Count
    crossbars: Count
    clocks_per_bit: Size


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Place:
    """Where a layer works: `macros` places from `first_macro` on, outputs meet in `merge_macro`.

    partner: the layer (its place in `layers`) that lives in the same macros and shares their ADCs
    """

    first_macro: Count
    macros: Size
    merge_macro: Count
    partner: Count | None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Counts:
    """Components of all macros of a layer together; 0 ADCs: it uses those of its partner."""

    dac: Count
    adc: Count
    shift_add: Count
    addition: Count
    relu: Count
    sigmoid: Count
    pool: Count
    eltwise: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class ArchLayer:
    """One layer: what it computes, and what computes it.

    providers: places in `layers` of those that it reads, the image if none
    activation: what is applied to its outputs
    columns, dilation, product, average, slope, limits, raw_bits: as in `CrossbarLayer`
    """

    name: Name
    kind: Kind
    activation: Activation
    providers: tuple[Count, ...]
    window: Window
    input: Map
    output: Map
    mapping: Mapping
    place: Place
    counts: Counts
    columns: Columns | None = None
    dilation: tuple[Size, Size] = (1, 1)
    product: bool = False
    average: bool = False
    slope: float | None = 0.0
    limits: tuple[int, int] | None = None
    raw_bits: Literal[32, 64] | None = None

    @property
    def layer(self) -> CrossbarLayer:
        """The layer of the network."""
        return CrossbarLayer(
            name=self.name,
            kind=self.kind,
            providers=self.providers,
            kernel=self.window.kernel,
            stride=self.window.stride,
            padding=self.window.padding,
            in_channels=self.input.channels,
            out_channels=self.output.channels,
            groups=self.window.groups,
            in_side=self.input.side,
            out_side=self.output.side,
            activation=self.activation,
            columns=self.columns,
            dilation=self.dilation,
            product=self.product,
            average=self.average,
            slope=self.slope,
            limits=self.limits,
            raw_bits=self.raw_bits,
        )
