"""`hwgen --schema NAME`: the JSON Schemas of reports, network files and replacements.

Tests: `tests/commands/test_schemas.py`.
"""

from collections.abc import Callable
from functools import partial

from hwgen.chip.family import Family
from hwgen.chip.replacement import AnySpec
from hwgen.commands.families import offering
from hwgen.commands.studies import reports_of_studies
from hwgen.errors import ConfigError, with_near
from hwgen.network.schema import graph_schema
from hwgen.report.files import REPORTS, schema_of


def schema(name: str) -> str:
    """Return a schema as JSON.

    name: of the command whose report it describes, `network` for the graph of a network file, or
        `replacement` for the file of a part; another one is a ConfigError that lists all
    """
    known = schemas()
    if name not in known:
        allowed = f"one of {', '.join(known)}"
        raise ConfigError(
            field="--schema", allowed=allowed, given=with_near(name, known), source="command line"
        )
    return known[name]()


def schemas() -> dict[str, Callable[[], str]]:
    """Return what makes each schema, by its name; families and studies add theirs."""
    reports = REPORTS | reports_of_studies()
    for family in offering(Family.report_schemas):
        reports |= family.need(Family.report_schemas).REPORTS
    found: dict[str, Callable[[], str]] = {
        name: partial(schema_of, kind) for name, kind in reports.items()
    }
    found["network"] = graph_schema
    found["replacement"] = partial(schema_of, AnySpec, mode="validation")
    return dict(sorted(found.items()))
