"""Energy of a run by counted events, beside what the search that found the chip charges."""

import json
from collections.abc import Mapping
from pathlib import Path

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.model.energy import energy_pj, leakage_pj
from hwgen.report.run import RunEnergy

REPORT = "report.json"
"""Name of the file that a synthesis leaves beside an architecture."""
PARTS: Mapping[str, tuple[str, ...]] = {
    "crossbar": ("crossbar_reads",),
    "adc": ("conversions",),
    "scratchpad": ("port_reads", "port_writes"),
    "network_on_chip": ("flit_hops",),
}
"""Events by the part of a chip that takes their energy."""
STATIC = "static"
PICO_OF_MILLI = 1e9


def run_energy(
    arch: Arch, file: Path, events: Mapping[str, int], *, cycles: int, images: int
) -> list[RunEnergy]:
    """Return the energy of an image by part, that of waiting at the end.

    events, cycles, images: of a run; file: of the architecture, beside which a report may lie
    """
    spent = energy_pj(events, arch)
    counted = {part: sum(spent[name] for name in names) / images for part, names in PARTS.items()}
    counted[STATIC] = leakage_pj(cycles, arch) / images
    charged = charged_by_search(arch, file.parent / REPORT)
    return [
        RunEnergy(part=part, events_pj=counted.get(part), search_pj=charged.get(part))
        for part in dict.fromkeys((*PARTS, *charged, STATIC))
        if counted.get(part) or charged.get(part)
    ]


def charged_by_search(arch: Arch, file: Path) -> dict[str, float]:
    """Return picojoules of an image by part, from the report of a synthesis; empty without one."""
    try:
        report = json.loads(file.read_text(encoding="utf-8"))
        if report["architecture_digest"] != arch.digest:
            return {}
        found = {each["part"]: float(each["dynamic_mj"]) for each in report["parts"]}
        found[STATIC] = sum(float(each["static_mj"]) for each in report["parts"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {part: energy * PICO_OF_MILLI for part, energy in found.items()}
