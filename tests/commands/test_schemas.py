"""Schemas are printed by name, and say what they describe."""

import json

import jsonschema
import pytest

from hwgen.cli import main
from hwgen.commands.schemas import schema, schemas
from hwgen.errors import ConfigError


@pytest.mark.parametrize("name", schemas())
def test_every_schema_is_one(name: str) -> None:
    jsonschema.Draft202012Validator.check_schema(json.loads(schema(name)))


@pytest.mark.promise("`hwgen --schema NAME` prints the schema of a report, a network or a part")
def test_a_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--schema", "run"]) == 0
    printed = capsys.readouterr().out
    assert printed == schema("run") and "cycles_rtl" in printed
    assert {"network", "replacement", "paper_dbpim", "synthesize"} <= schemas().keys()


def test_another_name_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ConfigError, match="--schema must be one of"):
        schema("Run")
    assert main(["--schema", "Run"]) == 2
    assert "got Run: did you mean run?" in capsys.readouterr().err
