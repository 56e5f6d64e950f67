"""Whether the numbers of an architecture follow from each other; a message: field|allowed|given."""

from typing import TYPE_CHECKING

from hwgen.crossbar.facts.fabric_check import check_fabric
from hwgen.crossbar.facts.layout import Choice, Floorplan, Placement, floorplan
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import RULES

if TYPE_CHECKING:
    from hwgen.crossbar.facts.arch import Arch, ArchLayer

PLANNED = (
    "copies",
    "blocks",
    "rows",
    "row_tiles",
    "column_tiles",
)
"""What a mapping has in common with a placement."""


def check_arch(arch: "Arch", network: CrossbarNetwork) -> None:
    """Check everything against `network`, which is that of the architecture's own layers."""
    equal("network.digest", "that of the layers below it", network.digest, arch.network.digest)
    equal("adc_bits", "what rows, cells and DACs ask for", arch.point.adc_bits, arch.adc_bits)
    rules = RULES[arch.rules]
    if rules.whole_parts == (arch.point.rram_ratio is not None):
        allowed = "a share under published rules, null under strict ones"
        raise ValueError(f"point.rram_ratio|{allowed}|{arch.point.rram_ratio}")
    for place in range(len(arch.layers)):
        check_mate(arch, place)
    plan = floorplan(network, arch, arch.point, rules, choice_of(arch))
    for place in range(len(arch.layers)):
        check_mapping(arch, place, plan.layers[place])
        check_counts(arch, place)
    check_mesh(arch, plan)
    check_fabric(arch, network, plan)


def equal(field: str, meaning: str, wanted: object, given: object) -> None:
    """Refuse a number that is not what follows from others."""
    if given != wanted:
        raise ValueError(f"{field}|{meaning} ({shown(wanted)})|{shown(given)}")


def shown(value: object) -> str:
    """Return a value for a message: of a digest the beginning."""
    return f"{value}"[:16]


def choice_of(arch: "Arch") -> Choice:
    """Return what a synthesis chose; all else follows."""
    layers = arch.layers
    return Choice(
        copies=tuple(layer.mapping.copies for layer in layers),
        macros=tuple(
            layer.place.macros if owns_macros(arch, place) else 0
            for place, layer in enumerate(layers)
        ),
        mate=tuple(-1 if layer.place.mate is None else layer.place.mate for layer in layers),
        clocks=tuple(layer.mapping.clocks_per_bit for layer in layers),
    )


def has_weights(layer: "ArchLayer") -> bool:
    """Return whether a layer takes crossbars."""
    return layer.kind in ("conv", "fc")


def owns_macros(arch: "Arch", place: int) -> bool:
    """Return whether the macros of a layer are its own: not those of a provider or earlier mate."""
    mate = arch.layers[place].place.mate
    return has_weights(arch.layers[place]) and (mate is None or mate > place)


def check_mate(arch: "Arch", place: int) -> None:
    """Check that two that share their macros agree on that."""
    mate = arch.layers[place].place.mate
    if mate is None:
        return
    field = f"layers.{place}.place.mate"
    if mate >= len(arch.layers) or mate == place:
        raise ValueError(f"{field}|another layer|{mate}")
    if not (has_weights(arch.layers[place]) and has_weights(arch.layers[mate])):
        raise ValueError(f"{field}|none, unless both have weights|{mate}")
    equal(field, "a layer whose mate is this one", place, arch.layers[mate].place.mate)


def check_mapping(arch: "Arch", place: int, plan: Placement) -> None:
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
        raise ValueError(f"layers.{place}.place.macros|{allowed}|{where.macros}")


def check_counts(arch: "Arch", place: int) -> None:
    """Check components: DACs at each row in use, ADCs unless those of a mate serve."""
    layer = arch.layers[place]
    mapping, counts = layer.mapping, layer.counts
    field = f"layers.{place}.counts"
    if RULES[arch.rules].whole_parts:
        drivers = mapping.copies * mapping.rows * mapping.column_tiles * arch.slices
        equal(f"{field}.dac", "one for each row in use", drivers, counts.dac)
    if not has_weights(layer):
        equal(f"{field}.adc", "none without weights", 0, counts.adc)
    elif counts.adc == 0:
        mate = layer.place.mate
        if mate is None or arch.layers[mate].counts.adc == 0:
            raise ValueError(f"{field}.adc|at least 1, in the layer or in its mate|0")


def check_mesh(arch: "Arch", plan: Floorplan) -> None:
    """Check the mesh; of a plan's rows the last ones may be empty."""
    equal("mesh.macros", "those of all layers", plan.macros, arch.mesh.macros)
    equal("mesh.columns", "of a near square", plan.mesh_columns, arch.mesh.columns)
    rows = -(-plan.macros // plan.mesh_columns)
    equal("mesh.rows", "macros / columns, rounded up", rows, arch.mesh.rows)
