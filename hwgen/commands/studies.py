"""Find the studies of all installed packages; nothing else imports one.

A study is a package that an entry point of the group `hwgen.studies` names. Its module `command`
adds commands to the command line when it is imported. Its module `report` holds `REPORTS`: the
types of its reports by the name of their schema.
"""

import importlib
from collections.abc import Iterator
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from hwgen.errors import plain_line

GROUP = "hwgen.studies"
OURS = ("paper", "results")
"""Commands of the studies of this project, which are a distribution of their own."""
INSTALL = "pip install ./studies in a clone of hwgen"


def studies() -> list[EntryPoint]:
    """Return the studies by name."""
    return sorted(entry_points(group=GROUP), key=lambda study: study.name)


def add_commands() -> Iterator[str]:
    """Let every study add its commands; a sentence for each that cannot."""
    for study in studies():
        try:
            module_of(study, "command")
        except Exception as error:
            reason = plain_line(f"{type(error).__name__}: {error}")
            yield f"the study {study.name} has no commands: it cannot be imported ({reason})"


def reports_of_studies() -> dict[str, type]:
    """Return the types of the reports of all studies, by the name of their schema."""
    found: dict[str, type] = {}
    for study in studies():
        found |= module_of(study, "report").REPORTS
    return found


def module_of(study: EntryPoint, name: str) -> ModuleType:
    """Return a module of a study."""
    return importlib.import_module(f"{study.value}.{name}")
