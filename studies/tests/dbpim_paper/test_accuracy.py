"""The grid of accuracy over sparsity: what its points are, and that each is trained once."""

import json
from pathlib import Path

import numpy as np
import pytest
from hwgen_studies.dbpim_paper import accuracy
from hwgen_studies.dbpim_paper.accuracy import GRID, main, nominal, read_rows, wanted, zero_digits

from hwgen.network.csd import csd_digits
from hwgen.network.file import load_network
from hwgen.train.recipe import load_recipe
from tests.cli.given import RECIPE, ROOT

TABLE = ROOT / "studies/results/dbpim-accuracy.json"


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    """The digits' recipe with an epoch in each phase."""
    file = tmp_path / "quick.yaml"
    lines = RECIPE.read_text(encoding="utf-8").splitlines()
    short = {"  epochs": "  epochs: 1", "  warmup_epochs": "  warmup_epochs: 0"}
    file.write_text("\n".join(short.get(line.partition(":")[0], line) for line in lines))
    return file


@pytest.mark.promise(
    "accuracy over sparsity is that of trainings, each made once, none with more digits than"
    " its method leaves"
)
def test_sparsity_is_zeros_of_eight_digits() -> None:
    """By hand: two of eight digits in 40 % of the blocks are a tenth, as are 10 % of the blocks."""
    assert nominal("two digits", 0.6) == pytest.approx(0.9) == nominal("blocks", 0.9)
    assert nominal("two digits", 0.0) == 0.75
    assert nominal("one digit", 0.2) == pytest.approx(0.9)
    pairs = dict(GRID[1:2]) | {"blocks": (0.75, 0.9)}
    assert [nominal("two digits", share) for share in pairs["two digits"]] == pytest.approx(
        [nominal("blocks", share) for share in pairs["blocks"]]
    )


def test_zero_digits_are_counted_in_the_weights() -> None:
    network = load_network(ROOT / "configs/networks/digits_small_cnn.npz")
    every = np.concatenate([each.weights.ravel() for each in network.parameters.values()])
    zeros = [csd_digits(int(weight)).count(0) for weight in every]
    assert zero_digits(network) == pytest.approx(sum(zeros) / (8 * len(zeros)))


def test_each_point_is_trained_once(
    recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No weight has more digits than its method leaves; a second call trains what lacks alone."""
    grid = (("one digit", (0.2,)), ("two digits", (0.6,)), ("blocks", (0.0,)))
    monkeypatch.setattr(accuracy, "GRID", grid)
    table, work = tmp_path / "table.json", tmp_path / "work"
    given = [str(recipe), "--json", str(table), "--work", str(work)]
    assert main([*given, "--most", "1"]) == 0
    (first,) = read_rows(table)
    assert main(given) == 0
    rows = read_rows(table)
    assert rows[0] == first and len(rows) == 3
    for row, most in zip(rows, (1, 2, 4), strict=True):
        (file,) = work.glob(f"**/*{row.recipe_digest[:16]}/network.npz")
        network = load_network(file)
        assert network.digest == row.network_digest
        digits = {
            8 - csd_digits(int(weight)).count(0)
            for each in network.parameters.values()
            for weight in np.unique(each.weights)
        }
        assert max(digits) <= most and (most < 4) == (max(digits) < 3)
        assert row.zero_digits >= row.sparsity - 0.01 and row.short and 0 < row.accuracy <= 1
    before = table.read_bytes()
    assert main(given) == 0 and table.read_bytes() == before


def test_mistakes_are_one_sentence(
    recipe: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.json"
    table.write_text("{}")
    assert main([str(recipe), "--json", str(table)]) == 2
    said = capsys.readouterr().err
    assert "hwgen.results.dbpim_accuracy of version 1" in said and said.count("\n") == 1


def test_the_committed_table_has_the_shipped_recipes_in_full() -> None:
    """Digits: all points with three seeds, of the recipe that ships; the order decides nothing."""
    rows = read_rows(TABLE)
    points = {point.digest for point in wanted(load_recipe(RECIPE), (1, 2, 3))}
    assert points == {row.recipe_digest for row in rows if row.dataset == "digits"}
    short = load_recipe(ROOT / "configs/train/cifar10_resnet20_short.yaml")
    known = {point.digest for point in wanted(short, (1,))}
    others = [row for row in rows if row.dataset != "digits"]
    assert all(row.recipe_digest in known and row.short for row in others)
    assert len({row.recipe_digest for row in rows}) == len(rows)
    assert json.loads(TABLE.read_text("utf-8"))["version"] == 1
    for row in rows:
        assert row.sparsity == nominal(row.method, row.pruned)
        assert row.zero_digits > row.sparsity - 0.02
