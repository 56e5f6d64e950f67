"""Verilog whose converters count several sums a code: elements are golden's, faults are seen."""

import json
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path

import pytest
from amaranth.hdl import Value

from hwgen.chip.effects import DeviceEffects
from hwgen.chip.trouble import Trouble
from hwgen.crossbar.facts.arch import arch_text, load_arch
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.facts.point import Cells
from hwgen.crossbar.facts.schedule import load_schedule, save_schedule
from hwgen.crossbar.model.record import make_arch, make_schedule
from hwgen.crossbar.rtl.array import Array
from hwgen.crossbar.rtl.conversions import rounded
from hwgen.crossbar.rtl.macro import Macro
from tests.crossbar.sim.test_read_noise import STALLS, Case, wrong_elements
from tests.golden.crossbar.test_effects import with_effects
from tests.golden.crossbar.test_nonlinear import nonlinear
from tests.verif.crossbar.whole import answers_design, answers_network, design
from verif.common.drawing import Drawing

NOTHING = with_effects()
MOST = nonlinear(
    ((0, 1.5), (2, -3.0), (20, 3.0)),
    deviation=1.0,
    variation=0.1,
    offset_lsb=2.0,
    trimmed=True,
)


@cache
def small(step: int, less: int = 3, cells: Cells = "offset") -> Case:
    """Return a network on a small chip whose converters have fewer bits, and a step."""
    arch = make_arch(answers_design(less, step, cells), "answers", effects=True)
    return answers_network(), replace(arch, nonlinear_converters=True, read_noise=True)


@pytest.mark.dear("2-effects1-trouble1")
@pytest.mark.promise(
    "a crossbar chip whose converters count several sums a code gives golden's elements in Verilog,"
    " alone and with noise, offsets, trims and a table of codes, whatever the memory stalls"
)
@pytest.mark.parametrize(
    ("step", "effects", "trouble"),
    [(4, NOTHING, STALLS[0]), (2, MOST, STALLS[1]), (8, MOST, STALLS[0])],
)
def test_every_element_is_goldens(step: int, effects: DeviceEffects, trouble: Trouble) -> None:
    assert wrong_elements(small(step), effects, 1, trouble=trouble) == 0


@pytest.mark.dear("8")
@pytest.mark.promise(
    "steps and differential cells together give golden's elements in Verilog, with all effects"
)
@pytest.mark.parametrize("step", [2, 8])
def test_pairs_with_a_step(step: int) -> None:
    assert wrong_elements(small(step, 5, "differential"), MOST, step, trouble=STALLS[0]) == 0


@pytest.mark.dear
def test_one_pixel_one_channel() -> None:
    drawing = Drawing(5, modes=("full",), shape=(1, 1, 1))
    network = drawing.build(drawing.linear(drawing.conv("input", (1,)), (1,), bits=32))
    placed = {"copies": [1, 1], "macros": [1, 1], "side": 16, "bits_less": 2, "step": 4}
    arch = make_arch(design(network, **placed, dac_bits=1, cell_bits=1), "least", effects=True)  # type: ignore[arg-type]
    case = network, replace(arch, read_noise=True)
    for seed in (1, 2):
        assert wrong_elements(case, with_effects(offset_lsb=1.0), seed) == 0


@pytest.mark.dear
@pytest.mark.usefixtures("forget")
def test_planted_faults_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A converter with a step of one sum; a trim of whole sums in place of whole codes."""

    def fine(self: Array, measured: Value) -> Value:
        return rounded(measured)

    with monkeypatch.context() as planted:
        planted.setattr(Macro, "_coarser", lambda self, given: given)
        assert wrong_elements(small(4), NOTHING, 1) > 0
    with monkeypatch.context() as planted:
        planted.setattr(Array, "_codes_of", fine)
        assert wrong_elements(small(8), MOST, 1) > 0


@pytest.mark.promise("a schedule holds for its design, whatever a person adds to the file of it")
def test_a_clipped_chip_keeps_its_schedule_beside_what_is_added(tmp_path: Path) -> None:
    found = answers_design(3, 2, "offset")
    arch = make_arch(found, "answers", effects=True)
    save_schedule(make_schedule(found, arch), tmp_path / "schedule.npz")
    added = ({}, {"read_noise": True}, {"nonlinear_converters": True, "reset": "control"})
    for keys in added:
        assert load_schedule(tmp_path / "schedule.npz", replace(arch, **keys))  # type: ignore[arg-type]


@pytest.mark.promise(
    "a chip without a step has the file and the digest that it had; a step is read back"
)
def test_a_file_says_its_step(tmp_path: Path) -> None:
    arch, plain = small(4)[1], small(1)[1]
    assert "step:" not in json.dumps(asdict(plain)["point"]) and "step: 4" in arch_text(arch)
    assert described(plain).step_bits == 0 and described(arch).step_bits == 2
    assert arch.digest != plain.digest and arch.adc_bits == plain.adc_bits
    (tmp_path / "chip.yaml").write_text(arch_text(arch), encoding="utf-8")
    assert load_arch(tmp_path / "chip.yaml") == arch
