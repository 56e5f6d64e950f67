"""The architecture that a synthesis answers with: all numbers that a generator of RTL needs.

Macros lie on a mesh in serpentine order: place p is in row p // columns; even rows run from left to
right, odd rows back. A layer with weights owns a range of places; its outputs come together in its
merge macro. A layer without weights works on the merge macro of its first provider.

An architecture is checked where it is made: its numbers follow from each other. How long operations
take is not judged here: that is compared with the pipeline of the evaluator.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass

from hwgen.chip.registers import Reset
from hwgen.crossbar.facts import arch_layer
from hwgen.crossbar.facts.arch_fabric import ArchFabric, Region
from hwgen.crossbar.facts.chip_plan import ChipPlan, Ring, rings_of
from hwgen.crossbar.facts.fabric_plan import fabric_of
from hwgen.crossbar.facts.holdings import cut_of
from hwgen.crossbar.facts.layout import Choice, Floorplan, Placement, floorplan
from hwgen.crossbar.facts.network import (
    LAYER_DEFAULTS,
    NETWORK_DEFAULTS,
    CrossbarNetwork,
    without_defaults,
)
from hwgen.crossbar.facts.point import POINT_DEFAULTS, AnyPoint
from hwgen.crossbar.facts.rules import RULES, RulesName
from hwgen.errors import ConfigError, FieldError
from hwgen.files.digests import digest_of
from hwgen.files.load import EXACT, field_error, read_mapping, shortened, validate_spec

FORMAT: Literal["hwgen.crossbar.architecture"] = "hwgen.crossbar.architecture"
VERSION: Literal[4] = 4
EARLIER = (1, 2, 3)
DIGEST_KEY = "digest"
"""Of all else in a file but the name and what is `ADDED`, behind it."""
ADDED = ("checksum", "effects", "nonlinear_converters", "read_noise", "reset")
"""Keys that a person adds to the file of a design; without them the chip has no effects, its reads
have no noise, its converters are linear, reset reaches all registers, and checksums count."""

PLANNED = (
    "copies",
    "blocks",
    "rows",
    "row_tiles",
    "column_tiles",
)
"""What a mapping has in common with a placement."""

FOLLOWS = ("clock", "adc_rate", "encoding", "orders", "io")
LISTS = ("layers", "macros", "travels")
TOTALS = ("adc", "shift_add", "addition", "relu", "sigmoid", "pool", "eltwise")


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Arch:
    """A crossbar accelerator for one network.

    format, version: of the file
    name: for people and for the folders of results
    network, components: what it was made from
    rules: how designs were judged
    power_budget_w: what its step was made for, the shortest within it
    point: what the outer loop of the search chose
    adc_bits: of all ADCs
    weight_bits, activation_bits: of the network's data
    step_ns: length of a pipeline step
    vector_lanes: elements that one operation of a digital unit handles
    scratchpad, mesh: see Memory and Mesh
    fabric: what a generator needs beside; none under published rules, which describe no hardware
    layers: in an order in which each stands behind all that it reads
    effects: cells hold levels and converters have offsets, so that its Verilog can err as devices
        do; a file may leave it out, and its chip computes exactly
    nonlinear_converters: beside `effects`; converters have a table of how far their codes are off,
        so that its Verilog can err as files of effects with `converters.nonlinearity` do; a file
        may leave it out
    read_noise: beside `effects`; each read of a column has noise in front of its converter, so that
        its Verilog can err as files of effects with `read` do; a file may leave it out
    reset: what reset reaches: `all` registers, if the file leaves it out, or those of `control`,
        and not the data that they guard
    checksum: the chip judges the checksum of a program before LOAD is done; true, if the file
        leaves it out
    """

    format: Literal["hwgen.crossbar.architecture"]
    version: Literal[4]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]+$")]
    network: arch_layer.Network
    components: arch_layer.ComponentsFile
    rules: RulesName
    power_budget_w: arch_layer.Positive
    point: AnyPoint
    adc_bits: arch_layer.Size
    weight_bits: arch_layer.Size
    activation_bits: arch_layer.Size
    step_ns: arch_layer.Positive
    vector_lanes: arch_layer.Size
    scratchpad: arch_layer.Memory
    mesh: arch_layer.Mesh
    layers: Annotated[tuple[arch_layer.ArchLayer, ...], Field(min_length=1)]
    fabric: ArchFabric | None
    effects: bool = False
    nonlinear_converters: bool = False
    read_noise: bool = False
    reset: Reset = "all"
    checksum: bool = True

    @model_validator(mode="after")
    def check(self) -> Self:
        """Numbers that follow from each other."""
        try:
            network = self.whole_network
        except ValidationError as error:
            raise field_error(error) from None
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
    def is_clipped(self) -> bool:
        """Whether its converters have fewer bits than lose nothing."""
        return self.point.adc_bits < self.point.lossless_bits

    @property
    def clock_mhz(self) -> float:
        """Clocks in a microsecond; under published rules, which have no clock, pipeline steps."""
        return 1000 / (self.step_ns if self.fabric is None else self.fabric.clock.clock_ns)

    def at_clock(self, mhz: float) -> "Arch":
        """Return the chip at the clock of its netlist, by which energy of time counts."""
        own = {field.name: getattr(self, field.name) for field in fields(Arch)}
        return AtClock(**own, netlist_mhz=mhz)

    @property
    def resets_data(self) -> bool:
        """Whether reset reaches the registers of data, too."""
        return self.reset == "all"

    @property
    def digest(self) -> str:
        """sha256 over everything but the name, 64 hex digits."""
        unused = {
            "effects": not self.effects,
            "nonlinear_converters": not self.nonlinear_converters,
            "read_noise": not self.read_noise,
            "reset": self.resets_data,
            "checksum": self.checksum,
        }
        return self._digest(("name", *(key for key, is_unused in unused.items() if is_unused)))

    @property
    def design_digest(self) -> str:
        """The digest of the design without `ADDED`, which a person adds to the file of a design."""
        return self._digest(("name", *ADDED))

    def _digest(self, without: Sequence[str]) -> str:
        """Return the digest of all keys of a file but some."""
        kept = {field.name for field in fields(Arch)}.difference(without)
        facts = {key: value for key, value in asdict(self).items() if key in kept}
        facts["network"] = without_defaults(facts["network"], NETWORK_DEFAULTS)
        facts["point"] = without_defaults(facts["point"], POINT_DEFAULTS)
        facts["layers"] = [without_defaults(layer, LAYER_DEFAULTS) for layer in facts["layers"]]
        return digest_of(facts)


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AtClock(Arch):
    """An architecture at the clock of its netlist; no file has it.

    netlist_mhz: that clock
    """

    netlist_mhz: arch_layer.Positive

    @property
    def clock_mhz(self) -> float:
        """Clocks in a microsecond."""
        return self.netlist_mhz


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
    if digest != arch.design_digest:
        raise ConfigError(
            field=DIGEST_KEY,
            allowed=f"that of all above it ({arch.design_digest[:8]}...), which is not changed by"
            " hand",
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


def fabric_of_chip(arch: Arch, source: str) -> ArchFabric:
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
    facts = asdict(arch) | {DIGEST_KEY: arch.design_digest}
    for key in ("effects", "nonlinear_converters", "read_noise"):
        if not facts[key]:
            del facts[key]
    for key, is_unused in (("reset", arch.resets_data), ("checksum", arch.checksum)):
        if is_unused:
            del facts[key]
    facts["point"] = without_defaults(facts["point"], POINT_DEFAULTS)
    plain = json.loads(json.dumps(facts))
    return yaml.safe_dump(plain, sort_keys=False, width=100, default_flow_style=None)


def check_arch(arch: Arch, network: CrossbarNetwork) -> None:
    """Check everything against `network`, which is that of the architecture's own layers."""
    equal("network.digest", "that of the layers below it", network.digest, arch.network.digest)
    if arch.is_clipped and not arch.effects:
        allowed = "true, since converters have fewer bits than lose nothing"
        raise FieldError("effects", allowed, arch.effects)
    for key in ("nonlinear_converters", "read_noise"):
        if getattr(arch, key) and not arch.effects:
            raise FieldError("effects", f"true beside {key}, which is one of them", arch.effects)
    equal("adc_bits", "what rows, cells and DACs ask for", arch.point.adc_bits, arch.adc_bits)
    rules = RULES[arch.rules]
    if rules.whole_parts == (arch.point.rram_ratio is not None):
        allowed = "a share under published rules, null under strict ones"
        raise FieldError("point.rram_ratio", allowed, arch.point.rram_ratio)
    if arch.point.pairs and not rules.whole_parts:
        allowed = "offset under published rules, which know no others"
        raise FieldError("point.cells", allowed, arch.point.cells)
    for place in range(len(arch.layers)):
        check_partner(arch, place)
    plan = floorplan(network, arch, arch.point, rules, choice_of(arch))
    for place in range(len(arch.layers)):
        check_mapping(arch, place, plan.layers[place])
        check_counts(arch, place)
    check_mesh(arch, plan)
    check_fabric(arch, network, plan)


def equal(field: str, meaning: str, wanted: object, given: object) -> None:
    """Refuse a number that is not what follows from others."""
    if given != wanted:
        raise FieldError(field, f"{meaning} ({shown(wanted)})", shown(given))


def shown(value: object) -> str:
    """Return a value for a message: of a digest the beginning."""
    return f"{value}"[:16]


def choice_of(arch: Arch) -> Choice:
    """Return what a synthesis chose; all else follows."""
    layers = arch.layers
    return Choice(
        copies=tuple(layer.mapping.copies for layer in layers),
        macros=tuple(
            layer.place.macros if owns_macros(arch, place) else 0
            for place, layer in enumerate(layers)
        ),
        partner=tuple(
            -1 if layer.place.partner is None else layer.place.partner for layer in layers
        ),
        clocks=tuple(layer.mapping.clocks_per_bit for layer in layers),
    )


def has_weights(layer: arch_layer.ArchLayer) -> bool:
    """Return whether a layer takes crossbars."""
    return layer.kind in ("conv", "fc")


def owns_macros(arch: Arch, place: int) -> bool:
    """Return whether a layer has macros of its own: not a provider's or an earlier partner's."""
    partner = arch.layers[place].place.partner
    return has_weights(arch.layers[place]) and (partner is None or partner > place)


def check_partner(arch: Arch, place: int) -> None:
    """Check that two that share their macros agree on that."""
    partner = arch.layers[place].place.partner
    if partner is None:
        return
    field = f"layers.{place}.place.partner"
    if partner >= len(arch.layers) or partner == place:
        raise FieldError(field, "another layer", partner)
    if not (has_weights(arch.layers[place]) and has_weights(arch.layers[partner])):
        raise FieldError(field, "none, unless both have weights", partner)
    equal(field, "a layer whose partner is this one", place, arch.layers[partner].place.partner)


def check_mapping(arch: Arch, place: int, plan: Placement) -> None:
    """Check how a layer is cut and where it stands against the plan of the whole chip."""
    layer = arch.layers[place]
    bottom, right = layer.layer.end_paddings
    for key, end in (("bottom_padding", bottom), ("right_padding", right)):
        field = f"layers.{place}.window.{key}"
        equal(field, "what the last windows reach", end, getattr(layer.window, key))
    for key in PLANNED:
        wanted = getattr(plan, key)
        equal(f"layers.{place}.mapping.{key}", "as planned", wanted, getattr(layer.mapping, key))
    crossbars = plan.copies * plan.crossbars
    field = f"layers.{place}.mapping.crossbars"
    equal(field, "copies x tiles x slices", crossbars, layer.mapping.crossbars)
    where = layer.place
    for key, meaning, wanted in (
        ("first_macro", "the first that is free, or its host's", plan.macros.start),
        ("macros", "those of its host", len(plan.macros)),
        ("merge_macro", "where its outputs meet", plan.merge_macro),
    ):
        equal(f"layers.{place}.place.{key}", meaning, wanted, getattr(where, key))
    most = plan.copies * plan.row_tiles
    if has_weights(layer) and where.macros > most:
        allowed = f"at most copies x row_tiles ({most})"
        raise FieldError(f"layers.{place}.place.macros", allowed, where.macros)


def check_counts(arch: Arch, place: int) -> None:
    """Check components: DACs at each row in use, ADCs unless those of a partner serve."""
    layer = arch.layers[place]
    mapping, counts = layer.mapping, layer.counts
    field = f"layers.{place}.counts"
    if RULES[arch.rules].whole_parts:
        drivers = 0
        if has_weights(layer):
            cut = cut_of(layer.layer, arch.point.side, arch.slices, pairs=arch.point.pairs)
            drivers = mapping.copies * cut.drivers * cut.slices
        equal(f"{field}.dac", "one for each row in use", drivers, counts.dac)
    if not has_weights(layer):
        equal(f"{field}.adc", "none without weights", 0, counts.adc)
    elif counts.adc == 0:
        partner = layer.place.partner
        if partner is None or arch.layers[partner].counts.adc == 0:
            raise FieldError(f"{field}.adc", "at least 1, in the layer or in its partner", "0")


def check_mesh(arch: Arch, plan: Floorplan) -> None:
    """Check the mesh; of a plan's rows the last ones may be empty."""
    equal("mesh.macros", "those of all layers", plan.macros, arch.mesh.macros)
    equal("mesh.columns", "of a near square", plan.mesh_columns, arch.mesh.columns)
    rows = -(-plan.macros // plan.mesh_columns)
    equal("mesh.rows", "macros / columns, rounded up", rows, arch.mesh.rows)


def check_fabric(arch: Arch, network: CrossbarNetwork, plan: Floorplan) -> None:
    """Check that strict architectures have a fabric, and that it is that of their designs."""
    if arch.rules == "published":
        if arch.fabric is not None:
            raise FieldError(
                "fabric", "null under published rules, which describe no hardware", "given"
            )
        return
    if arch.fabric is None:
        raise FieldError("fabric", "present under strict rules", "null")
    check_constants(arch, arch.fabric)
    chip = chip_of(arch, network, plan)
    check_regions(arch, arch.fabric.regions, rings_of(chip))
    check_equal("number of fabric.layers", len(network.layers), len(arch.fabric.layers))
    operations = [layer.operations for layer in arch.fabric.layers]
    wanted = fabric_of(chip, operations, arch.fabric.regions, arch.fabric.stream)
    for key in FOLLOWS:
        check_equal(f"fabric.{key}", getattr(wanted, key), getattr(arch.fabric, key))
    for key in LISTS:
        ours, theirs = getattr(wanted, key), getattr(arch.fabric, key)
        check_equal(f"number of fabric.{key}", len(ours), len(theirs))
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            for name, value in vars(one).items():
                if not name.startswith("__"):
                    check_equal(f"fabric.{key}.{place}.{name}", value, getattr(other, name))
    check_totals(arch, arch.fabric)


def chip_of(arch: Arch, network: CrossbarNetwork, plan: Floorplan) -> ChipPlan:
    """Return what the fabric of an architecture follows from."""
    if arch.fabric is None:
        raise TypeError("an architecture of published rules has no fabric")
    return ChipPlan(
        network=network,
        plan=plan,
        point=arch.point,
        weight_bits=arch.weight_bits,
        activation_bits=arch.activation_bits,
        step_ns=arch.step_ns,
        clock_ns=arch.fabric.clock.clock_ns,
        clocks_per_bit=tuple(layer.mapping.clocks_per_bit for layer in arch.layers),
        constants=arch.fabric.constants,
        bus_bits=arch.scratchpad.bus_bits,
    )


def check_equal(field: str, wanted: object, given: object) -> None:
    """Refuse what does not follow."""
    if wanted != given:
        raise FieldError(field, f"as planned ({f'{wanted}'[:60]})", f"{given}"[:60])


def check_constants(arch: Arch, fabric: ArchFabric) -> None:
    """Check that the constants are those of the parts that the architecture names."""
    constants = fabric.constants
    for name, wanted, given in (
        ("crossbar.side", arch.point.side, constants.crossbar.side),
        ("adc.bits", arch.adc_bits, constants.adc.bits),
        ("dac.bits", arch.point.dac_bits, constants.dac.bits),
        ("vector_units.lanes", arch.vector_lanes, constants.vector_units.lanes),
        ("scratchpad.kilobytes", arch.scratchpad.kilobytes, constants.scratchpad.kilobytes),
        ("network_on_chip.flit_bits", arch.mesh.flit_bits, constants.network_on_chip.flit_bits),
    ):
        check_equal(f"fabric.constants.{name}", wanted, given)


def check_totals(arch: Arch, fabric: ArchFabric) -> None:
    """Check that what is counted, and paid for, is at least what is built in all macros."""
    for name in TOTALS:
        built = sum(getattr(one, "adcs" if name == "adc" else name) for one in fabric.macros)
        counted = sum(getattr(layer.counts, name) for layer in arch.layers)
        if counted < built:
            raise FieldError(
                f"number of {name} in counts", f"at least those of macros ({built})", counted
            )


def check_regions(arch: Arch, regions: tuple[Region, ...], rings: list[Ring]) -> None:
    """Check that regions of a macro follow each other and fit, and that all are there."""
    words = arch.scratchpad.kilobytes * 1024 * 8 // arch.scratchpad.bus_bits
    check_equal("number of fabric.regions", len(rings), len(regions))
    used: dict[int, int] = {}
    for place, (region, ring) in enumerate(zip(regions, rings, strict=True)):
        field = f"fabric.regions.{place}"
        for name in ring._fields:
            check_equal(f"{field}.{name}", getattr(ring, name), getattr(region, name))
        check_equal(f"{field}.first_word", used.get(region.macro, 0), region.first_word)
        used[region.macro] = region.first_word + region.words
        if used[region.macro] > words:
            raise FieldError(f"{field}.words", f"within {words} words", f"to {used[region.macro]}")
