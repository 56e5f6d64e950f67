"""The race of equal areas: what its page says of chips made up by hand, and of those that ship."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hwgen_studies.dbpim_paper import area_race
from hwgen_studies.dbpim_paper.area_race import FURTHER, PAPER, ends, further
from hwgen_studies.dbpim_paper.area_race_page import (
    AreaRaceReport,
    RaceChip,
    area_race_page,
    area_race_picture,
    verdict,
)
from hwgen_studies.dbpim_paper.six_kinds import (
    DENSE_KEYS,
    KINDS,
    KindOfChip,
    shipped,
)

from hwgen.chip.rtl.emit import verilog_modules
from hwgen.commands.context import Context
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.rtl import make_chip
from hwgen.errors import FormatError
from hwgen.files.load import validate_spec
from hwgen.jobs.executors import SerialExecutor
from hwgen.report.cost import CostModule, CostReport

ROOT = Path(__file__).parents[3]
PAGES, RESULTS = ROOT / "docs/results", ROOT / "studies/results"
COST = Path(__file__).with_name("cost_of_paper.json")


def committed() -> AreaRaceReport:
    content = json.loads((RESULTS / "dbpim-race.json").read_text(encoding="utf-8"))
    report: AreaRaceReport = validate_spec(AreaRaceReport, content, source="dbpim-race.json")
    return report


def chip(name: str, cycles: int, table_mm2: float, mm2: float, ns: float) -> RaceChip:
    given = committed().of(name)
    return replace(
        given,
        cycles=cycles,
        table_mm2=table_mm2,
        netlist=replace(given.netlist, mm2=mm2, ns=ns),
        images=replace(given.images, least=cycles // 2, mean=cycles, most=2 * cycles),
    )


def test_ratios_by_hand() -> None:
    """The dense chip: 100 kcycles x mm2, 1000 us x mm2; that of masks a quarter, and a fifth."""
    found = committed()
    chips = [
        chip("best_dense", 50_000, 2.0, 4.0, 5.0),
        chip("best_masks", 25_000, 1.0, 2.0, 4.0),
        chip("best_pairs", 25_000, 2.0, 2.0, 2.0),
        *(chip(name, 50_000, 1.0, 2.0, 5.0) for name in ("best_dense4", "best_masks4")),
        *(chip(name, 50_000, 1.0, 2.0, 5.0) for name in ("best_digits", "paper")),
    ]
    mac = replace(found.mac, cycles=50_000, arrays_mm2=1.0, weights_mm2=0.5, rest_mm2=0.5, ns=5.0)
    others = [
        replace(chips[1], network="cifar10_resnet20_int8_60", cycles=20_000),
        replace(chips[1], network="cifar10_resnet20_int8_60_seed2", cycles=40_000),
        replace(chips[2], network="cifar10_resnet20_digits_60", cycles=10_000),
    ]
    report = replace(found, chips=chips, further=others, mac=mac)
    assert (report.table_ratio("best_masks"), report.ratio("best_masks")) == (4.0, 5.0)
    assert report.ratio("best_pairs", "best_masks") == 2.0
    assert report.mac_spent == pytest.approx(500.0)
    page = area_race_page(report, "race.svg")
    assert "int8 with masks and zero planes 5.00 times" in page
    assert "so digits bring 0.40 times (0.50 by cycles and the table): a loss." in page
    assert "One digit in pairs brings 2.00 times (0.50), a gain" in page
    assert "are 2.00 times as fast as `best_dense` (50,000 cycles by a formula, 2.00 mm2" in page
    assert "masks and zero planes bring 2.50 times and one digit in pairs 5.00" in page
    assert "12,500 to 50,000 cycles, 2.00 to 8.00 times as few per area" in page
    assert "| 25,000 | 1.000 | 25.0 | 4.00 | 91.42 % |" in page
    assert "and is 6.25 times as fast as `best_dense`, `best_pairs` has" in page
    assert "and is 25.00 times as fast, 4.00 times `best_masks`: a gain." in page
    assert "40,000 cycles in place of 20,000, 3.12 times as fast as `best_dense` in place" in page
    assert "| `best_masks` | 2.000 | +100 % | 4.00 | 250 | 100.0 | 200 | 5.00 |" in page
    assert "| `best_masks`, 60 % pruned, seed 2 | 2.000 | +100 % | 4.00 | 250 | 160.0 |" in page


@pytest.mark.parametrize(("ratio", "word"), [(1.2, "a gain"), (1.1, "no diff"), (0.8, "a loss")])
def test_what_areas_can_tell(ratio: float, word: str) -> None:
    assert verdict(ratio).startswith(word)


@pytest.mark.promise("the picture of the race has colours for readers of dark pages")
def test_the_picture_has_a_dark_form() -> None:
    picture = area_race_picture(committed())
    _, dark = picture.split("@media (prefers-color-scheme: dark)", 1)
    assert '[style*="fill: #ffffff"]{fill: #1a2129 !important}' in dark
    rules, _, drawn = dark.partition("</style>")
    light = {"#d97706", "#6db3f2", "#a3b37a"}
    used = set(re.findall(r"#[0-9a-f]{6}", drawn))
    assert used - light <= set(re.findall(r": (#[0-9a-f]{6})\"", rules)), "colours without another"


def test_the_picture_of_the_page() -> None:
    report, picture = committed(), area_race_picture(committed())
    assert (PAGES / "dbpim-race.svg").read_text(encoding="utf-8") == picture
    for chip in report.chips:
        told = chip.what in picture
        assert told == (chip.name != "paper"), chip.name
    named = [chip.what for chip in report.further if chip.what in picture]
    assert named == [chip.what for chip in report.further if "seed" not in chip.what]


def test_networks_of_the_page_are_those_that_ship_as_their_records_say() -> None:
    for name, network in committed().networks.items():
        assert network == area_race.weights(name)
        assert network.images == 10_000 and network.passes > 27


def test_a_network_without_a_record_is_refused() -> None:
    with pytest.raises(FormatError, match="digits_small_cnn must be a record of its training"):
        area_race.weights("digits_small_cnn")


@pytest.mark.promise("the page of the race has what model and area table say of each best chip")
def test_the_page_has_the_cycles_and_areas_of_today(tmp_path: Path) -> None:
    report, context = committed(), Context(work=tmp_path, console=None)
    kinds = (*KINDS, PAPER, *(further(*each) for each in FURTHER))
    for kind, of_page in zip(kinds, report.rows, strict=True):
        found = shipped(context, kind, SerialExecutor())
        assert of_page.network == kind.network
        assert (of_page.cycles, of_page.digest) == (found.cycles, found.arch.digest), kind.name
        assert of_page.table_mm2 == pytest.approx(found.area_mm2), kind.name
        assert of_page.ends == ends(found.arch)


def test_clocks_of_the_page_are_those_that_chips_name() -> None:
    clocks = json.loads((ROOT / "configs/clocks.json").read_text(encoding="utf-8"))["chips"]
    measured = {each["digest"]: each["ns"] for each in clocks}
    for chip in committed().chips:
        assert chip.netlist.ns == pytest.approx(measured[chip.digest]), chip.name
        assert chip.netlist.macros_ns < chip.netlist.ns


@pytest.mark.promise(
    "the dense chips of the race are emitted without the parts for sparsity, and netlists give"
    " their clocks and areas"
)
def test_the_dense_chips_of_the_race_are_emitted() -> None:
    """Each with its macros, two in a core: what a chip has more is more of the same modules."""
    for name in ("best_dense", "best_dense4"):
        arch = load_arch(ROOT / f"configs/dbpim/{name}.yaml")
        assert not arch.sparse_parts
        few = replace(arch, name="few", cores=1, macros_per_core=2, bus_words=2)
        modules = verilog_modules(make_chip(few))
        absent = {"dbpim_switch", "dbpim_mask_array", "dbpim_group_queue", "dbpim_ipu"}
        assert "dbpim_direct_feed" in modules and not absent & set(modules)
        of_page = committed().of(name)
        assert of_page.netlist.mm2 == pytest.approx(of_page.table_mm2, rel=0.3)


def cost_of(name: str) -> CostReport:
    """Return a report of two modules: a macro of 1000 um2 and 1 ns, a loader of 3000 and 3 ns."""
    content = json.loads(COST.read_text(encoding="utf-8"))
    report: CostReport = validate_spec(CostReport, content, source=name)
    modules = [
        CostModule(
            module=f"dbpim_{module}",
            instances=2,
            logic_um2=um2,
            buffers_um2=0.0,
            macros_um2=0.0,
            flip_flops=0,
            gated=0,
            memory_bits=0,
            slowest_ns=ns,
        )
        for module, um2, ns in (("macro", 1000.0, 1.0), ("loader", 3000.0, 3.0))
    ]
    return replace(report, modules=modules)


def test_from_chips_to_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The six names of the page, each with a small chip and a network that was not trained long."""
    small = KindOfChip(name="small", what="small", network="digits_small_cnn", keys=DENSE_KEYS)
    kinds = [replace(kind, network="digits_small_cnn") for kind in KINDS]
    monkeypatch.setattr(area_race, "KINDS", kinds)
    monkeypatch.setattr(area_race, "PAPER", replace(PAPER, network="digits_small_cnn"))
    short = replace(committed().networks["cifar10_resnet20_50"], passes=2.0)
    made = {"digits_small_cnn": short, "digits_small_cnn_noise": replace(short, seed=2)}
    again = [("best_masks", name) for name in made] + [("best_pairs", "digits_small_cnn")]
    monkeypatch.setattr(area_race, "FURTHER", again)
    monkeypatch.setattr(area_race, "weights", made.__getitem__)
    monkeypatch.setattr(area_race, "TRAINED", "digits_small_cnn")
    monkeypatch.setattr(area_race, "make_executor", lambda workers: SerialExecutor())
    monkeypatch.setattr(area_race, "_file", lambda kind: Path("dbpim/small"))
    monkeypatch.setattr(
        area_race, "shipped", lambda context, kind, executor: shipped(context, small, executor)
    )
    monkeypatch.setattr(area_race.api, "cost", lambda file, **given: cost_of(str(file)))
    mac = committed().mac
    monkeypatch.setattr(area_race, "mac_chip", lambda *given: mac)
    out, report = tmp_path / "race.md", tmp_path / "race.json"
    options = ["--liberty", "none.lib", "--data", "digits", "--work", str(tmp_path)]
    options += ["--images", "3", "--out", str(out), "--json", str(report)]
    assert area_race.main(options) == 0
    found = validate_spec(AreaRaceReport, json.loads(report.read_text()), source="race.json")
    assert found.networks == made
    for each in found.rows:
        assert (each.netlist.mm2, each.netlist.macros_ns) == (0.008, 1.0)
        assert each.images.images == 3
        assert each.images.least <= each.images.mean <= each.images.most
    assert out.read_text() == area_race_page(found, "race.svg")
    assert out.with_suffix(".svg").read_text() == area_race_picture(found)
    monkeypatch.setattr(area_race, "_file", lambda kind: Path("dbpim/none"))
    assert area_race.main(options) == 2
    assert "dbpim-area-race: " in capsys.readouterr().err


def test_readme_and_index_lead_with_the_fair_figures() -> None:
    """Best beside best by time, and what multipliers that are no memory take."""
    report = committed()
    told = {
        name: f"{report.ratio(name):.2f}" for name in ("best_masks", "best_digits", "best_pairs")
    }
    plain = f"{report.of('best_dense').by_netlist / report.mac_spent:.2f}"
    for name in ("README.md", "docs/figures.md", "docs/index.md"):
        text = " ".join((ROOT / name).read_text(encoding="utf-8").split())
        for what, ratio in {**told, "multipliers": plain}.items():
            assert f" {ratio}" in text, (name, what)
        assert re.search(r"none of the paper's (five )?networks", text), name
