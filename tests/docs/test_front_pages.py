"""What stands at the front of the house, beside its README, agrees with the house."""

import json
import re
import tomllib
from typing import Any

import pytest
import yaml

import hwgen
from hwgen import api
from hwgen.commands.clocks import timed
from hwgen.files.shipped import tables
from tests.docs.console import ROOT

FIGURES = "docs/figures.md"
ROW = re.compile(
    r"^\| ([^|]+) \| ([\d. to%]+) \| ([\d,to ]+) \| ([\d.to ]+) \| ([\d.to ]+) \| ([\d.]+) \|$",
    re.M,
)
"""Chip, accuracy, cycles, us, uJ, mm2: several, of modes, are parted by ` to `."""


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_version_is_one() -> None:
    assert re.findall(r"^## (\S+?),", text_of("CHANGELOG.md"), re.M)[0] == hwgen.__version__
    assert yaml.safe_load(text_of("CITATION.cff"))["version"] == hwgen.__version__


@pytest.mark.parametrize("page", ["CONTRIBUTING.md"])
def test_what_a_page_names_exists(page: str) -> None:
    text = text_of(page)
    links = re.findall(r"\]\(([^)#]+)", text)
    files = re.findall(r"`((?:scripts|verif|docs|hwgen)/[\w./]+)", text)
    scripts = re.findall(r"^(scripts/\w+)", text, re.M)
    for path in {*links, *files, *scripts}:
        assert (ROOT / path).exists(), path


def test_the_image_installs_extras_that_exist_in_pinned_versions() -> None:
    extras = tomllib.loads(text_of("pyproject.toml"))["project"]["optional-dependencies"]
    (named,) = re.findall(
        r"--constraint /hwgen/constraints.txt '/hwgen\[([\w,]+)\]'", text_of("Dockerfile")
    )
    assert set(named.split(",")) <= set(extras)
    assert 'ENTRYPOINT ["hwgen"]' in text_of("Dockerfile")


def test_the_example_of_a_runner_does_what_lands() -> None:
    jobs = yaml.safe_load(text_of(".github/workflows/tests.yml"))["jobs"]
    assert "bash .ci/run" in [step.get("run") for step in jobs["tests"]["steps"]]


def test_the_table_shows_the_transformer_as_its_page_measured_it() -> None:
    page = json.loads(text_of("studies/results/transformers.json"))
    (chip,) = [row for row in page["chips"] if row["network"] == "cifar10_cct"]
    (row,) = [row for row in page["rows"] if row["network"] == "cifar10_cct"]
    assert chip["equal"] and chip["in_time"]
    cycles, dense = chip["cycles_rtl"], chip["dense_cycles_model"]
    shown = f"{row['accuracy']:.2%}".replace("%", " %")
    shown += f" | {cycles:,} | {dense:,} dense (model): {dense / cycles:.2f}x |"
    assert shown in text_of(FIGURES)
    assert f"{row['different']} of {row['elements']:,} elements" in text_of(FIGURES)


def test_networks_that_do_not_ship_are_dated_history_with_their_base() -> None:
    """All that ran on CIFAR-100, none of them a short training, at one image; on no front page."""
    found: dict[str, dict[str, Any]] = {}
    for row in json.loads(text_of("studies/results/dbpim-networks-2026-11-27.json"))["rows"]:
        if row["case"]["network"].startswith("cifar100") and row["case"]["batch"] == 1:
            found.setdefault(row["case"]["network"], {})[row["case"]["sparsity"]] = row
    assert len(found) == 5
    history = text_of("docs/training.md").partition("### Networks that do not ship")[2]
    for runs in found.values():
        sparse, dense = runs["all"], runs["none"]
        assert sparse["outcome"] == dense["outcome"] == "equal"
        assert not sparse["case"]["training"]["short"]
        cycles, slower = (each["measured"]["cycles_rtl"] for each in (sparse, dense))
        right = f"{sparse['case']['training']['accuracy']:.2%}".replace("%", " %")
        (row,) = re.findall(
            rf"^\| \w+ \| ([\d.]+) % \| {right} \| \**([-\d.]+)\** \| {slower:,} / {cycles:,} \|"
            rf" {slower / cycles:.2f}x \|",
            history,
            re.M,
        )
        assert float(row[1]) == pytest.approx(float(row[0]) - float(right[:-2]), abs=0.051)
        for page in ("README.md", FIGURES, "docs/index.md"):
            assert f"{cycles:,}" not in text_of(page), page


def test_accuracies_of_shipped_networks_stand_beside_their_base() -> None:
    """Float, integers without pruning, and as it runs, by the records of the trainings."""
    table = text_of("configs/networks/README.md").partition("| blocks pruned |")[2]
    (base,) = re.findall(r"^\| 0 % \| [\d.]+ % \| - \| ([\d.]+ %) \|", table, re.M)
    on_figures = ("cifar10_resnet20_50", "cifar10_resnet20_digits")
    others = ("int4_50", "int8_60", "int8_60_seed2", "digits_60")
    for name in (*on_figures, *(f"cifar10_resnet20_{each}" for each in others)):
        accuracy = json.loads(text_of(f"configs/networks/{name}.training.json"))["accuracy"]
        told = {k: f"{each:.2%}".replace("%", " %") for k, each in accuracy.items()}
        shown = [told["float"], base, told["integer"]]
        if name in on_figures:
            assert f"| {' | '.join(shown)} |" in text_of(FIGURES), name
        shown.insert(2, told["pruned"])
        assert f"| `{name}` | {' | '.join(shown)} |" in text_of("docs/training.md")


def test_the_table_shows_the_network_of_one_digit_as_its_page_predicts_it() -> None:
    rows = json.loads(text_of("studies/results/dbpim-digits.json"))["rows"]
    found = {row["chip"]: row for row in rows if row["network"] == "cifar10_resnet20_digits"}
    cycles, dense = (found[chip]["cycles"] for chip in ("paper_digits", "dense"))
    right = f"{found['dense']['accuracy']:.2%}".replace("%", " %")
    shown = f"| {right} | {cycles:,} | {dense:,} dense (model): {dense / cycles:.2f}x |"
    assert shown in text_of(FIGURES)


def test_the_table_shows_the_crossbar_chip_as_its_page_measured_it() -> None:
    rows = json.loads(text_of("studies/results/crossbar-chip.json"))["rows"]
    (row,) = [row for row in rows if row["network"] == "cifar10_resnet20_50"]
    assert row["mismatches"] == row["starts_different"] == 0
    assert row["cycles_rtl"] == row["cycles_model"]
    shown = (
        f"| {row['cycles_rtl']:,} | its own schedule: {row['starts_checked']:,} starts, none off"
    )
    assert shown in text_of(FIGURES)


def front_rows() -> dict[str, list[list[float]]]:
    """Return accuracy in %, cycles, us, uJ, mm2 of each chip of README, by the chip's name."""
    found = ROW.findall(text_of("README.md"))
    return {chip_of(chip): [numbers(each) for each in columns] for chip, *columns in found}


def chip_of(text: str) -> str:
    named = re.search(r"`(\w+/\w+)`", text)
    return named.group(1) if named else text.partition(",")[0]


def numbers(text: str) -> list[float]:
    return [float(each) for each in text.replace(" %", "").replace(",", "").split(" to ")]


def test_the_first_table_is_that_of_one_run_of_all_chips() -> None:
    """And its times are at the clocks of netlists, those which the paragraph below it names."""
    run = [
        row
        for row in json.loads(text_of("studies/results/three-families.json"))["rows"]
        if row["title"].startswith("ResNet20")
    ]
    front = front_rows()
    assert set(front) == {row["chip"] for row in run} and len(front) == 5
    clocks = []
    for chip, (_, *columns) in front.items():
        found = [row["found"] for row in run if row["chip"] == chip]
        clocks.append(f"{1000 / found[0]['ns']:.0f}")
        for key, shown, near in zip(
            ("cycles", "time_us", "whole_uj", "area_mm2"),
            columns,
            (0, 0.051, 0.051, 0.051),
            strict=True,
        ):
            told = [each[key] for each in found]
            assert shown == pytest.approx(told[: len(shown)], abs=near), (chip, key)
    prose = " ".join(text_of("README.md").split())
    assert (
        f"{', '.join(clocks[:-2])} and {clocks[-2]} MHz, of the crossbar at {clocks[-1]} MHz"
        in prose
    )


def test_clocks_of_the_first_table_are_those_of_today() -> None:
    for chip, (_, cycles, times, *_) in front_rows().items():
        if "/" in chip:
            file = tables(chip.partition("/")[0])[chip]
            loaded = api.load_architecture(file)
            clock = timed(loaded.family, loaded.parameters, file).clock
            assert clock is not None
            assert times == pytest.approx([each * clock.ns / 1000 for each in cycles], abs=0.1)


@pytest.mark.dear
def test_cycles_of_db_pim_in_the_first_table_are_those_of_the_image_that_ships() -> None:
    rows = {chip: cycles for chip, (_, cycles, *_) in front_rows().items() if "dbpim" in chip}
    assert rows == {chip: [api.model("cifar10_resnet20_50", chip).cycles_model] for chip in rows}


@pytest.mark.promise("README is read at one go: at most 85 lines and 700 words, limits on a page")
def test_the_front_is_read_at_one_go() -> None:
    text = text_of("README.md")
    assert len(text.splitlines()) <= 85 and len(text.split()) <= 700
    front = text.partition("## Quick start")[0]
    assert sum(-(-len(line) // 120) for line in front.splitlines() if line) <= 12
    assert "(docs/limits.md)" in text and "(docs/index.md)" in text


def test_energies_of_the_site_are_those_that_are_claimed() -> None:
    """`scripts/claims` compares them with what `hwgen model` prints."""
    claims = yaml.safe_load(text_of("studies/tests/results/claims.yaml"))["shipped"]
    (claim,) = [each for each in claims if "9.27 times" in each["claim"]]
    printed = " ".join(claim["prints"])
    (chip, whole) = re.findall(
        r"takes ([\d.]+) uJ on the chip,\s+([\d.]+) uJ with the memory", text_of("docs/index.md")
    )[0]
    assert f"energy: {chip} uJ an image" in printed
    assert f"with the memory outside {whole} uJ" in printed
