"""`hwgen info` of files of effects and of densities."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.chip.effects import UNITS, load_effects
from hwgen.network.file import load_network, save_network
from tests.cli.given import NETWORK, ROOT, Command
from tests.network.test_densities import OWN, written


@pytest.mark.promise(
    "hwgen info prints a file of effects with the unit and the source of each number, and the"
    " layers of a file of densities"
)
@pytest.mark.parametrize("name", ["hfox_reram", "reram_study", "pcm"])
def test_effects_have_units_and_sources(name: str, report: Any) -> None:
    content, out = report("info", f"effects/{name}")
    given = load_effects(ROOT / f"configs/effects/{name}.yaml")
    assert (content["kind"], content["effects"]["digest"]) == ("effects", given.digest)
    found = {one["key"]: one for one in content["effects"]["effects"]}
    levels = content["effects"]["levels"]
    assert list(found) == [
        key
        for key in UNITS
        if (levels or not key.startswith("levels.")) and not key.startswith(("read.", "supply."))
    ]
    assert all(one["source"] for one in found.values())
    assert found["cells.stuck_at_full"]["value"] == given.cells.stuck_at_full
    assert found["converters.bits_below_lossless"]["unit"] == "bits"
    assert all(key in out for key in found)


def test_cells_by_voltage_have_a_row_for_each_measured_one(report: Any) -> None:
    content, out = report("info", "effects/sram_28nm")
    found = [one for one in content["effects"]["effects"] if one["key"].startswith("supply.")]
    assert [one["key"] for one in found[:2]] == ["supply.volts", "supply.nominal_volts"]
    assert len(found) == 9 and all("MICRO 2018" in one["source"] for one in found[2:])
    assert (found[2]["value"], found[2]["unit"]) == (6.24e-4, "share of the cells, at 0.54 V")
    assert "share of the cells, at 0.6 V" in out


def test_densities_have_their_layers(report: Any, tmp_path: Path) -> None:
    content, out = report("info", written(tmp_path, OWN))
    layers = {layer["name"]: layer for layer in content["densities"]["layers"]}
    assert list(layers) == ["input", "first", "layer1", "layer2", "mean", "layer4"]
    assert (layers["layer1"]["pruned_blocks"], layers["layer1"]["digits"]) == (0.5, 1.0)
    assert layers["layer2"]["zero_planes"] == pytest.approx(1.5 / 8)
    assert layers["layer2"]["digits"] is None
    assert "8x8x24" in out


def test_noise_of_reads_is_told(report: Any, tmp_path: Path) -> None:
    text = (ROOT / "configs/effects/exact.yaml").read_text(encoding="utf-8")
    file = tmp_path / "noisy.yaml"
    file.write_text(f"{text}  read: assumed\nread:\n  deviation: 0.5\n", encoding="utf-8")
    content, _ = report("info", file)
    (found,) = [one for one in content["effects"]["effects"] if one["key"] == "read.deviation"]
    assert (found["value"], found["source"]) == (0.5, "assumed")
    assert content["effects"]["digest"] != load_effects(ROOT / "configs/effects/exact.yaml").digest


def test_a_table_of_codes_is_told(report: Any, tmp_path: Path) -> None:
    text = (ROOT / "configs/effects/exact.yaml").read_text(encoding="utf-8")
    table = "  nonlinearity:\n    - {code: 0, lsb: 0}\n    - {code: 9, lsb: -2.5}\n"
    file = tmp_path / "bow.yaml"
    file.write_text(text.replace("writing:\n", f"{table}writing:\n", 1), encoding="utf-8")
    content, out = report("info", file)
    found = {one["key"]: one for one in content["effects"]["effects"]}
    assert found["converters.nonlinearity"]["value"] == 2.5
    assert "a table of 2 codes" in out


def test_wrong_files_are_refused(hwgen: Command, tmp_path: Path) -> None:
    text = (ROOT / "configs/effects/hfox_reram.yaml").read_text(encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("drift: 0.0", "drift: 2.0"), encoding="utf-8")
    assert hwgen("info", file)[0] == 2
    file.write_text(text, encoding="utf-8")
    assert hwgen("info", file)[0] == 0
    assert hwgen("info", file, "dbpim/small")[0] == 2


def test_images_of_no_known_set(hwgen: Command, tmp_path: Path) -> None:
    """A network that tells neither its images nor what was done with them."""
    network = load_network(NETWORK)
    graph = replace(network.graph, dataset="", preprocessing="")
    save_network(replace(network, graph=graph), tmp_path / "plain.npz")
    code, out, _ = hwgen("info", tmp_path / "plain.npz")
    (line,) = [each for each in out.splitlines() if each.startswith("images:")]
    assert (code, line) == (0, "images: 8x8x1")
