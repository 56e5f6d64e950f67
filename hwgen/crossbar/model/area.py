"""Area of a crossbar chip by part, from the constants that its own file keeps.

Tests: `tests/crossbar/model/test_area.py`.
"""

from collections import defaultdict

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.model.audit import every_item
from hwgen.crossbar.model.durations import components_of


def area_um2(arch: Arch) -> dict[str, float]:
    """Return square micrometres by part: a number of each times the area of one.

    Raises ConfigError for a chip by published rules, whose file describes no hardware.
    """
    total: defaultdict[str, float] = defaultdict(float)
    for item in every_item(arch, components_of(arch, arch.name)):
        total[item.part] += item.count * item.unit_area_um2
    return dict(total)
