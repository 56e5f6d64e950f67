"""`hwgen layout --check`: what passes, and faults that each check must see."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from klayout import db

from hwgen import api
from hwgen.cli import main
from hwgen.layout import antennas, deck, extraction, stimuli, transistors
from hwgen.layout.reference import Reference, load_reference
from hwgen.layout.technology import technology_of
from hwgen.report.layout import LayoutDeck, LayoutReport

NAME = "dbpim_dbmu"
Made = tuple[Path, LayoutReport]


@pytest.fixture
def no_deck(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let KLayout's program be absent."""
    monkeypatch.setattr(deck, "PROGRAM", "no-such-program")


def circuits(reference: Reference) -> str:
    return (reference.technology.folder / "cells.spice").read_text(encoding="utf-8")


def faulty(made: Made, tmp_path: Path, change: Callable[[Any, Any], None]) -> Path:
    """Return a layout into which a fault was put."""
    layout = db.Layout()
    layout.read(str(made[0] / f"{NAME}.gds"))
    change(layout, layout.cell(NAME))
    file = tmp_path / "faulty.gds"
    layout.write(str(file))
    return file


def differences(file: Path, reference: Reference) -> list[str]:
    return extraction.compare(extraction.extracted(file, NAME, reference), reference).differences


@pytest.mark.promise(
    "`hwgen layout --check` finds the pins, transistors and answers of a layout equal to its"
    " netlist, and says what did not run"
)
@pytest.mark.parametrize("module", ["dbpim_dbmu", "dbpim_compartment"])
def test_a_layout_passes(made: Made, tmp_path: Path, no_deck: None, module: str) -> None:
    folder = made[0] if module == NAME else tmp_path / module
    if module != NAME:
        api.layout("dbpim/tiny", out=folder, module=module)
    report = api.layout(checked=folder)
    assert report.faults() == [] and report.nets.different == 0
    assert report.transistors.alike == report.transistors.layout > 500
    assert report.stimuli is not None and report.stimuli.compared > 15_000
    assert 0 < report.stimuli.ones < report.stimuli.compared
    assert report.deck is None
    assert report.not_run == ["the deck needs KLayout's program: apt-get install klayout"]


def drop(layer: tuple[int, int]) -> Callable[[Any, Any], None]:
    """Return what takes one shape of a layer away."""

    def change(layout: Any, top: Any) -> None:
        shapes = top.shapes(layout.layer(*layer))
        one = sorted((shape.bbox().left, shape.bbox().bottom) for shape in shapes.each())[0]
        for shape in list(shapes.each()):
            if (shape.bbox().left, shape.bbox().bottom) == one:
                shapes.erase(shape)

    return change


def bridge(layout: Any, top: Any) -> None:
    middle = top.bbox().center()
    across = db.Box(5000, middle.y, top.bbox().right - 5000, middle.y + 140)
    top.shapes(layout.layer(69, 20)).insert(across)


def swap(layout: Any, top: Any) -> None:
    kinds = {each.cell.name: each for each in top.each_inst()}
    one = kinds["sky130_fd_sc_hd__nand2_1"]
    one.cell_index = layout.cell("sky130_fd_sc_hd__nor2_1").cell_index()


def shift(layout: Any, top: Any) -> None:
    one = next(each for each in top.each_inst() if "nand2" in each.cell.name)
    where = one.trans
    one.trans = db.Trans(where.angle, where.is_mirror(), where.disp.x + 3, where.disp.y)


@pytest.mark.promise(
    "`hwgen layout --check` sees a lost cut, a lost via, a bridge, a wrong cell and one 3 nm aside"
)
@pytest.mark.parametrize(
    "change", [drop((67, 44)), drop((68, 44)), drop((69, 44)), bridge, swap, shift]
)
def test_pins_and_nets_show(made: Made, tmp_path: Path, change: Callable[..., None]) -> None:
    reference = load_reference(made[0])
    assert differences(made[0] / f"{NAME}.gds", reference) == []
    assert differences(faulty(made, tmp_path, change), reference)


@pytest.mark.promise("a gate of polysilicon too much is seen among the transistors of a layout")
def test_transistors_show(made: Made, tmp_path: Path) -> None:
    reference = load_reference(made[0])
    wanted = transistors.of_circuits(circuits(reference), reference)

    def more(layout: Any, top: Any) -> None:
        kinds = {each.cell.name: each for each in top.each_inst()}
        cell = kinds["sky130_fd_sc_hd__inv_1"].cell
        box = db.Region(cell.begin_shapes_rec(layout.layer(65, 20))).merged().bbox()
        poly = db.Box(box.left + 60, box.bottom - 200, box.left + 210, box.top + 200)
        cell.shapes(layout.layer(66, 20)).insert(poly)

    found = transistors.drawn(faulty(made, tmp_path, more), NAME, reference)
    assert not transistors.likeness(found, wanted).equal
    one = wanted[0][0]
    wrong = [replace(one, gate=one.bulk), *wanted[0][1:]]
    assert transistors.likeness((wrong, wanted[1]), wanted).alike < len(wanted[0])


def test_antennas_are_counted_above_the_limit(made: Made) -> None:
    reference = load_reference(made[0])
    file = made[0] / f"{NAME}.gds"
    assert antennas.antennas(file, NAME, reference) == 0
    strict = replace(reference, technology=replace(reference.technology, antenna=1.0))
    assert antennas.antennas(file, NAME, strict) > 10


@pytest.mark.promise("one nand of a layout made a nor changes what its netlist answers")
def test_stimuli_show(made: Made, tmp_path: Path) -> None:
    reference = load_reference(made[0])
    found = extraction.extracted(made[0] / f"{NAME}.gds", NAME, reference)
    layout = extraction.extracted_verilog(found, reference, "other")
    wrong = layout.replace("__nand2_1 ", "__nor2_1 ", 1)
    assert wrong != layout
    library = reference.technology.library(reference.technology.corners[0])
    texts = [stimuli.bench(NAME, "other", reference.inputs, reference.outputs, 500)]
    texts += [stimuli.cells_verilog(library), (made[0] / "rtl.v").read_text()]
    counts = []
    for number, netlist in enumerate((layout, wrong)):
        (tmp_path / str(number)).mkdir()
        counts.append(stimuli.simulated(tmp_path / str(number), [*texts, netlist]))
    assert counts[0].different == 0 < counts[1].different


REPORT = """<report-database><categories><category><name>m1.1</name></category><category>
<name>m1.2</name></category></categories><items>{items}</items></report-database>"""


@pytest.mark.promise("a deck that ran fewer rules than it has is a failure, as an item is")
def test_the_deck_counts_rules_and_items(
    made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = REPORT.format(items="<item><category>m1.2</category></item>")
    (tmp_path / "text.xml").write_text(text)
    program = tmp_path / "program"
    program.write_text(
        f'#!/bin/sh\nfor one; do case "$one" in report=*) cp {tmp_path}/text.xml "${{one#report=}}"'
        ";; esac; done\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(deck, "PROGRAM", str(program))
    found = deck.run_deck(made[0] / f"{NAME}.gds", NAME, technology_of("sky130"), tmp_path)
    assert (found.rules, found.items) == (4, {"m1.2": 2})
    monkeypatch.setattr(deck, "PROGRAM", "no-such-program")
    report = api.layout(checked=made[0])
    whole = LayoutDeck(rules=358, expected=358, items={})
    assert replace(report, deck=whole).faults() == []
    assert replace(report, deck=replace(whole, rules=357)).faults() == ["deck"]
    assert replace(report, deck=replace(whole, items={"m1.2": 1})).faults() == ["deck"]


@pytest.mark.long
@pytest.mark.skipif(
    deck.missing(technology_of("sky130")) is not None, reason="KLayout's program or the deck"
)
@pytest.mark.promise("the foundry's deck has no item for a layout, in all of its 358 rules")
def test_the_deck_accepts_a_layout(made: Made, tmp_path: Path) -> None:
    found = deck.run_deck(made[0] / f"{NAME}.gds", NAME, technology_of("sky130"), tmp_path)
    assert (found.rules, found.items) == (358, {})


def test_a_check_fails_with_exit_code_1_and_refuses_other_folders(
    made: Made, tmp_path: Path, no_deck: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["layout", "--check", str(tmp_path)]) == 2
    assert "--check must be a folder that hwgen layout wrote" in " ".join(
        capsys.readouterr().err.split()
    )
    folder = tmp_path / "broken"
    shutil.copytree(made[0], folder)
    shutil.move(faulty(made, tmp_path, bridge), folder / f"{NAME}.gds")
    assert main(["layout", "--check", str(folder)]) == 1
    said = capsys.readouterr().out
    assert "fails: nets" in said and "the nets of the layout differ already" in said
    assert main(["layout", "--check", str(folder), "--module", NAME]) == 2
    assert "--module must be left out with --check" in capsys.readouterr().err
    assert main(["layout", "dbpim/tiny", "--module", NAME]) == 2
    assert "--out must be given" in capsys.readouterr().err
