"""The report of the demo agrees with those of its parts; the simulations are made up."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

import hwgen.commands.adaptive
import hwgen.commands.demo.run
from golden.network import infer
from hwgen.cli import main
from hwgen.commands.context import Context
from hwgen.commands.demo.page import demo_page
from hwgen.commands.demo.report import DemoReport
from hwgen.commands.subject import load_subject
from hwgen.dbpim.model import CycleModel
from hwgen.files.load import validate_spec
from hwgen.network.file import load_network
from hwgen.report.adaptive import AdaptiveReport
from tests.commands.made_up import Simulated, chip_with_modes, made_up_run, simulation
from tests.schemas import follows

ROOT = Path(__file__).parents[3]
ARCH, RECIPE = ROOT / "configs/dbpim/small.yaml", ROOT / "configs/train/digits_small_cnn.yaml"
ADAPTIVE, SMALL = ROOT / "configs/networks/cadnn_digits.npz", ROOT / "configs/mram/small.yaml"
MODES = ["1.0x", "0.75x", "0.5x", "0.25x"]
IMAGES = 1


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work folder of all tests: the training is done once."""
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def recipe(folder: Path) -> Path:
    """One epoch of each phase."""
    content = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    for phase in ("float_phase", "pruned_phase", "quantized_phase"):
        content[phase] |= {"epochs": 1, "warmup_epochs": 0}
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return path


@dataclass
class Demo:
    """Runs the demo in a folder, on made-up chips; wrong_cycles: of one with sparse inputs."""

    recipe: Path
    folder: Path
    wrong_cycles: int = 0

    def __call__(self, *more: object) -> tuple[int, dict[str, Any]]:
        """Return the exit code and the report, held against its schema."""
        given = ["demo", self.recipe, ARCH, "--images", IMAGES, *more]
        given += ["--work", self.folder / "work", "--json", self.folder / "report.json"]
        code = main([str(argument) for argument in given])
        content = json.loads((self.folder / "report.json").read_text(encoding="utf-8"))
        follows(content, "demo")
        return code, content

    def simulate(self, arch: Any, program: Any, images: Any, **_: object) -> Sequence[Simulated]:
        """Return the runs of a chip."""
        (path,) = self.folder.glob("work/train/*/network.npz")
        maps = infer(load_network(path), images)
        model = CycleModel(program, arch)
        runs = [made_up_run(maps, model, image) for image in range(len(images))]
        runs[0].cycles += self.wrong_cycles * arch.sparsity.input_bits
        return runs


@pytest.fixture
def demo(recipe: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    made_up = Demo(recipe, folder)
    monkeypatch.setattr(simulation(), "simulate", made_up.simulate)
    monkeypatch.setattr(hwgen.commands.demo.run, "verilog_of", lambda *_, name: f"verilog-{name}")
    return made_up


def check_layers(page: str, content: dict[str, Any]) -> None:
    """Hold the rows and the bars of the page against the layers of the report."""
    chart, _, rest = page.partition('aria-label="cycles by layer')[2].partition("</svg>")
    table = rest.partition("The network</h2>")[2]
    rows = re.findall(r'<tr><td class="text">(\w+)</td>', table)
    assert rows == [row["name"] for row in content["sparse"]["layers"]]
    for dense, sparse in zip(content["dense"]["layers"], content["sparse"]["layers"], strict=True):
        (row,) = re.findall(rf'<tr><td class="text">{sparse["name"]}</td>.*?</tr>', table)
        cells = re.findall(r"<td>(.*?)</td>", row)[-4:]
        assert cells == [*told(dense), *told(sparse)]
        bars = re.findall(rf">{sparse['name']}</text>(.*?)(?:<text class=.ink|$)", chart, re.S)
        texts = [told(each)[0] for each in (dense, sparse)]
        if texts == ["-", "-"]:
            assert not bars
        else:
            assert re.findall(r">([\d,-]+)</text>", bars[0]) == texts
            assert bars[0].count("<rect") == 2 - texts.count("-")


def told(layer: dict[str, Any]) -> list[str]:
    """Return cycles and verdict of a layer as the page tells them."""
    cycles = "-" if layer["cycles_rtl"] is None else f"{layer['cycles_rtl']:,}"
    if layer["equal"] is None:
        return [cycles, "fused" if layer["fused"] else "-"]
    said = "equal" if layer["equal"] else "cycles differ"
    return [cycles, said + ", fused" * layer["fused"]]


@pytest.mark.dear
@pytest.mark.promise(
    "the demo's page tells a layer that is fused, not stored or not compared as the terminal does:"
    " no `no`, no zero and no bar for it"
)
def test_layers_that_have_no_cycles(demo: Demo) -> None:
    demo("--images", IMAGES)
    report = json.loads((demo.folder / "report.json").read_text(encoding="utf-8"))
    kinds = [
        {"equal": None, "fused": True, "cycles_rtl": None},
        {"equal": None, "fused": False, "cycles_rtl": None},
        {"equal": True, "fused": True},
        {"equal": False, "in_time": False},
    ]
    for chip, changes in (("dense", [*kinds[1:], kinds[0]]), ("sparse", kinds)):
        for place, change in enumerate(changes, 1):
            report[chip]["layers"][place] |= change
    report["sparse"]["layers"][0] |= kinds[0]
    report["dense"]["layers"][0] |= kinds[0]
    made = validate_spec(DemoReport, report, source="report")
    page = demo_page(made)
    check_layers(page, report)
    assert ">no<" not in page and ">fused<" in page and ">cycles differ<" in page


@pytest.mark.dear
@pytest.mark.promise(
    "equal means each image, run, step, counter and event by itself; nothing cancels"
)
@pytest.mark.promise(
    "the demo leaves a page with cycles by layer, their causes, dense against sparse, and the"
    " widths"
)
def test_demo(demo: Demo, capfd: pytest.CaptureFixture[str]) -> None:
    code, content = demo()
    assert (code, content["equal"], content["adaptive"]) == (0, True, None)
    assert [len(content[chip]["images"]) for chip in ("dense", "sparse")] == [IMAGES, IMAGES]
    figures = content["speedup"]
    dense, sparse = (content[chip]["cycles_rtl"] for chip in ("dense", "sparse"))
    assert figures["end_to_end"]["all"] == pytest.approx(dense / sparse)
    assert figures["source"] == {
        "weight_bits": "model", "weight_values": "model", "input_bits": "model", "all": "rtl",
    }  # fmt: skip
    assert content["verilog"] == {"dense": "verilog-dense", "sparse": "verilog-sparse"}
    assert f"{sparse:,}" in capfd.readouterr().out
    page = Path(content["page"]).read_text(encoding="utf-8")
    assert "http" not in page.replace("http-equiv", "") and "<script" not in page
    assert "all equal" in page and f"{figures['end_to_end']['all']:.2f}x" in page
    check_layers(page, content)
    for chip in ("dense", "sparse"):
        assert sum(content["where"][chip].values()) == pytest.approx(1)
        assert all(f">{cause}<" in page for cause in content["where"][chip])

    demo.wrong_cycles = 1
    code, content = demo()
    assert (code, content["equal"]) == (1, False)
    assert (content["dense"]["equal"], content["sparse"]["equal"]) == (True, False)
    assert content["sparse"]["mismatches"] == 0
    assert "first difference of the sparse chip: run 0, counter cycles" in capfd.readouterr().out
    assert "not equal" in Path(content["page"]).read_text(encoding="utf-8")


@pytest.mark.dear
@pytest.mark.promise(
    "the demo shows every width of a network in RTL, with accuracy, cycles, arrays at work,"
    " events and energy in one table and one picture"
)
def test_the_second_act(
    demo: Demo, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    chip_with_modes(monkeypatch, load_subject(ADAPTIVE, SMALL))
    context = Context(work=folder / "adaptive", console=None)
    act = hwgen.commands.adaptive.run_adaptive(context, ADAPTIVE, SMALL, images=1)
    asked: list[tuple[object, ...]] = []

    def second(_: Context, *files: Path, images: int) -> AdaptiveReport:
        asked.append((*files, images))
        return act

    monkeypatch.setattr(hwgen.commands.demo.run, "run_adaptive", second)
    code, content = demo("--adaptive", ADAPTIVE, SMALL)
    assert (code, content["equal"], asked) == (0, True, [(ADAPTIVE, SMALL, 4)])
    assert [mode["name"] for mode in content["adaptive"]["modes"]] == MODES
    assert f"picture: {act.picture}" in capfd.readouterr().out.replace("\n", "")
    page = Path(content["page"]).read_text(encoding="utf-8")
    assert "One network in 4 widths" in page
    for mode in act.modes:
        assert f">{mode.name}<" in page and f"{mode.cycles_rtl:,.0f}" in page
    act = replace(act, equal=False)
    code, content = demo("--adaptive", ADAPTIVE, SMALL)
    assert (code, content["equal"], content["dense"]["equal"]) == (1, False, True)
