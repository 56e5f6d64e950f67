"""The race of equal areas: the best sparse chip beside the best dense one.

    python -m hwgen_studies.dbpim_paper.area_race NETWORK ARCH DENSE --data SET --results JSON \
        --cost JSON --run JSON --out FILE --json FILE

searches dense and sparse chips with `hwgen.api`, and writes the page, its picture beside it, and
the report. ARCH is the sparse chip of the paper, DENSE the same without the parts for sparsity.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen import api
from hwgen.commands.context import Context
from hwgen.commands.explore import yaml_text
from hwgen.commands.images import choose_images
from hwgen.commands.origin import commit, machine
from hwgen.commands.subject import Subject, configuration_of, load_subject
from hwgen.commands.sweep import changed_keys, leaves
from hwgen.errors import FormatError, HwgenError
from hwgen.files.digests import versions
from hwgen.files.load import validate_spec
from hwgen.files.output import write_text
from hwgen.files.shipped import shown
from hwgen.report.files import write_report
from hwgen.report.run import RunReport
from hwgen.report.sweep import SweepReport
from hwgen.report.training_record import read_known
from hwgen.report.types import Source
from hwgen_studies.dbpim_paper.area_race_page import (
    AreaChip,
    AreaRaceReport,
    Kind,
    Netlist,
    PaperNetwork,
    Spread,
    area_race_page,
    area_race_picture,
    least,
)
from hwgen_studies.dbpim_paper.clock import clock_of
from hwgen_studies.dbpim_paper.published import NETWORKS
from hwgen_studies.dbpim_paper.race_networks import training_of
from hwgen_studies.networks.report import ResultsReport
from hwgen_studies.options import page_options

Sizes = Mapping[str, tuple[int, ...]]

BOTH: Sizes = {
    "cores": (2, 4, 8, 16),
    "macros_per_core": (4, 8, 16),
    "macro.compartments": (8, 16, 32, 64),
    "macro.columns": (8, 16, 32, 64),
    "macro.rows": (4, 8, 16, 32),
    "tile_rows": (2, 4, 8, 16),
    "buffer_bytes": (8192, 16384, 32768),
    "psum_entries": (16, 32, 64, 128),
    "simd_lanes": (8, 16, 32, 64, 128),
    "lanes_per_requantizer": (1, 2, 4, 8),
    "bus_words": (2, 4, 8),
    "port_bits": (128, 256),
}
"""What varies of every chip."""
SIZES: dict[Kind, Sizes] = {
    # A word of a dense chip has all compartments; its switch, masks and queues are not there.
    "dense": {
        **BOTH,
        "word_channels": (64,),
        "mask_bytes": (1024,),
        "queue_depth": (8,),
        "switch_rate": (8,),
    },
    "sparse": {
        **BOTH,
        "word_channels": (8, 16, 32, 64),
        "mask_bytes": (128, 256, 1024, 4096),
        "queue_depth": (4, 8, 16),
        "switch_rate": (4, 8, 16),
    },
}
"""What varies of chips of each kind."""
TOGETHER: tuple[tuple[str, ...], ...] = (
    ("macro.compartments", "macro.columns"),
    ("cores", "macros_per_core"),
    ("macro.rows", "tile_rows"),
)
"""Keys that are varied together around the best chip, for each restricts the other."""
DENSE = {
    "cores": 4,
    "macros_per_core": 16,
    "macro.columns": 32,
    "macro.rows": 4,
    "tile_rows": 2,
    "buffer_bytes": 16384,
    "psum_entries": 32,
    "simd_lanes": 8,
    "bus_words": 8,
    "port_bits": 128,
}
SPARSE = {
    "cores": 4,
    "macros_per_core": 8,
    "macro.rows": 8,
    "tile_rows": 4,
    "buffer_bytes": 16384,
    "psum_entries": 64,
    "mask_bytes": 128,
    "simd_lanes": 16,
    "bus_words": 8,
    "port_bits": 128,
}
START: dict[Kind, tuple[dict[str, int], ...]] = {
    "dense": (
        DENSE,
        DENSE | {"macro.rows": 8, "tile_rows": 4},
        DENSE | {"cores": 8},
        DENSE | {"cores": 16, "macros_per_core": 8, "macro.rows": 8, "tile_rows": 4},
    ),
    "sparse": (
        SPARSE,
        SPARSE | {"macros_per_core": 16},
        SPARSE | {"cores": 8},
        SPARSE | {"macro.columns": 32},
    ),
}
"""Sizes of the best chips of an earlier search: the least cycles times area, the fastest of at most
the area of the paper's chip. What does not stand here is as in the paper's chip."""
UNPRUNED = "weight_bits+input_bits"
"""Switches of a sparse chip that skips no pruned block."""
BATCH = 16


@dataclass(frozen=True, kw_only=True)
class Race:
    """What all predictions of a race have: network and images, both kinds of chips, and where.

    most_mm2: area of the searched chips at most
    points: chips that a search of each kind predicts, beside those that it begins with
    steps: how often some keys of the best chip are varied, at most
    """

    context: Context
    network: Path
    archs: Mapping[Kind, Path]
    data: str | None
    workers: int
    most_mm2: float
    points: int
    steps: int

    def begin(self, kind: Kind) -> list[dict[str, int]]:
        """Return the sizes of the chips with which a search begins."""
        return [{**self.own(kind), **sizes} for sizes in START[kind]]

    def own(self, kind: Kind) -> dict[str, int]:
        """Return the sizes of the chip of the paper; of a key that it leaves out the largest."""
        values = leaves(self._configuration(kind))
        found = {key: values.get(key, most[-1]) for key, most in SIZES[kind].items()}
        return {key: int(value) for key, value in found.items()}

    def _configuration(self, kind: Kind) -> dict[str, Any]:
        arch = api.load_architecture(self.archs[kind])
        return configuration_of(arch.parameters)

    def file_of(self, kind: Kind, values: Mapping[str, int], name: str) -> Path:
        """Write the architecture file of a chip; return where it lies."""
        sizes = dict(values)
        # A word of all compartments is what a file leaves out.
        if sizes["word_channels"] >= sizes["macro.compartments"]:
            del sizes["word_channels"]
        configuration = changed_keys(self._configuration(kind), sizes) | {"name": name}
        file = self.context.work / "race" / f"{name}.yaml"
        write_text(file, yaml_text(configuration), what="architecture")
        return file

    def search(self, kind: Kind) -> list[AreaChip]:
        """Return the best chips known, and those of a search that begins with them."""
        begin = self.begin(kind)
        known = [chip for values in begin for chip in self.swept(kind, values, ())]
        if not self.points:
            return known
        found = api.explore(
            [self.network],
            self.file_of(kind, begin[0], f"start_{kind}"),
            area=self.most_mm2,
            keys={key: list(values) for key, values in SIZES[kind].items()},
            points=self.points,
            data=None if self.data is None else [self.data],
            workers=self.workers,
            context=self.context,
        )
        return [
            *known,
            *(
                AreaChip(
                    kind=kind,
                    values=found_values(kind, chip.values),
                    cycles=chip.runs[0].cycles_model,
                    area_mm2=chip.area_mm2,
                    energy_uj=chip.runs[0].energy_uj or 0.0,
                    with_outside_uj=chip.runs[0].with_outside_uj or 0.0,
                )
                for chip in found.chips
                if chip.runs
            ),
        ]

    def polished(self, kind: Kind, chips: list[AreaChip]) -> Iterator[AreaChip]:
        """Yield the chips a step from the best one, until none of them is better."""
        best, unchanged, all_keys = least(chips), 0, list(steps(kind))
        for place in range(self.steps):
            near = list(self.swept(kind, best.values, all_keys[place % len(all_keys)]))
            yield from near
            before, best = best, least([best, *near])
            unchanged = unchanged + 1 if best is before else 0
            if unchanged == len(all_keys):
                return

    def swept(
        self, kind: Kind, values: Mapping[str, int], keys: Sequence[str]
    ) -> Iterator[AreaChip]:
        """Yield the chips that differ from one by a step in some keys and can be made.

        keys: none: the chip itself
        """
        whole = {**values, "word_channels": 64} if "macro.compartments" in keys else values
        sizes = {key: near_values(SIZES[kind][key], values[key]) for key in keys}
        if not keys:
            sizes = {"cores": [values["cores"]]}
        if keys == ("word_channels",):
            most = values["macro.compartments"]
            sizes = {keys[0]: [word for word in sizes[keys[0]] if word < most]}
        if not all(sizes.values()):
            return
        try:
            found = self.sweep(self.file_of(kind, whole, f"near_{kind}"), sizes)
        except HwgenError:
            return  # not one of them can be made
        for point in found.points:
            if point.refused is None and point.cycles_model and point.area_mm2:
                near = {**whole, **{key: int(point.values[key]) for key in sizes}}
                yield AreaChip(
                    kind=kind,
                    values=near
                    | {"word_channels": min(near["word_channels"], near["macro.compartments"])},
                    cycles=point.cycles_model,
                    area_mm2=point.area_mm2,
                    energy_uj=point.energy_uj or 0.0,
                    with_outside_uj=point.with_outside_uj or 0.0,
                )

    def sweep(self, arch: Path, keys: Mapping[str, Sequence[Any]], **given: Any) -> SweepReport:
        """Return a sweep of the network on chips."""
        return api.sweep(
            self.network,
            arch,
            keys,
            data=self.data,
            workers=self.workers,
            context=self.context,
            **given,
        )

    def of_paper(self, kind: Kind) -> AreaChip:
        """Return the chip of the paper; dense: with its switches off, all parts there."""
        point = self.sweep(
            self.archs["sparse"], {"sparsity": ["none" if kind == "dense" else "all"]}
        ).points[0]
        if point.refused is not None or not point.cycles_model or not point.area_mm2:
            raise FormatError(
                field="ARCH",
                allowed="a chip that runs the network, sparse and dense",
                given=point.refused,
                source=str(self.archs["sparse"]),
            )
        return AreaChip(
            kind=kind,
            values=self.own("sparse"),
            cycles=point.cycles_model,
            area_mm2=point.area_mm2,
            energy_uj=point.energy_uj or 0.0,
            with_outside_uj=point.with_outside_uj or 0.0,
        )

    def file_or_paper(self, chip: AreaChip, paper: AreaChip, name: str) -> Path:
        """Return the architecture file of a chip, of the paper's the one that was given."""
        return self.archs["sparse"] if chip is paper else self.file_of(chip.kind, chip.values, name)

    def images(self, arch: Path, count: int) -> Spread:
        """Return mean, least and most cycles of so many images, one a run."""
        report = api.simulate(
            self.network,
            arch,
            images=count,
            engine="model",
            data=self.data,
            context=self.context,
        )
        cycles = [image.cycles_model or 0 for image in report.images]
        return Spread(images=count, mean=sum(cycles) / count, least=min(cycles), most=max(cycles))

    def batch_cycles(self, arch: Path) -> float:
        """Return the cycles of an image in a run of 16 different ones."""
        point = self.sweep(arch, {"cores": [self._cores(arch)]}, images=BATCH, batch=BATCH).points[
            0
        ]
        return (point.cycles_model or 0) / BATCH

    def unpruned_cycles(self, arch: Path) -> int:
        """Return the cycles of a sparse chip that skips no pruned block."""
        return self.sweep(arch, {"sparsity": [UNPRUNED]}).points[0].cycles_model or 0

    def _cores(self, arch: Path) -> int:
        parameters: Any = api.load_architecture(arch).parameters
        return int(parameters.cores)

    def netlist(self, arch: Path, liberty: Path) -> Netlist:
        """Return clock and area of the netlist of a chip, as it is emitted."""
        report = api.cost(arch, liberty=liberty, context=self.context)
        parts = [part.logic_um2 + (part.memory_um2 or 0.0) for part in report.parts]
        return Netlist(ns=report.slowest_ns, area_mm2=sum(parts) / 1e6)


def steps(kind: Kind) -> Iterator[tuple[str, ...]]:
    """Yield the keys that are varied at a time."""
    yield from TOGETHER
    together = {key for keys in TOGETHER for key in keys}
    for key, values in SIZES[kind].items():
        if key not in together and len(values) > 1:
            yield (key,)


def near_values(values: Sequence[int], value: int) -> list[int]:
    """Return a value, and those before and behind it."""
    place = values.index(value)
    return list(values[max(place - 1, 0) : place + 2])


def found_values(kind: Kind, values: Mapping[str, Any]) -> dict[str, int]:
    """Return the sizes of a chip in the order of `SIZES`; left out: a word of all compartments."""
    whole = {"word_channels": values["macro.compartments"], **values}
    return {key: int(whole[key]) for key in SIZES[kind]}


def measure(
    race: Race,
    *,
    results: Path,
    cost: Path,
    run: Path,
    liberty: Path | None,
    images: int,
    command: str,
) -> AreaRaceReport:
    """Return all chips with time, area and energy of one image.

    results: JSON of `hwgen results` with the paper's networks on the same chip
    cost: JSON of `hwgen cost` of the architecture
    run: JSON of `hwgen run` of the network on the architecture
    liberty: cells of the netlists; None: no netlist is made
    """
    from hwgen.chip.outside import FILE, outside_memory
    from hwgen.dbpim.model.energy import default_table

    subject = load_subject(race.network, race.archs["sparse"], "all")
    clock, cycles_rtl = clock_of(cost, subject.arch), simulated(run, subject)
    table, memory = default_table(), outside_memory()
    same, sparse = race.of_paper("dense"), race.of_paper("sparse")
    chips: list[AreaChip] = []
    kinds: tuple[Kind, ...] = ("dense", "sparse")
    for kind in kinds:
        found = race.search(kind)
        chips += [*found, *race.polished(kind, found)]
    chips = list({(each.kind, *each.values.items()): each for each in chips}.values())
    best = {kind: least([each for each in chips if each.kind == kind]) for kind in kinds}
    compared: dict[str, AreaChip] = {
        "paper": sparse,
        "dense": best["dense"],
        "sparse": best["sparse"],
    }
    files = {
        name: race.file_or_paper(each, sparse, f"best_{name}") for name, each in compared.items()
    }
    batch = choose_images(subject.network, race.data, 1)
    sizes: dict[Kind, dict[str, list[int]]] = {
        kind: {key: list(values) for key, values in SIZES[kind].items()} for kind in kinds
    }
    return AreaRaceReport(
        format="hwgen.report.area_race",
        version=2,
        network=Source(
            name=subject.network_source.name,
            file=shown(race.network),
            digest=subject.network_source.digest,
        ),
        weights=training_of(race.network, subject.network)[0],
        architecture=Source(
            name=subject.arch.name,
            file=shown(race.archs["sparse"]),
            digest=subject.arch_source.digest,
        ),
        images_name=Path(batch.about.name).name,
        images_digest=batch.about.digest,
        table=Source(name=table.name, file="configs/energy/dbpim_45nm.yaml", digest=table.digest),
        memory=Source(name=memory.name, file=shown(FILE), digest=memory.digest),
        area_uncertainty=table.area_uncertainty,
        clock=clock,
        sizes=sizes,
        points=race.points,
        steps=race.steps,
        same_macros=same,
        sparse=sparse,
        cycles_rtl=cycles_rtl,
        chips=chips,
        netlists={
            name: race.netlist(file, liberty) for name, file in files.items() if liberty is not None
        },
        unpruned={name: race.unpruned_cycles(files[name]) for name in ("paper", "sparse")},
        batch=BATCH,
        batch_cycles={name: race.batch_cycles(file) for name, file in files.items()},
        images={name: race.images(file, images) for name, file in files.items()},
        paper_networks=list(paper_networks(results)),
        commit=commit(),
        machine=machine(),
        command=command,
        versions=versions(),
    )


def simulated(run: Path, subject: Subject) -> int:
    """Return the cycles of one image in Verilog; FormatError for another run, or an unequal one."""
    content = read_known(run, "hwgen.report.run", (6,))
    report = validate_spec(RunReport, content, source=str(run))
    given = report.setting
    what = f"one image of {subject.network_source.name} on {subject.arch.name} in Verilog, equal"
    wanted = (subject.network_source.digest, subject.arch.digest)
    if (given.network.digest, given.architecture.digest) != wanted:
        found = f"{given.network.name} on {given.architecture.name}, or another version of one"
    elif not report.equal or report.cycles_rtl is None or len(report.images) != 1:
        found = f"{len(report.images)} images, equal {report.equal}"
    else:
        return report.cycles_rtl
    raise FormatError(field="--run", allowed=what, given=found, source=str(run))


def paper_networks(results: Path) -> Iterator[PaperNetwork]:
    """Yield the runs of the paper's networks, one image a run, dense and sparse."""
    content = read_known(results, "hwgen.report.results", (1,))
    report = validate_spec(ResultsReport, content, source=str(results))
    for name in NETWORKS:
        runs = {
            row.case.sparsity: row
            for row in report.rows
            if row.case.network.startswith(f"cifar100_{name}")
            and row.case.batch == 1
            and row.outcome == "equal"
        }
        dense, sparse = (runs.get(switches) for switches in ("none", "all"))
        if dense is None or sparse is None or not (dense.measured and sparse.measured):
            continue
        yield PaperNetwork(
            name=name,
            training=sparse.case.training.state,
            short=sparse.case.training.short,
            accuracy=sparse.case.training.accuracy,
            dense_cycles=dense.measured.cycles_model,
            sparse_cycles=sparse.measured.cycles_model,
            commit=sparse.case.commit,
        )


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = page_options("dbpim-area-race", __doc__)
    parser.add_argument("network", type=Path)
    parser.add_argument("arch", type=Path)
    parser.add_argument("dense", type=Path)
    parser.add_argument(
        "--results", type=Path, required=True, help="JSON of hwgen results with its networks"
    )
    parser.add_argument("--cost", type=Path, required=True, help="JSON of hwgen cost of the chip")
    parser.add_argument("--run", type=Path, required=True, help="JSON of hwgen run on the chip")
    parser.add_argument("--liberty", type=Path, help="cells of netlists; without it none is made")
    parser.add_argument("--points", type=int, default=16, help="chips of a search of each kind")
    parser.add_argument("--steps", type=int, default=100, help="around the best chip, at most")
    parser.add_argument("--area", type=float, default=5.3, help="mm2 of a searched chip at most")
    parser.add_argument("--images", type=int, default=100, help="for mean, least and most")
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args(arguments)
    data = "" if given.data is None else f" --data {Path(given.data).name}"
    command = (
        f"python -m hwgen_studies.dbpim_paper.area_race {given.network.name} {given.arch.name}"
        f" {given.dense.name}{data} --results {given.results.name} --cost {given.cost.name}"
        f" --run {given.run.name} --points {given.points} --steps {given.steps}"
        f" --images {given.images}"
    )
    race = Race(
        context=Context(work=given.work),
        network=given.network,
        archs={"sparse": given.arch, "dense": given.dense},
        data=given.data,
        workers=given.workers,
        most_mm2=given.area,
        points=given.points,
        steps=given.steps,
    )
    try:
        report = measure(
            race,
            results=given.results,
            cost=given.cost,
            run=given.run,
            liberty=given.liberty,
            images=given.images,
            command=command,
        )
        picture = given.out.with_suffix(".svg")
        write_text(picture, area_race_picture(report), what="picture")
        write_text(given.out, area_race_page(report, picture.name), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"dbpim-area-race: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
