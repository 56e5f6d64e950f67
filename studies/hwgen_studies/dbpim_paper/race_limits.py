"""The race with every limit tried: the page, its report, and the command that makes both.

    python -m hwgen_studies.dbpim_paper.race_limits --liberty LIB --race FILE --points N --out FILE
        --json FILE

prices arrays (`array_prices`), searches the best chip of each kind by both tables (`race_search`),
and runs smaller dense networks on the best dense chip: the modes of `cadnn_cifar10_single`.

Tests: `studies/tests/dbpim_paper/test_race_limits.py`.
"""

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic.dataclasses import dataclass

from hwgen.commands.context import Context
from hwgen.commands.origin import commit, machine
from hwgen.commands.points import REFUSED
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.model.energy import default_table
from hwgen.errors import HwgenError
from hwgen.files.digests import versions
from hwgen.files.load import EXACT, validate_spec
from hwgen.files.output import write_text
from hwgen.jobs.executors import Executor, make_executor
from hwgen.network.file import load_network, save_network
from hwgen.network.mode import in_mode
from hwgen.physical.liberty import liberty_text
from hwgen.physical.read_library import load_library
from hwgen.report.files import write_report
from hwgen.report.sheet import Sheet
from hwgen.report.tables import number
from hwgen.report.types import Count, Fraction, NotNegative
from hwgen_studies.dbpim_paper.area_race_page import AreaRaceReport
from hwgen_studies.dbpim_paper.array_prices import (
    Price,
    density_price,
    latch_price,
    priced,
    table_text,
)
from hwgen_studies.dbpim_paper.mac_chip import cycles_of, layers_of, steps_of_weights
from hwgen_studies.dbpim_paper.race_networks import CONFIGS
from hwgen_studies.dbpim_paper.race_search import (
    POINTS,
    TABLES,
    Best,
    Step,
    StepSearch,
    searches,
)
from hwgen_studies.dbpim_paper.six_kinds import TRAINED, network_file
from hwgen_studies.options import page_options

TELLING = 1.2
DENSE = "best_dense"
LEAST_ACCURACY = 0.9
"""Of a smaller network that stands beside the pruned one of 91.42 %."""
MODES = "cadnn_cifar10_single"
"""A dense network of four widths, which ships."""


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Smaller:
    """A mode of a network as a dense network of its own, on the best dense chip by latches.

    macs: products of an image; product: kilocycles x mm2; energy_uj: with the memory outside
    """

    mode: str
    macs: Count
    accuracy: Fraction
    cycles: Count
    product: NotNegative
    energy_uj: NotNegative


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Plain:
    """Plain arrays in the place of macros, with one network, beside a chip that runs it.

    cycles: by the formula of `mac_chip`; least: without the steps whose weights are all zero
    spent, least_spent, beside_spent: us x mm2 by netlists, of `beside` as the race's page has them
    """

    network: str
    cycles: Count
    least: Count
    spent: NotNegative
    least_spent: NotNegative
    beside: str
    beside_spent: NotNegative


@dataclass(frozen=True, kw_only=True, config=EXACT)
class RaceLimitsReport:
    """Prices by table, best chips; smaller: dense networks; plain: no PIM; points: of a kind."""

    format: Literal["hwgen.report.race_limits"]
    version: Literal[1]
    prices: dict[str, Price]
    best: list[Best]
    smaller: list[Smaller]
    plain: list[Plain]
    points: Count
    commit: str | None
    machine: str
    command: str
    versions: dict[str, str]

    def of(self, name: str) -> Best:
        """Return the best chip of a kind."""
        return next(each for each in self.best if each.name == name)

    def ratio(self, name: str, table: str = TABLES[0]) -> float:
        """Return kilocycles x mm2 of the dense chip over those of a kind."""
        return self.of(DENSE).product(table) / self.of(name).product(table)

    def energy_ratio(self, name: str) -> float:
        """Return the energy of the dense chip over that of a kind, with the memory outside."""
        return self.of(DENSE).energy_uj / self.of(name).energy_uj

    def delay_ratio(self, name: str) -> float:
        """Return energy x cycles of the dense chip over those of a kind."""
        return self.energy_ratio(name) * self.of(DENSE).cycles / self.of(name).cycles


ABOUT = (
    "This page is for you if you ask whether the best dense DB-PIM chip is held down by a rule of"
    " the generator, or by an array whose rows cost nothing. It stands beside [what pays per"
    " area](dbpim-race.md), whose chips ship and have netlists; here every chip was predicted:"
    " cycles of ResNet20 on CIFAR-10 by the cycle model (one image), areas by two tables, one clock"
    " for all. Areas are uncertain by 30 %: ratios below 1.2 say little."
)
PRICES = (
    "The table of the other page has a price a bit of an array, 1.59 um2, whatever its rows."
    " `latches` has prices fitted to netlists of arrays of latches in NanGate's 45 nm cells, 2 to"
    " 16 rows of 16 to 128 columns, without trees of buffers. `density` gives columns of 16 rows"
    " the 1.041 Mb/mm2 of the macro that the paper extends, times NeuroSim's ratio of 45 to 28"
    " nm: a bit is a cell of six transistors, the rest a column's; 16 rows are assumed."
)
SEARCH = (
    "Every kind began with the same sizes. Then one key at a time was doubled or halved, and what"
    " is better by `latches` stayed, until no step of any key was better or {points} chips of the"
    " kind were predicted. Times: figure of the dense chip over that of the chip. `density` is of"
    " the same chips: no search was led by it. Energy: `dbpim_45nm`, on the chip and with the"
    " memory outside."
)
PAYS = (
    *("chip", "weights", "cycles", "mm2", "kilocycles x mm2", "times the dense", "by `density`"),
    *("uJ with memory", "times", "energy x cycles, times", "predicted"),
)
STEPS_ABOUT = (
    "Each pair of numbers is kilocycles x mm2 of the step over those of the chip, by `latches` and"
    " by `density`: above 1 the step is worse. A step that is refused names the line that refuses"
    " it. `-` was not predicted before the predictions of the kind were spent, so in that key the"
    " chip is not proved to be the best of its surroundings. A dense chip may have no"
    " `word_channels` (`Arch.check_words`): a macro has as many compartments as a word has"
    " channels, which binds that kind alone."
)
SMALLER = ("mode", "products", "accuracy", "cycles", "kilocycles x mm2", "uJ with memory")
PLAIN = (
    *("network", "cycles, no skipping", "at least, skipping", "us x mm2", "at least"),
    *("beside", "us x mm2", "PIM over the bound"),
)
PLAIN_ABOUT = (
    "Four arrays of 16 x 16 int8 multipliers in the place of the macros of `best_dense`, as on the"
    " [other page](dbpim-race.md), with its areas and clock. The bound leaves out every step in"
    " which the 16 weights are zero, at no cost in time or area: no array that skips was built. An"
    " array whose registers hold still on zero factors is Verilog, equal to numpy; it saves energy,"
    " which was not measured, and no time. Beside them: chips that ship, by netlists."
)
PRODUCTS = 40_551_040
"""Of ResNet20, an image: every one counts, skipped or not."""
CLOCK_MHZ = 314
"""That the search gives every chip; those that ship have 309 to 343 by their netlists."""
LOGIC_PJ, LOGIC_UM2 = 0.415, 0.398
"""Of a flip-flop at 28 nm over 45 nm (NeuroSim 1.3), as in `dbpim_28nm`."""
PUBLISHED = (
    ("DB-PIM (Table II of the paper), 28 nm, peak, a whole chip", 8.8, 0.88),
    ("SDP (its [23]), 28 nm, peak, a whole chip", 25.0, 4.3),
    ("the ADC-less macro (its [20]), 28 nm, a macro alone", 27.38, None),
)
"""What is published: TOPS/W, TOPS/mm2."""
SILICON = ("chip", "TOPS/W", "TOPS/mm2", "TOPS/W at 45 nm", "TOPS/mm2 at 45 nm")
SILICON_ABOUT = (
    "Ours: dense operations of ResNet20 (two a product) over the energy on the chip and over time"
    f" and area by `latches`, 45 nm, {CLOCK_MHZ} MHz. They leave out wires between blocks, pads,"
    " the memory outside, and all but an assumed tree of the clock; published figures are peaks."
    f" Scaled: energy by {LOGIC_PJ}, area by {LOGIC_UM2}, what a flip-flop of NeuroSim takes at 28"
    " nm for 45 nm, the clock as it is."
)
NOT_MADE = (
    "Not made: netlists and own clocks of these chips (the [other page](dbpim-race.md) has them for"
    " those that ship), EfficientNetB0 and MobileNetV1, more than one image."
)


def page(report: RaceLimitsReport) -> str:
    """Return the page."""
    lines = ["# DB-PIM: every limit of the race tried", "", ABOUT, ""]
    for place, answer in enumerate(answers(report), 1):
        lines.append(f"{place}. {answer}")
    lines += ["", "## What an array costs", "", PRICES, ""]
    heads = ("table", "um2 a bit", "um2 a column", "um2 a row")
    cells = [
        [f"`{name}`", *(f"{each:g}" for each in (price.bit, price.column, price.row))]
        for name, price in report.prices.items()
    ]
    lines += [*Sheet(heads, cells).markdown()]
    lines += ["", "## The best chip of each kind", "", SEARCH.format(points=report.points), ""]
    lines += [*Sheet(PAYS, pays_cells(report)).markdown()]
    lines += ["", "## One step beyond each key", "", STEPS_ABOUT, ""]
    lines += [*Sheet(("chip", "key", "has", "a step down", "up"), step_cells(report)).markdown()]
    lines += ["", *limit_lines(report)]
    lines += ["", "## Smaller dense networks", "", smaller_words(report), ""]
    lines += [*Sheet(SMALLER, smaller_cells(report)).markdown()]
    lines += ["", "## Plain arrays that skip zeros", "", plain_words(report), ""]
    lines += [*Sheet(PLAIN, plain_cells(report)).markdown()]
    lines += ["", "## Beside silicon", "", SILICON_ABOUT, ""]
    lines += [*Sheet(SILICON, silicon_cells(report)).markdown(), "", NOT_MADE]
    lines += ["", "## Circumstances", "", f"- network: {TRAINED} and those of its kinds"]
    lines += [f"- commit: {report.commit or 'unknown'}; machine: {report.machine}"]
    return "\n".join([*lines, f"- command: `{report.command}`"]) + "\n"


def answers(report: RaceLimitsReport) -> Iterator[str]:
    """Yield what a reviewer asks first."""
    ratio, dense = report.ratio, report.of(DENSE)

    def told(name: str) -> str:
        return f"{ratio(name):.2f} ({ratio(name, 'density'):.2f} by `density`)"

    best_plain = min(report.plain, key=lambda each: each.least_spent / each.beside_spent)
    yield (
        "**Does a rival that is no PIM win?** Plain arrays of int8 multipliers that skip rows of"
        f" zero weights for nothing would take {best_plain.least_spent:.0f} us x mm2 of"
        f" `{best_plain.network}`, by a formula and netlists, where `{best_plain.beside}` takes"
        f" {best_plain.beside_spent:.0f}: a ratio of"
        f" {best_plain.least_spent / best_plain.beside_spent:.2f}, and with the networks below at"
        f" most {max(each.least_spent / each.beside_spent for each in report.plain):.2f}. Such an"
        " array was not built, so this bounds it from below."
    )
    columns = dense.values["macro.columns"]
    yield (
        f"**What pays per area?** Beside the best dense int8 chip, which has {columns} columns a"
        f" macro: masks and zero planes {told('best_masks')} times, masks alone"
        f" {told('masks_alone')}, zero planes alone {told('planes_alone')}, two signed digits"
        f" {told('best_digits')}, one digit in pairs {told('best_pairs')}; weights of four bits"
        f" dense {told('best_dense4')}, with masks {told('best_masks4')}."
    )
    losing = [each for each in report.best if ratio(each.name) < 1 / TELLING]
    if losing:
        names = ", ".join(each.what for each in losing)
        yield f"**What loses to the dense chip?** {names[:1].upper()}{names[1:]}."
    best = max(report.best, key=lambda each: report.delay_ratio(each.name))
    yield (
        "**What pays in energy?** With the memory outside: masks and zero planes"
        f" {report.energy_ratio('best_masks'):.2f} times less than the dense chip, two digits"
        f" {report.energy_ratio('best_digits'):.2f}, pairs {report.energy_ratio('best_pairs'):.2f}."
        f" Energy x cycles is least for {best.what}:"
        f" {report.delay_ratio(best.name):.2f} times less."
    )
    rows = sorted({each.values["macro.rows"] for each in report.best})
    taller = taller_by_density(report)
    yield (
        "**Are rows free?** No: by netlists of latches a row of cells is paid for, and the best"
        f" chips have {listed(rows)} rows. By `density`, where a column is dear, twice the rows are"
        f" better for {', '.join(f'`{name}`' for name in taller) or 'none of them'}."
    )
    untried = {name: untried_keys(each) for name, each in ((one.name, one) for one in report.best)}
    whole = [f"`{name}`" for name, keys in untried.items() if not keys]
    yield (
        f"**Is every step tried?** Of {len(untried)} chips {len(whole)} have every key stepped both"
        f" ways{': ' + ', '.join(whole) if whole else ''}; a kind had {report.points} predictions."
    )


def listed(values: Sequence[int]) -> str:
    """Return values in words."""
    return " or ".join(map(str, values))


def taller_by_density(report: RaceLimitsReport) -> list[str]:
    """Return the chips that more rows make better by `density`, as far as it was predicted."""
    return [
        best.name
        for best in report.best
        for step in best.steps
        if step.key == "macro.rows" and step.value > best.values["macro.rows"]
        if step.products and step.products["density"] < best.product("density")
    ]


def untried_keys(best: Best) -> list[str]:
    """Return the keys of a chip with a step that was not predicted."""
    tried = {(step.key, step.value) for step in best.steps}
    return [
        key for key, now in best.values.items() if not {(key, now / 2), (key, now * 2)} <= tried
    ]


def pays_cells(report: RaceLimitsReport) -> Iterator[list[str]]:
    """Yield a row a chip."""
    for each in report.best:
        yield [
            f"`{each.name}`",
            each.what,
            number(each.cycles),
            f"{each.areas_mm2[TABLES[0]]:.3f}",
            f"{each.product():.1f}",
            f"{report.ratio(each.name):.2f}",
            f"{report.ratio(each.name, 'density'):.2f}",
            f"{each.energy_uj:.1f}",
            f"{report.energy_ratio(each.name):.2f}",
            f"{report.delay_ratio(each.name):.2f}",
            str(each.predicted),
        ]


def step_cells(report: RaceLimitsReport) -> Iterator[list[str]]:
    """Yield a row a key of each chip."""
    for each in report.best:
        steps = {(step.key, step.value): step for step in each.steps}
        for key, now in each.values.items():
            told = [step_text(steps.get((key, now * by)), each) for by in (0.5, 2)]
            yield [f"`{each.name}`", f"`{key}`", f"{now:g}", *told]


def step_text(step: Step | None, best: Best) -> str:
    """Return what a step gives."""
    if step is None:
        return "-"
    if step.products:
        return ", ".join(f"{step.products[table] / best.product(table):.3f}" for table in TABLES)
    return f"refused, {step.line}" if step.line else f"{step.refused}"


def limit_lines(report: RaceLimitsReport) -> Iterator[str]:
    """Yield each sentence that refuses a step, with its line and the chips that stand there."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in report.best:
        for step in each.steps:
            if step.line and step.refused:
                sentence = step.refused.partition(", got")[0]
                found.setdefault((step.line, sentence), []).append(f"`{each.name}`")
    heads = ("line", "what it says", "chips that stand there")
    rows = [[line, text, ", ".join(names)] for (line, text), names in sorted(found.items())]
    yield from Sheet(heads, rows).markdown()


def smaller_words(report: RaceLimitsReport) -> str:
    """Return what smaller dense networks bring."""
    masks = report.of("best_masks")
    beaten = [
        each
        for each in report.smaller
        if each.product <= masks.product() and each.accuracy >= LEAST_ACCURACY
    ]
    said = (
        f"none of at least {100 * LEAST_ACCURACY:.0f} % takes as little. A word has 16 channels and"
        " a macro 16 filters, so layers of 8, 24 or 56 channels cost what 16, 32 or 64 cost"
        if not beaten
        else "; ".join(
            f"{each.mode} at {100 * each.accuracy:.2f} % takes {each.product:.1f}"
            for each in beaten
        )
        + f" where the pruned network takes {masks.product():.1f}"
    )
    return (
        "`cadnn_cifar10_single` has four widths of ResNet20 whose channels were chosen by cycles of"
        " an mram chip; each is run here as a dense network on the best dense chip, beside the"
        f" pruned one of 91.42 % on `best_masks` ({masks.product():.1f} kilocycles x mm2): {said}."
    )


def smaller_cells(report: RaceLimitsReport) -> Iterator[list[str]]:
    """Yield a row a mode."""
    for each in report.smaller:
        yield [
            each.mode,
            number(each.macs),
            f"{100 * each.accuracy:.2f} %",
            number(each.cycles),
            f"{each.product:.1f}",
            f"{each.energy_uj:.1f}",
        ]


def plain_words(report: RaceLimitsReport) -> str:
    """Return what plain arrays would take at best."""
    ratios = [each.least_spent / each.beside_spent for each in report.plain]
    return (
        f"{PLAIN_ABOUT} Over that bound the chips with masks are {min(ratios):.2f} to"
        f" {max(ratios):.2f} times as fast per area: processing in memory is not what wins, if"
        " arrays may have masks, too."
        if max(ratios) < TELLING
        else f"{PLAIN_ABOUT} Over that bound the chips with masks are {min(ratios):.2f} to"
        f" {max(ratios):.2f} times as fast per area."
    )


def plain_cells(report: RaceLimitsReport) -> Iterator[list[str]]:
    """Yield a row a network."""
    for each in report.plain:
        yield [
            f"`{each.network}`",
            number(each.cycles),
            number(each.least),
            f"{each.spent:.0f}",
            f"{each.least_spent:.0f}",
            f"`{each.beside}`",
            f"{each.beside_spent:.0f}",
            f"{each.least_spent / each.beside_spent:.2f}",
        ]


def plain(race: AreaRaceReport) -> list[Plain]:
    """Return plain arrays with the networks of the chips that skip blocks of int8 or one digit."""
    mac, found = race.mac, []
    arch = load_arch(CONFIGS / "dbpim" / f"{DENSE}.yaml")
    for chip in race.rows:
        if chip.name not in ("best_masks", "best_pairs"):
            continue
        network = load_network(network_file(chip.network))
        cycles = cycles_of(network, arch)
        steps = sum(steps for steps, _ in layers_of(network, arch))
        least = cycles - steps + steps_of_weights(network, arch)
        us_mm2 = mac.ns / 1000 * mac.area_mm2
        found.append(
            Plain(
                network=chip.network,
                cycles=cycles,
                least=least,
                spent=cycles * us_mm2,
                least_spent=least * us_mm2,
                beside=chip.name,
                beside_spent=chip.by_netlist,
            )
        )
    return found


def silicon_cells(report: RaceLimitsReport) -> Iterator[list[str]]:
    """Yield a row a chip of the page, then what is published, as it is and scaled to 45 nm."""
    for each in report.best:
        watts = 2e-6 * PRODUCTS / each.chip_uj
        per_mm2 = 2e-6 * PRODUCTS * CLOCK_MHZ / each.cycles / each.areas_mm2[TABLES[0]]
        yield [f"`{each.name}`", "-", "-", f"{watts:.2f}", f"{per_mm2:.2f}"]
    for name, peak, dense in PUBLISHED:
        area = ("-", "-") if dense is None else (f"{dense:.2f}", f"{dense * LOGIC_UM2:.2f}")
        yield [name, f"{peak:.1f}", area[0], f"{peak * LOGIC_PJ:.1f}", area[1]]


def smaller(search: StepSearch, best: Best) -> list[Smaller]:
    """Return all modes of `MODES`, each a network of its own, on a chip of a search."""
    network = load_network(network_file(MODES))
    record = json.loads(network_file(MODES).with_suffix(".training.json").read_text("utf-8"))
    measured, found = search.measured, []
    arch = measured.arch(best.values)
    for place, about in enumerate(record["modes"]):
        file = measured.context.work / f"{MODES}_{place}.npz"
        save_network(in_mode(network, place), file)
        result = measured.of(file).predicted(arch)
        if REFUSED in result:
            raise HwgenError(f"{about['mode']} of {MODES}: {result[REFUSED]}")
        found.append(
            Smaller(
                mode=about["mode"],
                macs=about["macs"],
                accuracy=about["accuracy_integer"],
                cycles=result["cycles"],
                product=result["cycles"] * search.area_mm2(arch) / 1000,
                energy_uj=search.energy_uj(arch, result)[1],
            )
        )
    return found


def load_race(file: Path) -> AreaRaceReport:
    """Return the report of the race whose chips have netlists."""
    content = json.loads(file.read_text(encoding="utf-8"))
    report: AreaRaceReport = validate_spec(AreaRaceReport, content, source=str(file))
    return report


def measure(context: Context, executor: Executor, given: Any, *, command: str) -> RaceLimitsReport:
    """Return prices, the best chips and the smaller networks."""
    library, _ = load_library(given.liberty)
    latches, _ = latch_price(library.name, liberty_text(given.liberty))
    prices = {"latches": latches, "density": density_price()}
    tables = context.work / "tables"
    for name, price in prices.items():
        write_text(
            tables / f"{name}.yaml", table_text(priced(default_table(), name, price)), what="table"
        )
    made = list(searches(context, tables, given.points, executor))
    best = []
    for search in made:
        best.append(search.run())
        context.say(f"{best[-1].name}: {best[-1].product():.1f} kilocycles x mm2")
    return RaceLimitsReport(
        format="hwgen.report.race_limits",
        version=1,
        prices=prices,
        best=best,
        smaller=smaller(made[0], best[0]),
        plain=plain(load_race(given.race)),
        points=given.points,
        commit=commit(),
        machine=machine(),
        command=command,
        versions=versions(),
    )


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = page_options("dbpim-race-limits", __doc__)
    parser.add_argument("--liberty", type=Path, required=True, help="cells of the latches")
    parser.add_argument("--points", type=int, default=POINTS, help="chips of each kind to predict")
    parser.add_argument("--race", type=Path, required=True, help="report of `area_race`")
    given = parser.parse_args(arguments)
    command = (
        "python -m hwgen_studies.dbpim_paper.race_limits"
        f" --liberty {given.liberty.name} --race {given.race.name} --points {given.points}"
    )
    try:
        with make_executor(1) as executor:
            context = Context(work=given.work)
            report = measure(context, executor, given, command=command)
        write_text(given.out, page(report), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"dbpim-race-limits: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
