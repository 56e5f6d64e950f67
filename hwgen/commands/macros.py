"""The figures of replacements where a chip is synthesized.

Tests: `tests/physical/test_macros.py`.
"""

from collections.abc import Iterator

from hwgen.chip.replacement import AnyReplacement, MemorySpec
from hwgen.chip.rtl.array_part import ArrayPart
from hwgen.chip.rtl.part import Part
from hwgen.chip.rtl.replace import replaceable
from hwgen.chip.widths import bits_for_index
from hwgen.physical.macros import Macro, liberty_figures
from hwgen.physical.modules import Ports

NEEDED = ("area_um2", "access_ns")


def macros_of(top: Part) -> dict[str, Macro]:
    """Return the modules of the replacements in a chip, with their figures.

    Errors: ConfigError for a replacement without figures, or of several sizes
    """
    found: dict[str, Macro] = {}
    for part in replaceable(top).values():
        replacement = part.replacement
        if replacement is None:
            continue
        if isinstance(part, ArrayPart):
            ports, ways = array_ports(part), list(array_ways(part))
        else:
            assert isinstance(replacement.spec, MemorySpec)
            ports, ways = memory_ports(replacement.spec), list(memory_ways(replacement.spec))
        macro = with_figures(replacement, sorted(ports), ways)
        if found.setdefault(macro.module, macro) != macro:
            raise replacement.refuse(
                "parameters", "of one size in a chip whose cost is asked for", "several sizes"
            )
    return found


def with_figures(replacement: AnyReplacement, ports: Ports, ways: list[tuple[str, str]]) -> Macro:
    """Return a module with its figures: those of its file, or of its Liberty where it has none."""
    spec = replacement.spec
    figures = {name: getattr(spec.figures, name, None) for name in (*NEEDED, "leakage_uw")}
    if spec.files.liberty is not None:
        liberty = liberty_figures(replacement.file.parent / spec.files.liberty, spec.module)
        if liberty is None:
            raise replacement.refuse(
                "files.liberty", f"a library with the cell {spec.module}", spec.files.liberty
            )
        figures = {name: figures[name] or getattr(liberty, name) for name in figures}
    for name in NEEDED:
        if figures[name] is None:
            raise replacement.refuse(
                f"figures.{name}", "given, or in files.liberty, for a cost", "nothing"
            )
    return Macro(
        module=spec.module,
        ports=ports,
        ways=ways,
        area_um2=figures["area_um2"] or 0.0,
        leakage_uw=figures["leakage_uw"] or 0.0,
        access_ns=figures["access_ns"] or 0.0,
    )


def memory_ports(spec: MemorySpec) -> Ports:
    """Return the ports of a memory."""
    widths: dict[str, tuple[str, int]] = {}
    for port in spec.ports:
        widths[port.address] = ("input", bits_for_index(spec.words))
        if port.clock is not None:
            widths[port.clock] = ("input", 1)
        if port.data_in is not None:
            widths[port.data_in] = ("input", spec.bits)
        if port.data_out is not None:
            widths[port.data_out] = ("output", spec.bits)
        for pin, width in ((port.select, 1), (port.write, 1), (port.mask, spec.bits // spec.unit)):
            if pin is not None:
                widths[pin.name] = ("input", width)
    return [(name, direction, width) for name, (direction, width) in widths.items()]


def memory_ways(spec: MemorySpec) -> Iterator[tuple[str, str]]:
    """Yield the ways of reads without a clock."""
    for port in spec.ports:
        if port.clock is None and port.data_out is not None:
            yield port.address, port.data_out


def array_ports(part: ArrayPart) -> Ports:
    """Return the ports of a module that stands for an array."""
    replacement = part.replacement
    assert replacement is not None
    widths = part.module_widths(replacement)
    found = {
        pin.name: (direction, widths[name])
        for name, direction, _ in part.ports()
        if (pin := replacement.spec.pin(name)) is not None
    }
    return [(name, direction, width) for name, (direction, width) in found.items()]


def array_ways(part: ArrayPart) -> Iterator[tuple[str, str]]:
    """Yield the ways through such a module."""
    replacement = part.replacement
    assert replacement is not None
    for source, target in part.ways(replacement):
        one, other = replacement.spec.pin(source), replacement.spec.pin(target)
        if one is not None and other is not None:
            yield one.name, other.name
