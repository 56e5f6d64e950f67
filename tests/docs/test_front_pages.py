"""What stands at the front of the house, beside its README, agrees with the house."""

import json
import re
import tomllib
from typing import Any

import pytest
import yaml

import hwgen
from tests.docs.console import ROOT


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_one() -> None:
    assert re.findall(r"^## (\S+?),", text_of("CHANGELOG.md"), re.M)[0] == hwgen.__version__
    assert yaml.safe_load(text_of("CITATION.cff"))["version"] == hwgen.__version__


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "CHANGELOG.md"])
def test_what_a_page_names_exists(page: str) -> None:
    text = text_of(page)
    links = re.findall(r"\]\(([^)#]+)", text)
    files = re.findall(r"`((?:scripts|verif|docs|hwgen)/[\w./]+)", text)
    scripts = re.findall(r"^(scripts/\w+)", text, re.M)
    for path in {*links, *files, *scripts}:
        assert (ROOT / path).exists(), path


def test_the_image_installs_an_extra_that_exists() -> None:
    extras = tomllib.loads(text_of("pyproject.toml"))["project"]["optional-dependencies"]
    (named,) = re.findall(r"/hwgen\[(\w+)\]", text_of("Dockerfile"))
    assert named in extras
    assert 'ENTRYPOINT ["hwgen"]' in text_of("Dockerfile")


def test_the_example_of_a_runner_does_what_lands() -> None:
    jobs = yaml.safe_load(text_of(".github/workflows/tests.yml"))["jobs"]
    assert "bash .ci/run" in [step.get("run") for step in jobs["tests"]["steps"]]


def test_the_first_table_shows_the_transformer_as_its_page_measured_it() -> None:
    page = json.loads(text_of("docs/results/transformers.json"))
    (chip,) = [row for row in page["chips"] if row["network"] == "cifar10_cct"]
    (row,) = [row for row in page["rows"] if row["network"] == "cifar10_cct"]
    assert chip["equal"] and chip["in_time"]
    cycles, dense = chip["cycles_rtl"], chip["dense_cycles_model"]
    shown = f"{row['accuracy']:.2%}".replace("%", " %")
    shown += f" | {cycles:,} | {dense:,} dense (model): {dense / cycles:.2f}x |"
    assert shown in text_of("README.md")
    assert f"{row['different']} of {row['elements']:,} elements" in text_of("README.md")


def test_the_first_table_shows_the_networks_of_the_paper_as_they_were_measured() -> None:
    """All that ran on CIFAR-100, none of them a short training, at one image."""
    found: dict[str, dict[str, Any]] = {}
    for row in json.loads(text_of("docs/results/dbpim-networks.json"))["rows"]:
        if row["case"]["network"].startswith("cifar100") and row["case"]["batch"] == 1:
            found.setdefault(row["case"]["network"], {})[row["case"]["sparsity"]] = row
    assert len(found) == 5
    for runs in found.values():
        sparse, dense = runs["all"], runs["none"]
        assert sparse["outcome"] == dense["outcome"] == "equal"
        assert not sparse["case"]["training"]["short"]
        cycles, slower = (each["measured"]["cycles_rtl"] for each in (sparse, dense))
        right = f"{sparse['case']['training']['accuracy']:.2%}".replace("%", " %")
        shown = f"| {right} | {cycles:,} | {slower:,} dense: {slower / cycles:.2f}x |"
        assert shown in text_of("README.md")
        for page in ("docs/index.md", "docs/training.md"):
            assert right in text_of(page) and f"{slower / cycles:.2f}" in text_of(page)


def test_the_first_table_shows_the_network_of_one_digit_as_its_page_predicts_it() -> None:
    rows = json.loads(text_of("docs/results/dbpim-digits.json"))["rows"]
    found = {row["chip"]: row for row in rows if row["network"] == "cifar10_resnet20_digits"}
    cycles, dense = (found[chip]["cycles"] for chip in ("paper_digits", "dense"))
    right = f"{found['dense']['accuracy']:.2%}".replace("%", " %")
    shown = f"| {right} | {cycles:,} | {dense:,} dense (model): {dense / cycles:.2f}x |"
    assert shown in text_of("README.md")


def test_the_first_table_shows_the_crossbar_chip_as_its_page_measured_it() -> None:
    rows = json.loads(text_of("docs/results/crossbar-chip.json"))["rows"]
    (row,) = [row for row in rows if row["network"] == "cifar10_resnet20_50"]
    assert row["mismatches"] == row["starts_different"] == 0
    assert row["cycles_rtl"] == row["cycles_model"]
    shown = (
        f"| {row['cycles_rtl']:,} | its own schedule: {row['starts_checked']:,} starts, none off"
    )
    assert shown in text_of("README.md")
