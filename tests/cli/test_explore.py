"""`hwgen explore` as a person uses it, with a process."""

import json
from pathlib import Path

import numpy as np
import pytest

from hwgen.network.file import save_network
from tests.cli.given import NETWORK, Command
from verif.dbpim.directed_network import directed
from verif.dbpim.random_network import random_images


@pytest.mark.promise("a search for chips shows its front, and writes report, picture and chip")
def test_a_search_shows_its_front(hwgen: Command, tmp_path: Path) -> None:
    network = directed("narrow")
    save_network(network, tmp_path / "network.npz")
    np.savez(tmp_path / "images.npz", images=random_images(network, 1, seed=0))
    out, plot, best = tmp_path / "report.json", tmp_path / "plot.svg", tmp_path / "best.yaml"
    given = ["explore", tmp_path / "network.npz", "dbpim", "--area", 1.5, "--points", 3]
    given += ["--data", tmp_path / "images.npz", "--jobs", 1, "--keys", "macros_per_core=2,4"]
    given += ["--plot", plot, "--json", out, "--out", best, "--work", tmp_path / "work"]
    code, shown, _ = hwgen(*given)
    assert code == 0
    report = json.loads(out.read_text(encoding="utf-8"))
    front = [chip for chip in report["chips"] if chip["front"]]
    lines = [line.split() for line in shown.splitlines()]
    assert ["start", *map(str, range(1, len(front) + 1))] in lines
    assert f"{report['best']['runs'][0]['cycles_model']:,}" in shown
    assert "<svg" in plot.read_text(encoding="utf-8")
    assert best.read_text(encoding="utf-8").startswith("# Found by hwgen explore from paper\n")
    again, _, _ = hwgen(*given)
    assert again == 0


@pytest.mark.promise("a search that cannot be made is one sentence")
def test_a_bad_request_is_one_sentence(hwgen: Command, tmp_path: Path) -> None:
    for given in (["--area", "0"], ["--area", "2", "--keys", "cors=1"], ["--area", "x"], []):
        code, out, err = hwgen("explore", NETWORK, "dbpim", *given, "--work", tmp_path)
        assert (code, out) == (2, "") and "Traceback" not in err
