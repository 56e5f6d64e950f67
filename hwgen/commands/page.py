"""`--page`: one HTML file of a run, a prediction or a plan, opened from disk.

Tests: `tests/commands/test_page.py`.
"""

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from hwgen.chip.family import Family
from hwgen.chip.protocols import Program
from hwgen.chip.runs import Prediction
from hwgen.commands.engines import Maps
from hwgen.commands.fields import File
from hwgen.commands.prices import Prices, counted_events
from hwgen.commands.request import OUTPUT_FILE, Request, Says, hints_of, option_of, said_of
from hwgen.commands.subject import Subject
from hwgen.files.earlier import PAGES
from hwgen.files.output import write_text
from hwgen.report.model import ModelReport
from hwgen.report.plans import PlanReport
from hwgen.report.run import RunReport

PageFile = Annotated[
    File | None,
    Says(
        "page to write (.html): cycles, causes, schedule, energy and area with pictures",
        metavar="FILE",
        use=OUTPUT_FILE,
        replaces=PAGES,
    ),
]


@dataclass(frozen=True, kw_only=True)
class Made:
    """Of what a report was made: a program, the maps of all images, and a prediction a run.

    modes: of each image
    """

    subject: Subject
    program: Program
    modes: Sequence[int]
    maps: Maps
    predictions: Sequence[Prediction]

    def facts(self, prices: Prices) -> dict[str, Any]:
        """Return causes, the first run over time, energy by event and area by part."""
        family = self.subject.family
        priced = family.offers(Family.energy_tables) or family.offers(Family.area)
        return {
            "where": where(self.subject, self.predictions),
            "steps": self.predictions[0].steps,
            "tracks": self.tracks(),
            "energy_nj": self.energy_nj(prices),
            "area_um2": prices.area_um2(self.subject.arch) if priced else {},
        }

    def tracks(self) -> Sequence[Any]:
        """Return what the units do in the first run; nothing for a family that tells nothing."""
        family, size = self.subject.family, self.program.facts.images
        if not family.offers(Family.timeline):
            return ()
        first = {name: found[:size] for name, found in self.maps.items()}
        of_modes = {"modes": self.modes[:size]} if family.offers(Family.modes) else {}
        show: Any = family.need(Family.timeline).timeline
        return tuple(show(self.program, self.subject.arch, first, **of_modes))

    def energy_nj(self, prices: Prices) -> Mapping[str, float]:
        """Return nanojoules of an image on average, by event, and of time alone."""
        if not self.subject.family.offers(Family.energy):
            return {}
        chip, images = self.subject.timed.arch, len(self.modes)
        spent = dict(prices.energy_pj(counted_events(self.predictions), chip))
        spent["time"] = prices.leakage_pj(sum(each.cycles for each in self.predictions), chip)
        return {name: pj / images / 1e3 for name, pj in spent.items()}


def write_page(
    request: Request,
    file: Path,
    report: RunReport | ModelReport | PlanReport,
    made: Made | None = None,
    prices: Prices | None = None,
) -> None:
    """Write the page of a request's report; made: None where golden alone has answered."""
    from hwgen.report.page import Facts, page_of

    facts = {} if made is None else made.facts(prices or Prices(made.subject.family))
    text = page_of(report, Facts(command=command_of(request), **facts))
    write_text(file, text, what="page")


def where(subject: Subject, predictions: Sequence[Prediction]) -> dict[str, float]:
    """Return the fraction of all cycles by cause."""
    model = subject.family.need(Family.cycle_model)
    spent: Counter[str] = Counter()
    for prediction in predictions:
        spent.update(dict(model.where_cycles_go(prediction)))
    total = sum(spent.values())
    return {cause: cycles / total for cause, cycles in spent.items()}


def command_of(request: Request) -> str:
    """Return the command that a request stands for; values that nobody can type are left out."""
    kind: Any = type(request)
    typed: list[str] = ["hwgen", kind.command]
    for each in fields(kind):
        value, said = getattr(request, each.name), said_of(hints_of(kind)[each.name])
        if said is None or value == each.default or not isinstance(value, str | int | float | Path):
            continue
        option = [] if said.argument else [said.names[0] if said.names else option_of(each.name)]
        typed += option if value is True else [*option, str(value)]
    return shlex.join(typed)
