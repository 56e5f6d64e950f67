"""`hwgen run`: the same images through golden, cycle model and RTL, side by side."""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from pathlib import Path
from string import hexdigits
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field
from rich.console import RenderableType

from hwgen.chip.family import Family
from hwgen.chip.protocols import Program
from hwgen.chip.runs import SimulatedRun as Run
from hwgen.chip.trouble import NO_TROUBLE, Trouble
from hwgen.commands.compare import Results
from hwgen.commands.context import Context, timed
from hwgen.commands.effects import Devices, check_devices, check_effect_seed, devices_given
from hwgen.commands.engines import (
    MOST_STALLS,
    Engine,
    Window,
    default_engine,
    expected_answers,
    expected_maps,
    predicted_cycles,
    simulate,
    zero_bit_planes,
)
from hwgen.commands.fields import (
    LARGEST_SEED,
    EffectSeed,
    EffectsFile,
    File,
    Replace,
    Whole,
    path_of,
)
from hwgen.commands.images import Batch
from hwgen.commands.modes import switch_cycles_max
from hwgen.commands.on_chip import WithImages
from hwgen.commands.packages import check_package
from hwgen.commands.page import Made, PageFile, write_page
from hwgen.commands.pictures import write_plot
from hwgen.commands.prices import EnergyFile, Prices, counted_events
from hwgen.commands.replacing import placed_parts, replaced_parts, replacements_of
from hwgen.commands.request import OUTPUT_FILE, Says
from hwgen.commands.run_report import report_of
from hwgen.commands.schedules import check_schedule
from hwgen.commands.subject import Subject, program_of
from hwgen.commands.writing import run_effects
from hwgen.files.earlier import PICTURES
from hwgen.network.tokens import read_ids
from hwgen.plan.file import is_plan
from hwgen.report.plans import PlanReport, plan_table
from hwgen.report.run import RunReport
from hwgen.report.tables import run_table

MOST_LATENCY = 1_000_000
LAST_CYCLE = (1 << 62) - 1
"""A simulation counts cycles in 64 bits."""
ADDRESS_DIGITS = 16
"""Of a hexadecimal byte address in 64 bits."""

OF_ONE_NETWORK = (
    "tokens", "program", "effects", "replace", "plot", "waves", "waves_from", "waves_to",
    "bus_error", "latency", "stalls", "energy",
)  # fmt: skip
"""Fields that a plan does not take."""

Cycle = Annotated[Whole, Field(ge=0, le=LAST_CYCLE)]
PositiveSeed = Annotated[Whole, Field(ge=1, le=LARGEST_SEED)]


def address_of(text: str) -> int:
    """Return a byte address from hexadecimal digits."""
    digits = text.lower().removeprefix("0x")
    if not 0 < len(digits) <= ADDRESS_DIGITS or set(digits) - set(hexdigits):
        raise ValueError(f"1 to {ADDRESS_DIGITS} hexadecimal digits, got {text}")
    return int(digits, 16)


@dataclass(frozen=True)
class Simulate(WithImages, command="run", example="digits_small_cnn chip.yaml --images 2"):
    """Run images in RTL; compare every element with golden and every cycle with the model.

    rtl: the Verilog, simulated under Verilator and compared with both. golden: the answers of the
    NumPy reference alone. model: predicted cycles, too. Exit code 1 if anything differs.

    --stalls and --latency compare values and events, but no cycles: the model does not know when
    memory stalls. A chip that keeps a schedule keeps its steps; held clocks are told.
    With --bus-error the run should end with the chip's error, in one sentence and exit code 2.

    --mode and --modes are for networks with several modes: a chip switches between two images.
    Each switch of --modes is measured with --engine rtl; that takes up to two more simulations.

    Raises SimulationError where there is no Verilator, and when the chip stops with an error.
    """

    _: KW_ONLY
    tokens: Annotated[
        File | None,
        Says(
            "ids of tokens in place of images, a line a sequence, for a network with a table of"
            " rows",
            metavar="FILE",
        ),
    ] = None
    engine: Annotated[
        Engine | None,
        Says(
            "[default: rtl, which compares; without Verilator model, which predicts]",
            untyped=None,
        ),
    ] = "rtl"
    program: Annotated[
        File | None,
        Says("a compiled program, with its images of one run, instead of compiling now"),
    ] = None
    seed: Annotated[PositiveSeed, Says("of the content of memories at power-on (rtl only)")] = 1
    stalls: Annotated[
        Annotated[Whole, Field(ge=0, le=MOST_STALLS)],
        Says(
            "percent of cycles in which a channel of the memory does nothing (rtl only)",
            metavar="PERCENT",
        ),
    ] = 0
    stall_seed: Annotated[PositiveSeed, Says("of the stalls of the memory")] = 1
    latency: Annotated[
        Annotated[Whole, Field(ge=1, le=MOST_LATENCY)] | None,
        Says(
            "cycles until the memory answers [default: as the model knows] (rtl only)",
            metavar="CYCLES",
        ),
    ] = None
    bus_error: Annotated[
        Annotated[Whole, Field(ge=0, lt=1 << 64)] | None,
        Says(
            "byte, hexadecimal, for whose beat the memory answers with an error (rtl only)",
            metavar="ADDRESS",
            typed=str,
            read=address_of,
        ),
    ] = None
    waves: Annotated[
        bool | tuple[Whole, Whole | None] | None,
        Says("write waves (rtl only, slow)", typed=bool, untyped=False),
    ] = None
    plot: Annotated[
        File | None,
        Says(
            "picture of the schedule to write (.svg): who works when, as promised and as seen",
            metavar="FILE",
            use=OUTPUT_FILE,
            replaces=PICTURES,
        ),
    ] = None
    page: PageFile = None
    replace: Replace = None
    energy: EnergyFile = None
    effects: EffectsFile = None
    effect_seed: EffectSeed = None
    waves_from: Annotated[Cycle | None, Says("first clock cycle of the waves")] = None
    waves_to: Annotated[Cycle | None, Says("last clock cycle of the waves")] = None

    def check(self) -> None:
        """Refuse what only a simulation can do with another engine, and waves that end early."""
        super().check()
        check_effect_seed(self, self.effects, self.effect_seed)
        if self.tokens is not None and self.data is not None:
            raise self.refusal("tokens", "left out where --data is given", self.tokens)
        if self.effects is not None and self.engine == "golden":
            raise self.refusal("engine", "model or rtl, for devices that err", self.engine)
        window = self.window
        if self.of_simulations and self.engine not in ("rtl", None):
            troubled = self.trouble != NO_TROUBLE
            what = "--stalls, --latency and --bus-error" if troubled else "--replace"
            what = "waves" if window else what
            raise self.refusal("engine", f"rtl, a simulation, for {what}", self.engine)
        if self.plot is not None and self.engine == "golden":
            raise self.refusal("engine", "model or rtl, for the picture of a schedule", self.engine)
        if self.plot is not None:
            check_package("matplotlib")
        if window and window.last is not None and window.last < window.first:
            raise self.refusal("waves_to", f"not before --waves-from {window.first}", window.last)

    def given_images(self, subject: Subject) -> str | NDArray[Any] | None:
        """Return where the images are, or the rows that ids look up."""
        if self.tokens is None:
            return super().given_images(subject)
        network, file = subject.network, Path(self.tokens)
        if network.token_rows is None:
            allowed = "left out for a network without a table of rows"
            raise self.refusal("tokens", allowed, self.tokens)
        image = network.graph.input
        if network.states:
            (calls, *others) = read_ids(file, table=network.token_rows)
            if others:
                raise self.refusal("tokens", "one line for a network with states", self.tokens)
            positions = np.arange(len(calls))[:, np.newaxis]
            given = calls[:, np.newaxis]
            return network.token_rows.images(given, image, str(file), positions=positions)
        ids = read_ids(file, image.height * image.width, table=network.token_rows)
        return network.token_rows.images(ids, image, str(file))

    @property
    def window(self) -> Window | None:
        """The clock cycles whose waves are written."""
        if isinstance(self.waves, tuple):
            return Window(*self.waves)
        if not self.waves and self.waves_from is None and self.waves_to is None:
            return None
        return Window(self.waves_from or 0, self.waves_to)

    @property
    def trouble(self) -> Trouble:
        """What the memory does that the model does not know."""
        return Trouble(
            latency=self.latency,
            stall=self.stalls,
            seed=self.stall_seed,
            error_address=self.bus_error,
        )

    @property
    def of_simulations(self) -> bool:
        """Whether anything is asked for that only a simulation can do."""
        return bool(self.window or self.trouble != NO_TROUBLE or self.replace)

    def run(self) -> RunReport | PlanReport:
        """Run the images; of a plan its pieces in turn."""
        if is_plan(Path(self.network)):
            found = self.of_plan(self.engine or "rtl", OF_ONE_NETWORK, run_network)
            if self.page is not None:
                write_page(self, Path(self.page), found)
            return found
        program = path_of(self.program)
        replacements = replacements_of(self.replace)
        subject, batch = self.stream(program)
        subject = replace(subject, replacements=replacements)
        prices = Prices(subject.family, path_of(self.energy))
        engine = self.engine
        if engine is None:
            only = self.of_simulations
            engine = "rtl" if only else default_engine(subject.family)
        made: list[Made] = []
        report = run_network(
            self.quiet,
            subject,
            batch,
            engine=engine,
            program=program,
            window=self.window,
            seed=self.seed,
            trouble=self.trouble,
            plot=path_of(self.plot),
            energy=prices,
            devices=devices_given(self.effects, self.effect_seed),
            kept=made.append,
        )
        if self.page is not None:
            write_page(self, Path(self.page), report, made[0] if made else None, prices)
        return report

    def table(self, report: RunReport | PlanReport) -> RenderableType:
        """Return what was compared."""
        return plan_table(report) if isinstance(report, PlanReport) else run_table(report)

    def agrees(self, report: RunReport | PlanReport) -> bool:
        """Return whether nothing differs."""
        return report.equal is not False


def run_network(
    context: Context,
    subject: Subject,
    batch: Batch,
    *,
    engine: Engine,
    program: Path | None = None,
    window: Window | None = None,
    seed: int = 1,
    trouble: Trouble = NO_TROUBLE,
    plot: Path | None = None,
    energy: Prices | None = None,
    devices: Devices | None = None,
    kept: Callable[[Made], None] | None = None,
) -> RunReport:
    """Run images; `golden` gives answers, `model` cycles too, `rtl` simulates and compares.

    program: file of a compiled program; None: compile the network
    window: clock cycles whose waves are written; None: no waves
    seed: of the content of memories at power-on in the simulation
    trouble: of its memory
    plot: file for the picture of a schedule, for a family whose chips have one
    energy: by the table of a person; None: by that of the family
    devices: that err, in golden and in the simulation; None: all is exact
    kept: is given what the report is made of, unless golden alone answers
    """
    if plot is not None:
        subject.family.need(Family.schedules)
    check_devices(subject, devices)
    if engine == "golden":
        return run_golden(context, subject, batch, program)
    check_schedule(subject)
    placed = placed_parts(subject.family, subject.arch, subject.replacements)
    if engine == "rtl" and subject.family.need(Family.cycle_model).must_compile():
        # Both take seconds, and each leaves a core free.
        replaced = (subject.replacements,) if subject.replacements else ()
        subject.family.need(Family.simulation).begin(subject.arch, *replaced)
    compiled = program_of(context, subject, program)
    chip = None if devices is None else devices.chip(context, subject, compiled)
    if devices is not None and engine == "rtl":
        compiled = devices.loaded(subject, chip)
    results = results_of(
        context,
        subject,
        batch,
        compiled,
        chip=chip,
        simulated=engine == "rtl",
        window=window,
        seed=seed,
        trouble=trouble,
    )
    if plot is not None:
        draw = subject.family.need(Family.schedules).starts_picture
        drawn = draw(subject.arch, results.predictions, results.runs)
        write_plot(plot, lambda _: drawn.encode())
    if kept is not None:
        kept(
            Made(
                subject=subject,
                program=compiled,
                modes=batch.modes,
                maps=results.maps,
                predictions=results.predictions,
            )
        )
    expected = results.maps[subject.network.answer]
    tilings = subject.family.need(Family.compiler).tiling(compiled, subject.arch)
    return report_of(
        subject,
        batch,
        compiled,
        results,
        expected,
        tilings=tilings,
        engine=engine,
        seed=seed,
        trouble=trouble,
        replaced=replaced_parts(
            energy or Prices(subject.family),
            subject.arch,
            placed,
            events=counted_events(results.runs),
        ),
        energy=energy,
        effects=None if devices is None else run_effects(devices, chip),
    )


def results_of(
    context: Context,
    subject: Subject,
    batch: Batch,
    program: Program,
    *,
    chip: Any = None,
    simulated: bool,
    window: Window | None = None,
    seed: int = 1,
    trouble: Trouble = NO_TROUBLE,
) -> Results:
    """Return what golden, the cycle model and, if `simulated`, the RTL say of the images.

    chip: whose devices err, in golden as in the program; None: exact
    """
    count, modes = len(batch.images), subject.network.graph.modes
    seconds: dict[str, float] = {}
    with timed(seconds, "golden"):
        maps = expected_maps(context, subject, batch, sums_by=chip)
    with timed(seconds, "model"):
        predictions = predicted_cycles(context, subject, program, maps, batch.modes)
    runs: Sequence[Run] = ()
    switch = None
    if simulated:
        with timed(seconds, "rtl"):
            given: dict[str, Any] = {
                "predictions": predictions,
                "seed": seed,
                "trouble": trouble,
            }
            runs = simulate(context, subject, program, batch, window=window, **given)
        if not trouble.slows:
            switch = switch_cycles_max(
                batch.modes,
                runs,
                lambda other: simulate(
                    context, subject, program, replace(batch, modes=tuple(other)), **given
                ),
            )
    return Results(
        modes=[modes[mode] for mode in batch.modes],
        run_images=program.facts.images,
        maps=maps,
        unstored=subject.family.need(Family.compiler).unstored(
            subject.network, program, subject.arch
        ),
        predictions=predictions,
        runs=runs,
        compared=simulated,
        timed=not trouble.slows,
        zero_bit_planes=zero_bit_planes(subject, program, maps, count),
        switch_cycles_max=switch,
        seconds=seconds,
    )


def run_golden(context: Context, subject: Subject, batch: Batch, program: Path | None) -> RunReport:
    """Return golden's answers; nothing is compiled, and no map is stored."""
    given = None if program is None else program_of(context, subject, program)
    answers = expected_answers(context, subject, batch)
    modes = [subject.network.graph.modes[mode] for mode in batch.modes]
    results = Results(modes=modes, maps={}, zero_bit_planes={})
    return report_of(subject, batch, given, results, answers, tilings=(), engine="golden", seed=0)
