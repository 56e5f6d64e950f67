"""`hwgen explore`: the best chips of at most some area for networks, by a search."""

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, cast

import yaml
from pydantic import Field
from rich.console import RenderableType

from hwgen.chip.family import Family
from hwgen.chip.protocols import Architecture, Axes
from hwgen.commands.architectures import LoadedArchitecture, chip_of
from hwgen.commands.clocks import timed
from hwgen.commands.families import families, offering
from hwgen.commands.fields import Count, File, Images, Real, Seed, Workers, images_of, path_of
from hwgen.commands.images import Batch
from hwgen.commands.modes import choose_stream
from hwgen.commands.on_chip import subject_of
from hwgen.commands.packages import check_package
from hwgen.commands.pictures import Plot, check_plot, write_plot
from hwgen.commands.points import REFUSED, Point, Result, arch_of, run_points_on
from hwgen.commands.prices import EnergyFile, Prices
from hwgen.commands.request import OUTPUT_FILE, Says, Working
from hwgen.commands.search import Candidate, Search, Values
from hwgen.commands.subject import Subject, configuration_of
from hwgen.commands.sweep import changed_keys, check_values, leaves, values_of
from hwgen.errors import DataError, HwgenError
from hwgen.files.digests import digest_of, versions
from hwgen.files.earlier import FOUND, FOUND_START
from hwgen.files.output import write_text
from hwgen.jobs.executors import Executor
from hwgen.report.explore import (
    ExploredChip,
    ExploredNetwork,
    ExploredRun,
    ExploreReport,
    Objective,
)
from hwgen.report.explore_table import explore_table
from hwgen.report.sweep import Value

SMALLEST = 0.25
"""Of the area that is allowed: smaller chips take long to predict, and are far from the best."""
MOST_POINTS = 4096

DataOfEach = Annotated[
    Sequence[Images] | None,
    Says(
        "images of each network, in their order; repeatable [default: as for hwgen model]",
        metavar="NAME|PATH",
        typed=list[str],
        read=tuple,
    ),
]


@dataclass(frozen=True)
class Explore(Working):
    """Search chips of a family that are at most so large, and run networks fastest.

    What varies are sizes of the family's architectures, all that a grid can vary; --keys
    holds some of them, or adds others. Each chip is predicted exactly, an image a network. The
    table has the chips that no other one beats in both area and objective. Every prediction is
    cached, so after an interrupt the same command resumes.

    Raises FamilyError for a family that cannot be explored, ConfigError for an unknown key,
    DataError if no chip runs all networks.
    """

    networks: Annotated[
        Annotated[Sequence[File], Field(min_length=1)],
        Says(
            "quantized network files (.npz), or names of some that ship",
            metavar="NETWORK",
            argument=True,
            typed=list[Path],
            read=tuple,
        ),
    ]
    family: Annotated[
        File,
        Says(
            "a family, or an architecture (.yaml) whose other keys stay",
            metavar="FAMILY",
            argument=True,
            complete=lambda: [each.name for each in offering(Family.axes)],
        ),
    ]
    _: KW_ONLY
    area: Annotated[Annotated[Real, Field(gt=0)], Says("mm2 of a chip at most", metavar="MM2")]
    objective: Annotated[
        Objective,
        Says("latency: cycles of an image; edp: energy x latency; area: mm2 x it", metavar="WHAT"),
    ] = "latency"
    keys: Annotated[
        Mapping[str, Annotated[Sequence[Value], Field(min_length=1)]],
        Says(
            "a key and the values that it may have, such as cores=4,8; repeatable",
            metavar="KEY=VALUES",
            typed=list[str],
            read=values_of,
        ),
    ] = field(default_factory=dict)
    points: Annotated[
        Annotated[Count, Field(le=MOST_POINTS)], Says("chips to predict", metavar="N")
    ] = 256
    data: DataOfEach = None
    seed: Seed = 1
    workers: Workers = 2
    energy: EnergyFile = None
    plot: Plot = None
    out: Annotated[
        File | None,
        Says(
            "architecture of the best chip to write (.yaml)",
            metavar="FILE",
            use=OUTPUT_FILE,
            replaces=FOUND,
        ),
    ] = None

    def check(self) -> None:
        """Refuse a picture of another kind, and images for other networks."""
        check_plot(self, self.plot)
        check_package("optuna")
        if self.data is not None and len(self.data) != len(self.networks):
            allowed = f"given once a network ({len(self.networks)} times)"
            raise self.refusal("data", allowed, f"{len(self.data)} times")

    def run(self) -> ExploreReport:
        """Search, and write what was found."""
        from hwgen.jobs.executors import make_executor

        began, space = time.monotonic(), self._space()
        streams = [self._stream(space, place) for place in range(len(self.networks))]
        total = (self.points + 1) * len(streams)
        with (
            make_executor(self.workers) as executor,
            self.quiet.progress("predictions", total) as done,
        ):
            found = Exploration(self, space, streams, executor, done)
            found.predict([space.start.parameters])
            search = Search(
                axes=space.axes,
                first=space.first,
                candidate=found.candidate,
                predict=lambda drawn: found.predict([space.arch(values) for values in drawn]),
                points=self.points,
                seed=self.seed,
            )
            search.run()
        report = found.report(search.drawn, time.monotonic() - began)
        if self.plot is not None:
            from hwgen.report.explore_plot import explore_picture

            write_plot(self.plot, lambda kind: explore_picture(report, kind))
        if self.out is not None:
            write_text(Path(self.out), space.file_of(report.best.values), what="architecture")
        return report

    def _stream(self, space: "Space", place: int) -> tuple[Subject, Batch]:
        """Return a network on the first chip, and its image."""
        subject = subject_of(self.quiet, self.networks[place], space.start)
        data = None if self.data is None else self.data[place]
        if subject.densities is not None and data is not None:
            raise self.refusal("data", "left out where densities draw the maps", data)
        return choose_stream(subject, images_of(data), images=None, batch=None, modes=None)

    def table(self, report: ExploreReport) -> RenderableType:
        """Return the chips of the front."""
        return explore_table(report)

    def _space(self) -> "Space":
        """Return the chips among which the search is; refuse keys that they do not have."""
        named = families().get(str(self.family))
        start = chip_of(self.quiet, self.family if named is None else named.need(Family.axes).START)
        axes = start.family.need(Family.axes)
        prices = Prices(start.family, path_of(self.energy))
        start.family.need(Family.area)
        if self.objective != "latency":
            start.family.need(Family.energy)
        known = {key: values[-1] for key, values in axes.AXES.items()} | leaves(
            asdict(cast(Any, start.parameters))
        )
        check_values(self.keys, known, field="a key", source="command line")
        return Space(start=start, sizes=axes, given=self.keys, prices=prices)


@dataclass(frozen=True, kw_only=True)
class Space:
    """Chips that differ in some keys from one.

    sizes: what the family says of its keys; given: keys with the values that a person wants
    """

    start: LoadedArchitecture
    sizes: Axes
    given: Mapping[str, Sequence[Value]]
    prices: Prices

    @cached_property
    def axes(self) -> dict[str, list[Value]]:
        """Keys and their values; those of `start` are among them where no others are wanted."""
        own = leaves(self.start.configuration)
        found: dict[str, list[Value]] = {
            key: sorted({*values, own.get(key, values[-1])})
            for key, values in self.sizes.AXES.items()
        }
        return found | {key: list(dict.fromkeys(values)) for key, values in self.given.items()}

    @property
    def first(self) -> Values:
        """Values of `start`; of a key whose value there is not wanted the first one that is."""
        own = leaves(self.start.configuration)
        return {
            key: own[key] if own.get(key) in values else values[0 if key in own else -1]
            for key, values in self.axes.items()
        }

    def arch(self, values: Mapping[str, Value]) -> Architecture:
        """Return a chip whose sizes go together; ConfigError where the family refuses it."""
        configuration = changed_keys(self.start.configuration, values)
        fitting = self.sizes.fitting(configuration)
        return arch_of(self.start.family, fitting, source=str(self.start.file))

    def shown(self, arch: Architecture) -> dict[str, Value]:
        """Return the values of a chip; a key that it leaves out is missing."""
        own = leaves(configuration_of(arch))
        return {key: own[key] for key in self.axes if key in own}

    def wanted(self, arch: Architecture) -> bool:
        """Return whether a chip whose sizes go together still has values that a person wants."""
        own = leaves(asdict(cast(Any, arch)))
        return all(own.get(key, values[-1]) in values for key, values in self.given.items())

    def area_mm2(self, arch: Architecture) -> float:
        """Return the area of a chip."""
        return sum(self.prices.area_um2(arch).values()) / 1e6

    def file_of(self, values: Mapping[str, Value]) -> str:
        """Return the architecture file of a chip."""
        configuration = configuration_of(self.arch(values))
        configuration["name"] = f"{self.start.name}_explored"
        return f"{FOUND_START} from {self.start.name}\n{yaml_text(configuration)}"


def yaml_text(configuration: Mapping[str, Any]) -> str:
    """Return a configuration as YAML; tuples are lists there."""
    plain = json.loads(json.dumps(configuration))
    return yaml.safe_dump(plain, sort_keys=False)


class Exploration:
    """What the chips of a search are: those of no interest, and those that were predicted."""

    def __init__(
        self,
        request: Explore,
        space: Space,
        streams: Sequence[tuple[Subject, Batch]],
        executor: Executor,
        done: Callable[[], None],
    ) -> None:
        self.request, self.space, self.streams = request, space, streams
        self.executor, self.done = executor, done
        self.chips: dict[str, ExploredChip] = {}
        self.left_out: Counter[str] = Counter()
        self.illegal = ""
        self.computed = 0

    @property
    def smallest_mm2(self) -> float:
        """Area of the smallest chip that is predicted."""
        return SMALLEST * self.request.area

    def candidate(self, values: Values) -> Candidate | None:
        """Return what a combination of values stands for; None: there is no such chip."""
        try:
            arch = self.space.arch(values)
        except HwgenError as error:
            arch, self.illegal = None, self.illegal or str(error)
        if arch is None or not self.space.wanted(arch):
            self.left_out["illegal"] += 1
            return None
        area, most = self.space.area_mm2(arch), self.request.area
        outside = 0.0
        if area > most:
            self.left_out["too_large"] += 1
            outside = math.log(area / most)
        elif area < self.smallest_mm2:
            self.left_out["too_small"] += 1
            outside = math.log(self.smallest_mm2 / area)
        return Candidate(key=key_of(arch), area_mm2=area, outside=outside)

    def predict(self, archs: Sequence[Architecture]) -> list[float | None]:
        """Return the objective of chips; None: one refuses a network."""
        points = [
            Point(subject=replace(subject, arch=arch), batch=batch)
            for arch in archs
            for subject, batch in self.streams
        ]

        def count(_: int, __: Result, computed: bool) -> None:
            self.computed += computed
            self.done()

        results = run_points_on(self.executor, self.request.quiet, points, on_done=count)
        each = len(self.streams)
        found = []
        for place, arch in enumerate(archs):
            chip = self._chip(arch, results[place * each : (place + 1) * each])
            self.chips.setdefault(key_of(arch), chip)
            found.append(chip.objective)
        return found

    def _chip(self, arch: Architecture, results: Sequence[Result]) -> ExploredChip:
        """Return what was predicted of a chip."""
        refused = next((result[REFUSED] for result in results if REFUSED in result), None)
        runs = [] if refused else [self._run(arch, result) for result in results]
        area = self.space.area_mm2(arch)
        return ExploredChip(
            values=self.space.shown(arch),
            area_mm2=area,
            objective=None if refused else mean([self._objective(run, area) for run in runs]),
            runs=runs,
            refused=refused,
            front=False,
        )

    def _run(self, arch: Architecture, result: Result) -> ExploredRun:
        """Return the figures of a network: of one image."""
        at = timed(self.space.start.family, arch, self.space.start.file)
        energy = self.space.prices.image(
            result["events"],
            result["cycles"],
            at.arch,
            images=1,
            outside_bytes=result["outside_bytes"],
        )
        return ExploredRun(
            cycles_model=result["cycles"],
            time_us=at.time_us(result["cycles"]),
            energy_uj=None if energy is None else energy.image_uj,
            with_outside_uj=None if energy is None else energy.with_outside_uj,
        )

    def _objective(self, run: ExploredRun, area: float) -> float:
        """Return what is to be small of a network."""
        energy = run.energy_uj or 0.0
        cycles = run.cycles_model
        of = {"latency": cycles, "energy": energy, "edp": energy * cycles, "area": area * cycles}
        return of[self.request.objective]

    def report(self, drawn: int, seconds: float) -> ExploreReport:
        """Return the report; DataError if no chip runs all networks."""
        request, space = self.request, self.space
        chips = with_front(list(self.chips.values()), request.area)
        front = [chip for chip in chips if chip.front]
        # The first chip has its own values, whatever is wanted.
        if not any(of_keys(chip, request.keys) for chip in front):
            raise DataError(
                f"at least one chip of at most {request.area:g} mm2 must run all networks, got"
                f" none: {self.reason(chips)}"
            )
        return ExploreReport(
            format="hwgen.report.explore",
            version=3,
            networks=[
                ExploredNetwork(network=subject.network_source, data=batch.about)
                for subject, batch in self.streams
            ],
            start=self.streams[0][0].arch_source,
            configuration=space.start.configuration,
            energy_table=space.prices.source,
            objective=request.objective,
            area_mm2=request.area,
            smallest_mm2=self.smallest_mm2,
            seed=request.seed,
            keys=space.axes,
            drawn=drawn,
            illegal=self.left_out["illegal"],
            too_large=self.left_out["too_large"],
            too_small=self.left_out["too_small"],
            chips=chips,
            best=min(front, key=lambda chip: chip.objective or math.inf),
            computed=self.computed,
            seconds=round(seconds, 1),
            versions=versions(),
        )

    def reason(self, chips: Sequence[ExploredChip]) -> str:
        """Return why no chip was found: the sentence of a network, or of a key's values."""
        refused = next((chip.refused for chip in chips if chip.refused), "")
        sizes = self.left_out["too_large"] + self.left_out["too_small"]
        illegal = "" if sizes else self.illegal
        return refused or illegal or "all are larger"


def of_keys(chip: ExploredChip, keys: Mapping[str, Sequence[Value]]) -> bool:
    """Return whether a chip has one of the values of each key; a key that it leaves out is none."""
    return all(chip.values.get(key, values[0]) in values for key, values in keys.items())


def key_of(arch: Architecture) -> str:
    """Return what tells two chips apart."""
    return digest_of(configuration_of(arch))


def mean(values: Sequence[float]) -> float:
    """Return the geometric mean of positive values."""
    return math.exp(sum(map(math.log, values)) / len(values))


def with_front(chips: Sequence[ExploredChip], most_mm2: float) -> list[ExploredChip]:
    """Return the chips in their order, with those marked that no other one beats.

    A chip that is larger than `most_mm2`, or has no objective, is beaten.
    """
    front: set[int] = set()
    least = math.inf
    places = range(len(chips))
    for place in sorted(places, key=lambda at: (chips[at].area_mm2, chips[at].objective or 0)):
        chip = chips[place]
        if chip.objective is not None and chip.area_mm2 <= most_mm2 and chip.objective < least:
            least = chip.objective
            front.add(place)
    return [replace(chip, front=place in front) for place, chip in enumerate(chips)]
