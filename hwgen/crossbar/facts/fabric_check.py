"""Whether the fabric in an architecture is the one that follows; a message: field|allowed|given.

How long operations take is not judged here: that is compared with the pipeline of the evaluator.
"""

from typing import TYPE_CHECKING

from hwgen.crossbar.facts.chip import Chip
from hwgen.crossbar.facts.fabric import Fabric, Region
from hwgen.crossbar.facts.fabric_plan import fabric_of
from hwgen.crossbar.facts.layout import Floorplan
from hwgen.crossbar.facts.network import CrossbarNetwork
from hwgen.crossbar.facts.rings import Ring, rings_of

if TYPE_CHECKING:
    from hwgen.crossbar.facts.arch import Arch

FOLLOWS = ("clock", "adc_rate", "encoding", "orders", "io")
LISTS = ("layers", "macros", "travels")
TOTALS = ("adc", "shift_add", "addition", "relu", "sigmoid", "pool", "eltwise")


def check_fabric(arch: "Arch", network: CrossbarNetwork, plan: Floorplan) -> None:
    """Check that strict architectures have a fabric, and that it is that of their designs."""
    if arch.rules == "published":
        if arch.fabric is not None:
            raise ValueError("fabric|null under published rules, which describe no hardware|given")
        return
    if arch.fabric is None:
        raise ValueError("fabric|present under strict rules|null")
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
    check_counts(arch, arch.fabric)


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
        bus_bits=arch.scratchpad.bus_bits,
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


def check_counts(arch: "Arch", fabric: Fabric) -> None:
    """Check that what is counted, and paid for, is at least what is built in all macros."""
    for name in TOTALS:
        built = sum(getattr(one, "adcs" if name == "adc" else name) for one in fabric.macros)
        counted = sum(getattr(layer.counts, name) for layer in arch.layers)
        if counted < built:
            raise ValueError(
                f"number of {name} in counts|at least those of macros ({built})|{counted}"
            )


def check_regions(arch: "Arch", regions: tuple[Region, ...], rings: list[Ring]) -> None:
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
            raise ValueError(f"{field}.words|within {words} words|to {used[region.macro]}")
