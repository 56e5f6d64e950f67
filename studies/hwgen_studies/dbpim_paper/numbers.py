"""What stands beside the numbers of document 002."""

import numpy as np

from hwgen.dbpim.facts import load_arch
from hwgen.dbpim.facts.storage import storage
from hwgen.fit.digits import digits_of
from hwgen_studies.dbpim_paper import race
from hwgen_studies.dbpim_paper.race_rows import peak_tops
from hwgen_studies.dbpim_paper.report import DbpimReport, RaceReport, RaceRow
from hwgen_studies.numbers import Ours, constant, named

KILOBYTE_BITS = 8192
MODELLED = "modelled"
NANOMETRES = 45.0
"""Of the table of energies and areas."""


def ours(report: DbpimReport) -> dict[str, Ours]:
    """Return the rows of race and figures by name, and what the chip's file says."""
    found = facts()
    if report.race is not None:
        found |= {row.figure: of_race(report.race, row) for row in report.race.rows}
    for row in report.figures.rows if report.figures is not None else ():
        clock = "-" if report.figures is None else f"{report.figures.clock_mhz:.0f} MHz"
        about = Ours(value=row.ours, reason=row.reason, cycles=MODELLED, clock=clock)
        found[named(row.figure, row.what)] = about
    return found


def of_race(report: RaceReport, row: RaceRow) -> Ours:
    """Return a row of the race, with the weights of its network where it is of one."""
    kinds = [
        each.weights.split()[0].rstrip(":") for each in report.networks if each.name in row.figure
    ]
    return Ours(
        value=row.ours,
        reason=row.reason,
        weights=kinds[0] if kinds else "-",
        cycles=MODELLED,
        clock=f"{report.clock_mhz:.0f} MHz" if row.unit.startswith(("ms", "TOPS")) else "-",
    )


def facts() -> dict[str, Ours]:
    """Return what the file of the chip says."""
    arch = load_arch(race.ARCHITECTURE)
    bits = [
        sum(each.bits for each in storage(arch) if each.cells is cells) for cells in (False, True)
    ]
    macros = arch.cores * arch.macros_per_core
    values = np.arange(-128, 128, dtype=np.int8)
    digits, ones = digits_of(values).sum(), np.unpackbits(values.view(np.uint8)).sum()
    found = {
        "technology": NANOMETRES,
        "clock": arch.clock_mhz,
        "non-zero digits below bits": 100 * (1 - digits / ones),
        "SRAM": bits[0] / KILOBYTE_BITS,
        "PIM": bits[1] / KILOBYTE_BITS,
        "macros": macros,
        "peak of a macro": 1000 * peak_tops(arch) / macros,
    }
    return {named("configuration", what): constant(float(value)) for what, value in found.items()}
