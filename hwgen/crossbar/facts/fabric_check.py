"""Whether the fabric in an architecture is the one that follows; a message: field|allowed|given."""

from typing import TYPE_CHECKING

from hwgen.crossbar.facts.fabric import Fabric, Region
from hwgen.crossbar.facts.fabric_plan import Chip, fabric_of
from hwgen.crossbar.facts.layout import Floorplan
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rules import is_strict

if TYPE_CHECKING:
    from hwgen.crossbar.facts.arch import Arch

FOLLOWS = ("clock", "encoding", "orders", "image_node")
LISTS = ("layers", "travels")


def check_fabric(arch: "Arch", network: CrossbarNetwork, plan: Floorplan) -> None:
    """Check that strict architectures have a fabric, and that it is that of their designs."""
    if arch.rules == "published":
        if arch.fabric is not None:
            raise ValueError("fabric|null under published rules, which describe no hardware|given")
        return
    if arch.fabric is None:
        raise ValueError("fabric|present under strict rules|null")
    check_constants(arch, arch.fabric)
    wanted = fabric_of(chip_of(arch, network, plan), arch.fabric.regions)
    for key in FOLLOWS:
        check_equal(f"fabric.{key}", getattr(wanted, key), getattr(arch.fabric, key))
    for key in LISTS:
        ours, theirs = getattr(wanted, key), getattr(arch.fabric, key)
        check_equal(f"number of fabric.{key}", len(ours), len(theirs))
        for place, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            for name, value in vars(one).items():
                if not name.startswith("__"):
                    check_equal(f"fabric.{key}.{place}.{name}", value, getattr(other, name))
    check_regions(arch, arch.fabric.regions)


def chip_of(arch: "Arch", network: CrossbarNetwork, plan: Floorplan) -> Chip:
    """Return what the fabric of an architecture follows from."""
    if arch.fabric is None:
        raise TypeError("an architecture of published rules has no fabric")
    return Chip(
        network=network,
        plan=plan,
        point=arch.point,
        weight_bits=arch.weight_bits,
        activation_bits=arch.activation_bits,
        step_ns=arch.step_ns,
        clocks_per_bit=tuple(layer.mapping.clocks_per_bit for layer in arch.layers),
        constants=arch.fabric.constants,
    )


def check_equal(field: str, wanted: object, given: object) -> None:
    """Refuse what does not follow."""
    if wanted != given:
        raise ValueError(f"{field}|as planned ({f'{wanted}'[:60]})|{f'{given}'[:60]}")


def check_constants(arch: "Arch", fabric: Fabric) -> None:
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


def check_regions(arch: "Arch", regions: tuple[Region, ...]) -> None:
    """Check that regions of a macro follow each other and fit, and that all are there."""
    words = arch.scratchpad.kilobytes * 1024 * 8 // arch.scratchpad.bus_bits
    used: dict[int, int] = {}
    for place, region in enumerate(regions):
        field = f"fabric.regions.{place}"
        check_equal(f"{field}.first_word", used.get(region.macro, 0), region.first_word)
        used[region.macro] = region.first_word + region.words
        if used[region.macro] > words:
            raise ValueError(f"{field}.words|within {words} words|to {used[region.macro]}")
    wanted = {
        (layer.place.merge_macro, "output", place)
        for place, layer in enumerate(arch.layers)
        if any(place in reader.providers for reader in arch.layers)
    }
    wanted |= {
        (macro, "input", place)
        for place, layer in enumerate(arch.layers)
        if sent_providers(arch, place) or holds_image(arch, place)
        for macro in range(layer.place.first_macro, layer.place.first_macro + layer.place.macros)
    }
    given = [(region.macro, region.kind, region.layer) for region in regions]
    check_equal("fabric.regions", sorted(wanted), sorted(given))
    for place, region in enumerate(regions):
        channels = first_channels(arch, region)
        check_equal(f"fabric.regions.{place}.first_channels", channels, region.first_channels)


def holds_image(arch: "Arch", place: int) -> bool:
    """Return whether a layer has the image in regions."""
    return is_strict(arch.rules) and not arch.layers[place].providers


def sent_providers(arch: "Arch", place: int) -> list[int]:
    """Return the providers of a layer whose outputs are not read in place."""
    own = arch.layers[place].place
    only = own.first_macro if own.macros == 1 else None
    providers = arch.layers[place].providers
    return [p for p in providers if arch.layers[p].place.merge_macro != only]


def first_channels(arch: "Arch", region: Region) -> tuple[int, ...]:
    """Return the channel at which each provider of an input region begins."""
    if region.kind == "output":
        return ()
    if holds_image(arch, region.layer):
        return (0,)
    first, found = 0, []
    for provider in sent_providers(arch, region.layer):
        found.append(first)
        first += arch.layers[provider].output.channels
    return tuple(found)
