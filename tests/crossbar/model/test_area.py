"""The area of a crossbar chip by its own file is that which its synthesis counted."""

import math

import pytest

from hwgen.chip.family import Family
from hwgen.commands.families import families
from hwgen.crossbar.model.area import area_um2
from tests.synthesis import handed_on


@pytest.mark.promise("the area of a crossbar chip follows from its file, as its synthesis counted")
def test_the_area_is_that_of_the_synthesis() -> None:
    arch, _, report = handed_on()
    found = area_um2(arch)
    assert math.fsum(found.values()) / 1e6 == pytest.approx(report.area_mm2, rel=1e-9)
    for part, mm2 in report.area_by_component_mm2.items():
        assert found[part] / 1e6 == pytest.approx(mm2, rel=1e-9)
    assert families()["crossbar"].need(Family.area).area_um2(arch) == found
