"""The table of channel-adaptive trainings: rows from reports and network files, and their page."""

import json
from pathlib import Path
from typing import Any

import pytest
from hwgen_studies.cadnn_paper.training import main
from hwgen_studies.cadnn_paper.training_page import WANTED, uniform_accuracy, uniform_modes
from hwgen_studies.cadnn_paper.training_state import method_of, selection_of, state_of

from studies.tests.results.ledger import marked, read_pages

ROOT = Path(__file__).parents[3]
DIGITS = ROOT / "configs" / "networks" / "cadnn_digits.npz"
SMALL = ROOT / "configs" / "mram" / "small.yaml"
TINY = ROOT / "configs" / "mram" / "tiny.yaml"
RESULTS = ROOT / "studies/results/mram-training.json"
PAGE = read_pages()["mram-training"]

PHASE = {"epochs": 2, "modes": None, "batches": None}
RECIPE: dict[str, Any] = {
    "name": "cadnn_digits",
    "dataset": "digits",
    "model": "adaptive_cnn",
    "widths": [1.0, 0.75, 0.5, 0.25],
    "weights": "shared",
    "teacher": {"model": None},
    "selection": {"kind": "uniform"},
    "base_phase": {"epochs": 1},
    "phases": [PHASE | {"name": "float"}, PHASE | {"name": "quantized", "batches": 5}],
    "batch_images": 10,
    "epoch_batches": None,
    "weight_bits": 8,
    "activation_bits": 8,
}
STATE = "quantized 0.48 of 0.95 passes"
COUNTS = {"conv1": 16, "conv2": 16}
ABOUT: dict[str, Any] = {
    "format": "hwgen.adaptive_training",
    "version": 1,
    "modes": [
        {
            "mode": name,
            "accuracy_integer": 0.9 - mode / 10,
            "accuracy_float": 0.9,
            "macs": 1000 - mode,
            "channels": COUNTS,
        }
        for mode, name in enumerate(("1.0x", "0.75x", "0.5x", "0.25x"))
    ],
    "networks": {"network.npz": "digest"},
    "recipe": RECIPE,
    "history": [
        {"phase": "base", "batches": 10},
        {"phase": "float", "batches": 10},
        {"phase": "float", "batches": 10},
        {"phase": "quantized", "batches": 5},
    ],
    "train_images": 105,
    "test_images": 40,
    "seed": 1,
    "device": "cpu",
    "threads": 1,
    "versions": {"torch": "2"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder that a training left, with the shipped network."""
    (tmp_path / "network.npz").write_bytes(DIGITS.read_bytes())
    (tmp_path / "training.json").write_text(json.dumps(ABOUT))
    return tmp_path


def run(*arguments: Any, out: Path) -> int:
    """Run the command with results in `out`."""
    files = ["--json", out / "results.json", "--out", out / "page.md"]
    return main([str(each) for each in (*arguments, *files)])


@pytest.mark.promise(
    "the table of channel-adaptive trainings says how right, how costly and how long trained"
    " each width is"
)
def test_a_row_says_how_right_and_how_costly_each_width_is(folder: Path, tmp_path: Path) -> None:
    assert run(folder, "--arch", TINY, "--arch", SMALL, "--commit", "abc", out=tmp_path) == 0
    content = json.loads((tmp_path / "results.json").read_text())
    assert content["format"] == "hwgen.results.training"
    (row,) = content["rows"]
    assert (row["method"], row["selection"], row["chip"]) == ("CA", "uniform", "small")
    assert (row["weights_bits"], row["activation_bits"], row["epochs"]) == (8, 8, 4)
    assert [mode["width"] for mode in row["widths"]] == [1.0, 0.75, 0.5, 0.25]
    assert [mode["accuracy"] for mode in row["widths"]] == pytest.approx([0.9, 0.8, 0.7, 0.6])
    cycles = [mode["cycles"] for mode in row["widths"]]
    assert cycles == sorted(cycles, reverse=True) and len(set(cycles)) == 4
    page = (tmp_path / "page.md").read_text()
    for cell in ("90.00", "60.00", f"{cycles[3]:,}", "quantized 0.48 of 0.95 passes"):
        assert f" {cell} |" in page


def test_a_chip_that_is_too_small_gives_no_cycles(folder: Path, tmp_path: Path) -> None:
    assert run(folder, "--arch", TINY, out=tmp_path) == 0
    (row,) = json.loads((tmp_path / "results.json").read_text())["rows"]
    assert row["chip"] is None
    assert all(mode["cycles"] is None for mode in row["widths"])
    assert "none of those tried" in (tmp_path / "page.md").read_text()


def test_seeds_of_a_recipe_are_one_row_with_their_spread(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "network.npz").write_bytes(DIGITS.read_bytes())
    worse = [
        {**mode, "accuracy_integer": mode["accuracy_integer"] - 0.02} for mode in ABOUT["modes"]
    ]
    (other / "training.json").write_text(json.dumps(ABOUT | {"seed": 2, "modes": worse}))
    assert run(folder, other, "--arch", SMALL, out=tmp_path) == 0
    page = (tmp_path / "page.md").read_text()
    assert f"| uniform | {STATE} | 2 | 89.0 (88.0 to 90.0) | 79.0 (78.0 to 80.0) |" in page
    assert page.count("| cadnn_digits") == 2
    assert len(json.loads((tmp_path / "results.json").read_text())["rows"]) == 2


def test_earlier_trainings_stay(folder: Path, tmp_path: Path) -> None:
    arguments, table = (folder, "--arch", SMALL, "--commit"), tmp_path / "results.json"
    assert run(*arguments, "old", out=tmp_path) == 0
    content = json.loads(table.read_text())
    (row,) = content["rows"]
    rows = [row | {"recipe": "gone"}, row, row | {"seed": 9}]
    table.write_text(json.dumps(content | {"rows": rows}))
    assert run(*arguments, "new", "--keep", out=tmp_path) == 0
    kept = json.loads(table.read_text())["rows"]
    assert [each["recipe"] for each in kept] == ["gone", row["recipe"], row["recipe"]]
    assert [each["commit"] for each in kept] == ["old", "new", "old"]


def test_only_a_table_can_be_kept(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(folder, "--arch", SMALL, "--keep", out=tmp_path) == 2
    assert "--json must be a table of earlier trainings" in capsys.readouterr().err
    assert not (tmp_path / "results.json").exists()


def test_methods_and_selections() -> None:
    assert method_of(RECIPE) == "CA"
    assert method_of(RECIPE | {"teacher": None}) == "S-NN"
    assert method_of(RECIPE | {"teacher": None, "weights": "individual"}) == "I-NN"
    norm = {"kind": "norm", "path": "single", "cost": "cycles"}
    assert selection_of(RECIPE | {"selection": norm}) == "single path by cycles"


def test_what_was_trained_beside_what_the_recipe_says() -> None:
    state = state_of(ABOUT)
    assert state.passes == {"base": 0.95, "float": 1.9, "quantized": 0.48}
    assert state.state == "quantized 0.48 of 0.95 passes"
    whole = ABOUT | {"history": [*ABOUT["history"], {"phase": "quantized", "batches": 5}]}
    assert state_of(whole).state == "short training of 3.8 passes"
    assert state_of(whole | {"history": 2 * whole["history"]}).state == "complete"
    alone = ABOUT | {"recipe": RECIPE | {"weights": "individual", "widths": [1.0, 0.5]}}
    assert state_of(alone).state.count("0.5x_quantized 0 of 0.95") == 1


def test_uniform_sub_nets_of_equal_cost() -> None:
    even = [
        {"macs": 100, "accuracy": 0.5},
        {"macs": 200, "accuracy": 0.7},
        {"macs": 200, "accuracy": 0.9},
    ]
    assert uniform_accuracy(even, {"macs": 150}, "macs") == pytest.approx(0.65)
    assert uniform_accuracy(even, {"macs": 100}, "macs") == pytest.approx(0.5)
    assert uniform_accuracy(even, {"macs": 200}, "macs") == pytest.approx(0.8)
    assert uniform_accuracy(even, {"macs": 201}, "macs") is None
    assert uniform_accuracy(even, {"macs": 99}, "macs") is None
    assert uniform_accuracy(even, {"macs": None}, "macs") is None


def test_short_trainings_stand_beside_short_ones() -> None:
    """The sub-nets of equal cost are as long trained, with the same teacher."""
    like = {
        **{"dataset": "d", "network": "n", "weights_bits": 8, "activation_bits": 8},
        **{"teacher": "base", "method": "CA", "selection": "uniform"},
    }
    rows = [
        {**like, "state": "complete", "widths": ["long"]},
        {**like, "state": "short training of 1.5 passes", "widths": ["short"]},
        {**like, "state": "short training of 1.5 passes", "teacher": "t", "widths": ["other"]},
    ]
    short = {**like, "state": "short training of 2.0 passes"}
    assert uniform_modes(rows, short) == ["short"]
    assert uniform_modes(rows, {**like, "state": "complete"}) == ["long"]


def test_the_committed_page_shows_its_table_and_what_is_not_trained(tmp_path: Path) -> None:
    page = PAGE.text()
    table = tmp_path / "table.json"
    table.write_bytes(RESULTS.read_bytes())
    asked = ["--arch", str(SMALL), "--keep", "--json", str(table)]
    assert main([*asked, "--out", str(tmp_path / "page.md")]) == 0
    assert marked(page, "") == (tmp_path / "page.md").read_text(encoding="utf-8")
    assert json.loads(table.read_bytes()) == json.loads(RESULTS.read_bytes())
    names = {row["recipe"] for row in json.loads(RESULTS.read_text())["rows"]}
    for recipe in WANTED:
        assert (ROOT / f"configs/train/{recipe}.yaml").is_file()
        assert (f"not trained: `hwgen train configs/train/{recipe}.yaml" in page) != (
            recipe in names
        )
    with pytest.raises(SystemExit):
        main([arg for arg in (*asked, "--out", "page.md") if arg != "--keep"])


def test_the_committed_results_have_five_seeds_and_the_shipped_network_among_them() -> None:
    """A training on another processor ends otherwise; each recipe of the digits has five."""
    rows = json.loads(RESULTS.read_text())["rows"]
    digits = [row for row in rows if row["dataset"] == "digits"]
    recipes = {path.stem for path in (ROOT / "configs/train").glob("cadnn_digits*")}
    assert {row["recipe"] for row in digits} == recipes
    for recipe in recipes:
        assert {row["seed"] for row in digits if row["recipe"] == recipe} == {1, 2, 3, 4, 5}
    assert all(row["state"] == "complete" for row in digits)
    like = [row["widths"] for row in digits if row["recipe"] == "cadnn_digits"]
    for place, shipped in enumerate((0.9889, 0.9861, 0.9666, 0.8357)):
        found = [widths[place]["accuracy"] for widths in like]
        assert min(found) <= shipped <= max(found)
    assert {row["method"] for row in rows} >= {"CA", "S-NN"}


def test_mistakes_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(tmp_path, "--arch", SMALL, out=tmp_path) == 2
    assert "the report must be readable JSON" in capsys.readouterr().err
    (tmp_path / "training.json").write_text('{"format": "hwgen.training"}')
    assert run(tmp_path, "--arch", SMALL, out=tmp_path) == 2
    said = capsys.readouterr().err
    assert "must be hwgen.adaptive_training of version 1" in said and said.count("\n") == 1
