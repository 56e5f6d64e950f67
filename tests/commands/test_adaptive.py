"""All modes of a network side by side; the simulation is made up."""

from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, Group

from golden.network import predict
from hwgen.commands.adaptive import run_adaptive
from hwgen.commands.context import Context
from hwgen.commands.images import choose_images
from hwgen.commands.subject import load_subject, program_of
from hwgen.errors import FamilyError
from hwgen.mram.model import CycleModel, energy_pj, leakage_pj
from hwgen.report.adaptive_table import adaptive_parts
from tests.commands.made_up import chip_with_modes

ROOT = Path(__file__).parents[2]
NETWORK, ARCH = ROOT / "configs/networks/cadnn_digits.npz", ROOT / "configs/mram/small.yaml"


def text_of(report: Any) -> str:
    console = Console(width=200)
    with console.capture() as caught:
        console.print(Group(*adaptive_parts(report)), highlight=False)
    return caught.get()


@pytest.mark.promise(
    "the demo shows every width of a network in RTL, with accuracy, cycles, arrays at work,"
    " events and energy in one table and one picture"
)
def test_every_mode_has_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subject = load_subject(NETWORK, ARCH)
    faults = chip_with_modes(monkeypatch, subject)
    context = Context(work=tmp_path, console=None)
    report = run_adaptive(context, NETWORK, ARCH, images=2)
    model = CycleModel(program_of(context, subject), subject.arch)
    everything = choose_images(subject.network, None, None)
    assert report.equal is True
    assert report.test_images == len(everything.images) > 300
    assert [mode.name for mode in report.modes] == list(subject.network.graph.modes)
    for number, mode in enumerate(report.modes):
        expected = model.predict(modes=[number])
        assert mode.cycles_rtl == expected.cycles
        assert mode.cycles_fraction == expected.cycles / report.modes[0].cycles_rtl
        assert mode.events_rtl == expected.events
        assert mode.energy_pj == pytest.approx(energy_pj(expected.events, subject.arch))
        assert mode.leakage_pj == pytest.approx(leakage_pj(expected.cycles, subject.arch))
        assert mode.total_pj == pytest.approx(sum(mode.energy_pj.values()) + mode.leakage_pj)
        right = predict(subject.network, everything.images, mode=number) == everything.labels
        assert mode.accuracy == pytest.approx(right.mean())
    assert [len(run.runs) for run in report.runs] == [2] * 4
    assert [image.mode for image in report.runs[3].images] == ["0.25x"] * 2
    assert (len(report.stream.runs), len(report.stream.images)) == (1, 13)
    picture = Path(report.picture).read_text(encoding="utf-8")
    assert all(text in picture for text in ("<svg", "0.25x", "accuracy", "and operations"))

    shown = text_of(report)
    for mode in report.modes:
        for value in (f"{mode.cycles_rtl:,.0f}", f"{mode.total_pj / 1000:,.1f}"):
            assert value in shown
    assert "0 rows of weights written after the load, a switch costs at most 0 cycles" in shown

    faults |= {"element": 1, "switch": 1, "writes": 2}
    wrong = run_adaptive(context, NETWORK, ARCH, images=1)
    assert wrong.equal is False
    shown = text_of(wrong)
    assert "2 rows of weights written after the load, a switch costs at most 1 cycles" in shown
    assert "first difference: image 12 (mode 1.0x), layer conv1" in shown


def test_a_family_without_modes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FamilyError, match="dbpim cannot switch between modes"):
        run_adaptive(
            Context(work=tmp_path, console=None),
            NETWORK,
            ROOT / "configs/dbpim/small.yaml",
            images=1,
        )
