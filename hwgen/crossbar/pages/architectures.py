"""Architecture files as commands read them: what a file says follows, its durations included.

The facts check all but how long operations take; that is the compiled pipeline's to say.
"""

from dataclasses import fields
from pathlib import Path

from hwgen.crossbar.facts import arch as facts
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.arch_fabric import Operation
from hwgen.crossbar.model.durations import operations_in
from hwgen.errors import ConfigError

__all__ = ["Arch", "check_durations", "load_arch"]


def load_arch(path: Path) -> Arch:
    """Return the architecture in a complete YAML file that is as it was written."""
    arch = facts.load_arch(path)
    check_durations(arch, str(path))
    return arch


def check_durations(arch: Arch, source: str) -> None:
    """Refuse the first duration of a chip that is not the compiled pipeline's; source: a file."""
    if arch.fabric is None:
        return
    for layer, wanted in zip(arch.fabric.layers, operations_in(arch, source), strict=True):
        field = f"fabric.layers.{layer.layer}.operations"
        given = layer.operations
        check_equal(f"number of {field}", len(wanted), len(given), source)
        for place, (one, other) in enumerate(zip(wanted, given, strict=True)):
            check_operation(f"{field}.{place}", one, other, source)


def check_operation(field: str, wanted: Operation, given: Operation, source: str) -> None:
    """Refuse an operation of which something does not follow."""
    for each in fields(Operation):
        name = each.name
        check_equal(f"{field}.{name}", getattr(wanted, name), getattr(given, name), source)


def check_equal(field: str, wanted: object, given: object, source: str) -> None:
    """Refuse what does not follow."""
    if wanted != given:
        raise ConfigError(field=field, allowed=f"as planned ({wanted})", given=given, source=source)
