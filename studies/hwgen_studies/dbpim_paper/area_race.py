"""The race of equal areas: the best chip found of each of six kinds, and one that is no memory.

    python -m hwgen_studies.dbpim_paper.area_race --liberty LIB --data SET --out FILE --json FILE

measures the chips `dbpim/best_*` that ship, `dbpim/paper` and the array of `mac_chip`: cycles of
ResNet20 by the cycle model, area by the table and by netlists, each at its own clock. It writes the
page, its picture beside it, and the report. `six_kinds` found the chips.

Tests: `studies/tests/dbpim_paper/test_area_race.py`.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from hwgen import api
from hwgen.commands.context import Context
from hwgen.commands.images import choose_images
from hwgen.commands.origin import commit, machine
from hwgen.commands.subject import configuration_of
from hwgen.commands.sweep import leaves
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.model.energy import default_table
from hwgen.errors import FormatError, HwgenError
from hwgen.files.digests import versions
from hwgen.files.output import write_text
from hwgen.jobs.executors import Executor, make_executor
from hwgen.network.file import load_network
from hwgen.report.cost import CostReport
from hwgen.report.files import write_report
from hwgen.report.run import RunReport
from hwgen.report.training_record import read_record
from hwgen.report.types import Source
from hwgen_studies.dbpim_paper.area_race_page import (
    AreaRaceReport,
    Netlist,
    RaceChip,
    Spread,
    Weights,
    area_race_page,
    area_race_picture,
)
from hwgen_studies.dbpim_paper.mac_chip import MacChip, is_of_macros, mac_chip, module_um2
from hwgen_studies.dbpim_paper.six_kinds import (
    KINDS,
    NEAR,
    POINTS,
    TRAINED,
    KindOfChip,
    network_file,
    shipped,
)
from hwgen_studies.options import page_options

PAPER = KindOfChip(
    name="paper", what="two signed digits, the paper's sizes", network=TRAINED, keys={}
)
FURTHER = (
    ("best_masks", "cifar10_resnet20_int8_60"),
    ("best_masks", "cifar10_resnet20_int8_60_seed2"),
    ("best_pairs", "cifar10_resnet20_digits_60"),
)
"""Chips of the race with another network."""
OF_SPARSE_PARTS = ("queue_depth", "switch_rate")
"""Keys that change nothing of a dense chip."""


@dataclass(frozen=True, kw_only=True)
class Race:
    """What all chips of a race have.

    liberty: cells of the netlists; data: images; images: of them for mean, least and most cycles
    """

    context: Context
    executor: Executor
    liberty: Path
    data: str | None
    images: int

    def chip(self, kind: KindOfChip) -> RaceChip:
        """Return what a chip that ships takes."""
        found = shipped(self.context, kind, self.executor)
        cost, arch = self.cost(kind), found.arch
        macro = arch.macro
        self.context.say(f"{kind.name}: {found.cycles:,} cycles, {cost.slowest_ns:.2f} ns")
        return RaceChip(
            name=kind.name,
            what=kind.what,
            network=kind.network,
            digest=arch.digest,
            cores=arch.cores,
            macros=arch.macros_per_core,
            macro=f"{macro.compartments} x {macro.columns} x {macro.rows}",
            ends=ends(arch),
            cycles=found.cycles,
            table_mm2=found.area_mm2,
            netlist=Netlist(
                mm2=sum(map(module_um2, cost.modules)) / 1e6,
                ns=cost.slowest_ns,
                macros_ns=max(
                    each.slowest_ns or 0.0 for each in cost.modules if is_of_macros(each)
                ),
                path=f"{cost.paths[0].start} -> {cost.paths[0].end}",
            ),
            images=self.spread(kind),
        )

    def cost(self, kind: KindOfChip) -> CostReport:
        """Return what the netlist of a chip costs."""
        return api.cost(_file(kind), liberty=self.liberty, context=self.context)

    def spread(self, kind: KindOfChip) -> Spread:
        """Return mean, least and most cycles of test images, one a run."""
        report = api.simulate(
            network_file(kind.network),
            _file(kind),
            images=self.images,
            engine="model",
            data=self.data,
            context=self.context,
        )
        assert isinstance(report, RunReport)
        cycles = [image.cycles_model or 0 for image in report.images]
        mean = sum(cycles) / len(cycles)
        return Spread(images=len(cycles), mean=mean, least=min(cycles), most=max(cycles))

    def mac(self, dense: KindOfChip) -> MacChip:
        """Return the chip of multipliers in the place of the macros of a dense one."""
        arch = shipped(self.context, dense, self.executor).arch
        network = load_network(network_file(dense.network))
        return mac_chip(network, arch, self.cost(dense), self.liberty)


def _file(kind: KindOfChip) -> Path:
    return Path("dbpim") / kind.name


def weights(name: str) -> Weights:
    """Return what the record of a network that ships says; FormatError without one."""
    file = network_file(name)
    digest = load_network(file).digest
    about = read_record(file, digest)
    if about is None:
        raise FormatError(
            field=name, allowed="a record of its training", given="none", source=str(file)
        )
    return Weights(
        digest=digest,
        pruned=about["recipe"]["pruning"]["share"],
        seed=about["seed"],
        accuracy=about["accuracy"]["integer"],
        images=about["test_images"],
        passes=sum(each["passes"] for each in about["trained"].values()),
    )


def further(name: str, network: str) -> KindOfChip:
    """Return a kind of the race with a network of more pruned blocks, or of another seed."""
    kind, about = next(kind for kind in KINDS if kind.name == name), weights(network)
    seed = f", seed {about.seed}" * (about.seed > 1)
    what = f"{kind.what}, {100 * about.pruned:.0f} % of blocks pruned{seed}"
    return replace(kind, what=what, network=network)


def ends(arch: Arch) -> list[str]:
    """Return the keys whose value is the first or last one that a search may take."""
    values = leaves(configuration_of(arch))
    found = []
    for near in NEAR:
        for key, tried in near.items():
            if key in OF_SPARSE_PARTS and not arch.sparse_parts:
                continue
            if not min(tried) < float(values[key]) < max(tried):
                found.append(key)
    return found


def measure(race: Race, *, command: str) -> AreaRaceReport:
    """Return all chips with cycles, areas and clocks."""
    chips = [race.chip(kind) for kind in (*KINDS, PAPER)]
    others = [further(*each) for each in FURTHER]
    networks = {kind.network: weights(kind.network) for kind in (*KINDS, *others)}
    table = default_table()
    library = race.cost(KINDS[0]).library
    batch = choose_images(load_network(network_file(TRAINED)), None, 1)
    return AreaRaceReport(
        format="hwgen.report.area_race",
        version=5,
        chips=chips,
        further=[race.chip(kind) for kind in others],
        mac=race.mac(KINDS[0]),
        networks=networks,
        points=POINTS,
        image=batch.about.digest,
        table=Source(name=table.name, file="configs/energy/dbpim_45nm.yaml", digest=table.digest),
        area_uncertainty=table.area_uncertainty,
        library=Source(name=library.name, file=library.file, digest=library.digest),
        commit=commit(),
        machine=machine(),
        command=command,
        versions=versions(),
    )


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = page_options("dbpim-area-race", __doc__)
    parser.add_argument("--liberty", type=Path, required=True, help="cells of the netlists")
    parser.add_argument("--images", type=int, default=16, help="for mean, least and most")
    given = parser.parse_args(arguments)
    data = "" if given.data is None else f" --data {Path(given.data).name}"
    command = (
        f"python -m hwgen_studies.dbpim_paper.area_race --liberty {given.liberty.name}{data}"
        f" --images {given.images}"
    )
    try:
        with make_executor(1) as executor:
            race = Race(
                context=Context(work=given.work),
                executor=executor,
                liberty=given.liberty,
                data=given.data,
                images=given.images,
            )
            report = measure(race, command=command)
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
