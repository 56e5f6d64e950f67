"""Find the studies of all installed packages; nothing else imports one.

A study is a package that an entry point of the group `hwgen.studies` names. Its module `command`
adds commands to the command line when it is imported. Its module `report` may hold `REPORTS`: the
types of its reports by the name of their schema. A family may ask for more: see `offered`.
"""

import importlib
import importlib.util
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any

from hwgen.errors import plain_line

GROUP = "hwgen.studies"
PROJECT = "hwgen"


def studies() -> list[EntryPoint]:
    """Return the studies by name."""
    return sorted(entry_points(group=GROUP), key=lambda study: study.name)


def is_ours(study: EntryPoint) -> bool:
    """Return whether this project ships a study."""
    return study.dist is not None and study.dist.name == PROJECT


def add_commands() -> Iterator[str]:
    """Let every study add its commands; a sentence for each of another package that cannot."""
    for study in studies():
        try:
            module_of(study, "command")
        except Exception as error:
            if is_ours(study):
                raise
            reason = plain_line(f"{type(error).__name__}: {error}")
            yield f"the study {study.name} has no commands: it cannot be imported ({reason})"


def reports_of_studies() -> dict[str, type]:
    """Return the types of the reports of this project's studies, by the name of their schema."""
    found: dict[str, type] = {}
    for study in filter(is_ours, studies()):
        found |= module_of(study, "report").REPORTS
    return found


def offered(module: str, name: str) -> Iterator[tuple[str, Any]]:
    """Yield what studies hold under a name in one of their modules, after the study's package.

    A study without such a module offers nothing, nor does one of another package that fails.
    """
    for study in studies():
        try:
            if importlib.util.find_spec(f"{study.value}.{module}") is not None:
                found = vars(module_of(study, module))
                if name in found:
                    yield study.value, found[name]
        except Exception:
            if not is_ours(study):
                continue
            raise


def module_of(study: EntryPoint, name: str) -> ModuleType:
    """Return a module of a study."""
    return importlib.import_module(f"{study.value}.{name}")
