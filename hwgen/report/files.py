"""Reports as JSON, and their schemas.

Tests: `tests/commands/test_sweep.py`.
"""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from hwgen.files.output import write_text
from hwgen.report import work
from hwgen.report.agreement import AgreementReport
from hwgen.report.cost import CostReport
from hwgen.report.effects import EffectsReport
from hwgen.report.explore import ExploreReport
from hwgen.report.fit import FitReport
from hwgen.report.imports import ImportReport
from hwgen.report.info import InfoReport
from hwgen.report.installed import CatalogueReport, DoctorReport
from hwgen.report.layout import LayoutCheckReport, LayoutReport
from hwgen.report.model import ModelReport
from hwgen.report.plans import PlanReport
from hwgen.report.run import RunReport
from hwgen.report.self_test import SelfTestReport
from hwgen.report.sweep import SweepReport
from hwgen.report.text import TextReport

REPORTS: dict[str, Any] = {
    "build": work.BuildReport,
    "cache": work.CacheReport,
    "compare": AgreementReport | PlanReport,
    "compile": work.CompileReport,
    "cost": CostReport,
    "doctor": DoctorReport,
    "effects": EffectsReport,
    "explore": ExploreReport,
    "export": work.ExportReport,
    "fit": FitReport,
    "import": ImportReport | PlanReport,
    "info": InfoReport | PlanReport,
    "layout": LayoutReport | LayoutCheckReport,
    "list": CatalogueReport,
    "model": ModelReport | PlanReport,
    "run": RunReport | PlanReport,
    "self_test": SelfTestReport,
    "sweep": SweepReport,
    "text": TextReport,
    "train": work.TrainReport | work.AdaptiveTrainReport | work.CharacterTrainReport,
}
"""By command; `hwgen --schema COMMAND` describes each. Families and studies add more."""

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(kind: Any, *, mode: Literal["serialization", "validation"] = "serialization") -> str:
    """Return the JSON Schema of a type, or of several: what `hwgen --schema` prints.

    mode: validation for a file that is read, some of whose keys may be left out
    """
    schema = TypeAdapter(kind).json_schema(mode=mode)
    return json.dumps({"$schema": DIALECT, **schema}, indent=2) + "\n"


def write_report(report: Any, path: Path) -> None:
    """Write a report as JSON, whole or not at all."""
    write_text(path, report_text(report), what="report")


def report_text(report: Any) -> str:
    """Return a report as JSON; a field such as `class_` has the name of a keyword of Python."""
    plain = asdict(report, dict_factory=lambda items: {key.rstrip("_"): of for key, of in items})
    return json.dumps(plain, indent=2, allow_nan=False) + "\n"
