"""The architecture that a synthesis answers with: all numbers that a generator of RTL needs.

Macros lie on a mesh along a snake: place p is in row p // columns; even rows run from left to
right, odd rows back. A layer with weights owns a range of places; its outputs come together in its
merge macro. A layer without weights works on the merge macro of its first provider.
"""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import ConfigDict, Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from hwgen.crossbar.facts.arch_check import check_arch
from hwgen.crossbar.facts.fabric import Fabric
from hwgen.crossbar.facts.network import (
    LAYER_DEFAULTS,
    NETWORK_DEFAULTS,
    Activation,
    Columns,
    CrossbarLayer,
    CrossbarNetwork,
    Kind,
    without_defaults,
)
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import RulesName
from hwgen.errors import ConfigError
from hwgen.files.load import read_mapping, shortened, validate_spec

STRICT = ConfigDict(extra="forbid", strict=True)

FORMAT: Literal["hwgen.crossbar.architecture"] = "hwgen.crossbar.architecture"
VERSION: Literal[3] = 3
EARLIER = (1, 2)
DIGEST_KEY = "digest"
"""Of all else in a file but the name, behind it."""

Size = Annotated[int, Field(ge=1)]
Count = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Name = Annotated[str, Field(min_length=1)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Network:
    """The network that it was made for; with the layers below, all of it."""

    name: Name
    digest: Digest
    input_channels: Size
    input_side: Size
    fused_activations: bool
    input_columns: Size | None = None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class ComponentsFile:
    """The constants that it was made with."""

    name: Name
    digest: Digest


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Memory:
    """The scratchpad of each macro; every access moves `bus_bits`."""

    kilobytes: Size
    bus_bits: Size


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Mesh:
    """Rows and columns of macros, of which the last row may not be full; links of `flit_bits`."""

    rows: Size
    columns: Size
    macros: Size
    flit_bits: Size
    hop_ns: Positive


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Window:
    """Kernel, stride and padding (top) in pixels; groups of a convolution."""

    kernel: Size
    stride: Size
    padding: Count
    groups: Size
    bottom_padding: Count
    right_padding: Count


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Map:
    """A map of channels; side in pixels, that of a column where a layer has `columns`."""

    channels: Size
    side: Size


@dataclass(frozen=True, kw_only=True, config=STRICT)
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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Place:
    """Where a layer works: `macros` places from `first_macro` on, outputs meet in `merge_macro`.

    mate: the layer (its place in `layers`) that lives in the same macros and shares their ADCs
    """

    first_macro: Count
    macros: Size
    merge_macro: Count
    mate: Count | None


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Counts:
    """Components of all macros of a layer together; 0 ADCs: it uses those of its mate."""

    dac: Count
    adc: Count
    shift_add: Count
    addition: Count
    relu: Count
    sigmoid: Count
    pool: Count
    eltwise: Count


@dataclass(frozen=True, kw_only=True, config=STRICT)
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


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Arch:
    """A crossbar accelerator for one network.

    format, version: of the file
    name: for people and for the folders of results
    network, components: what it was made from
    rules: how designs were judged
    power_budget_w: what it was made for
    point: what the outer loop of the search chose
    adc_bits: of all ADCs
    weight_bits, activation_bits: of the network's data
    step_ns: length of a pipeline step
    vector_lanes: elements that one operation of a digital unit handles
    scratchpad, mesh: see Memory and Mesh
    fabric: what a generator needs beside; none under published rules, which describe no hardware
    layers: in an order in which each stands behind all that it reads
    """

    format: Literal["hwgen.crossbar.architecture"]
    version: Literal[3]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    network: Network
    components: ComponentsFile
    rules: RulesName
    power_budget_w: Positive
    point: Point
    adc_bits: Size
    weight_bits: Size
    activation_bits: Size
    step_ns: Positive
    vector_lanes: Size
    scratchpad: Memory
    mesh: Mesh
    layers: Annotated[tuple[ArchLayer, ...], Field(min_length=1)]
    fabric: Fabric | None

    @model_validator(mode="after")
    def check(self) -> Self:
        """Numbers that follow from each other; the message is field|allowed|given."""
        try:
            network = self.whole_network
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"].removeprefix("Value error, ")) from None
        check_arch(self, network)
        return self

    @property
    def whole_network(self) -> CrossbarNetwork:
        """The network, rebuilt from its layers."""
        return CrossbarNetwork(
            name=self.network.name,
            input_channels=self.network.input_channels,
            input_side=self.network.input_side,
            layers=tuple(each.layer for each in self.layers),
            fused_activations=self.network.fused_activations,
            input_columns=self.network.input_columns,
        )

    @property
    def slices(self) -> int:
        """Cells that hold one weight."""
        return -(-self.weight_bits // self.point.cell_bits)

    @property
    def bit_steps(self) -> int:
        """Bit steps that feed one input."""
        return -(-self.activation_bits // self.point.dac_bits)

    @property
    def clock_mhz(self) -> float:
        """Clocks in a microsecond; under published rules, which have no clock, pipeline steps."""
        return 1000 / (self.step_ns if self.fabric is None else self.fabric.clock.clock_ns)

    @property
    def digest(self) -> str:
        """sha256 over everything but the name, 64 hex digits."""
        facts = asdict(self)
        del facts["name"]
        facts["network"] = without_defaults(facts["network"], NETWORK_DEFAULTS)
        facts["layers"] = [without_defaults(layer, LAYER_DEFAULTS) for layer in facts["layers"]]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def load_arch(path: Path) -> Arch:
    """Return the architecture in a complete YAML file that is as it was written."""
    return arch_of(read_mapping(path), str(path))


def arch_of(given: dict[str, Any], source: str) -> Arch:
    """Return the architecture in a mapping of JSON's values that came from `source`."""
    check_version(given, source)
    if DIGEST_KEY not in given:
        raise ConfigError(field=DIGEST_KEY, allowed="present", given="nothing", source=source)
    digest = given[DIGEST_KEY]
    facts = {key: value for key, value in given.items() if key != DIGEST_KEY}
    arch = validate_spec(Arch, facts, source=source)
    if digest != arch.digest:
        raise ConfigError(
            field=DIGEST_KEY,
            allowed=f"that of all above it ({arch.digest[:8]}...), which is not changed by hand",
            given=shortened(f"{digest}"),
            source=source,
        )
    return arch


def check_version(given: dict[str, Any], source: str) -> None:
    """Refuse a file of an earlier version, and say how to make one of this."""
    version = given.get("version")
    if given.get("format") == FORMAT and version in EARLIER:
        watts = given.get("power_budget_w")
        power = f"{watts:g}" if isinstance(watts, float | int) else "W"
        raise ConfigError(
            field="version",
            allowed=f"{VERSION}, which `hwgen synthesize NETWORK --power-w {power}` makes anew",
            given=version,
            source=source,
        )


def fabric_of_chip(arch: Arch, source: str) -> Fabric:
    """Return the fabric of an architecture, and refuse one that describes no hardware."""
    if arch.fabric is None:
        raise ConfigError(
            field="rules",
            allowed="strict, which describe hardware: `hwgen synthesize NETWORK --power-w"
            f" {arch.power_budget_w:g} --rules strict` makes a chip",
            given=arch.rules,
            source=source,
        )
    return arch.fabric


def arch_text(arch: Arch) -> str:
    """Return the text of an architecture file; what belongs together stands in one line."""
    plain = json.loads(json.dumps(asdict(arch) | {DIGEST_KEY: arch.digest}))
    return yaml.safe_dump(plain, sort_keys=False, width=100, default_flow_style=None)
