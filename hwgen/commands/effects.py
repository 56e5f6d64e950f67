"""`hwgen effects`: the accuracy of a network on a chip whose devices err.

A task is one seed of one combination of values. Its result lies in the work folder under the digest
of all that decides it, so an interrupted command resumes.

Tests: `tests/commands/test_effects.py`.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, replace
from functools import cache
from importlib.metadata import entry_points
from itertools import product
from pathlib import Path
from typing import Annotated, Any, cast

import numpy as np
from pydantic import Field
from rich.console import RenderableType

from hwgen.chip.effects import DeviceEffects, check_taken, load_effects
from hwgen.chip.family import Family
from hwgen.chip.protocols import Program
from hwgen.commands.context import Context
from hwgen.commands.durations import seconds_of
from hwgen.commands.engines import golden_accuracy
from hwgen.commands.families import InstalledFamily, families
from hwgen.commands.fields import Count, Data, File, Scheduler, Seed, Workers, images_of
from hwgen.commands.images import Batch, choose_images
from hwgen.commands.on_chip import OnChip
from hwgen.commands.pictures import Plot, check_plot, write_plot
from hwgen.commands.points import INPUTS, WithInputs, arch_of, code_of
from hwgen.commands.request import Request, Says
from hwgen.commands.subject import Subject, check_stateless, program_of, program_path
from hwgen.commands.sweep import check_values, leaves, values_of
from hwgen.errors import ConfigError, DataError, FamilyError
from hwgen.files.digests import digest_of, digest_of_array
from hwgen.files.load import validate_spec
from hwgen.files.npz import read_npz, write_npz
from hwgen.files.shipped import file_of, shown, tables
from hwgen.jobs.store import Store, run_stored
from hwgen.network.file import load_network
from hwgen.report.effects import EffectPoint, EffectsReport
from hwgen.report.effects_table import effects_table
from hwgen.report.sweep import Value
from hwgen.report.types import Source

GROUP = "hwgen.effects"
"""Entry points of this group compute as the devices of a family do; each has the family's name."""
ACCURACY = "hwgen.commands.effects:accuracy_of_task"
MOST_TASKS = 4096
TIME = "levels.time_s"
"""The key of the time from writing to the use of a chip."""
PARTS = ("cells", "converters", "levels", "read", "supply")
"""Parts of a file whose numbers can vary."""
FIXED = ("format", "version", "name", "device", "writing.", "sources.")
"""Keys of a file that change no result, or what they begin with."""

Task = dict[str, Any]
Values = Mapping[str, Sequence[bool | int | float]]


def times_of(text: str) -> list[float]:
    """Return the seconds of spans of time with commas between."""
    return [seconds_of(each, field="--time") for each in text.split(",")]


@dataclass(frozen=True)
class Effects(
    OnChip,
    command="effects",
    example="network.npz chip.yaml --effects effects/hfox_reram --vary cells.variation=0,.05,.1",
):
    """Measure the accuracy of a network on a chip whose devices err.

    Each seed is another chip of the same kind: which cell errs by how much follows from it. Golden
    computes all images in integers. With --vary one or several numbers of the file take other
    values. Workers of a --scheduler read network, images and program from the work folder, so it
    must be one that all hosts see.

    Raises FormatError or ConfigError for a wrong file, FamilyError for a family without effects.
    """

    _: KW_ONLY
    effects: Annotated[
        File, Says("how devices err: a name that ships, or your file (.yaml)", metavar="FILE")
    ]
    seeds: Annotated[Count, Says("chips, each with a seed of its own", metavar="N")] = 20
    seed: Seed = 1
    data: Data = None
    images: Annotated[Count | None, Says("the first N test images [default: all]", metavar="N")] = (
        None
    )
    vary: Annotated[
        Mapping[str, Annotated[Sequence[Value], Field(min_length=1)]] | None,
        Says(
            "a number of the file and its values, such as cells.variation=0,.05,.1",
            metavar="KEY=VALUES",
            typed=list[str],
            read=values_of,
        ),
    ] = None
    time: Annotated[
        Sequence[float] | None,
        Says(
            "times since writing, such as 20s,1h,1d, of a file with levels by table"
            " [default: that of the file]",
            metavar="TIMES",
            typed=str,
            read=times_of,
        ),
    ] = None
    by_layer: Annotated[
        bool, Says("layers with weights err one at a time, too, a row each: which one costs what")
    ] = False
    workers: Workers = 2
    scheduler: Scheduler = None
    plot: Plot = None

    def check(self) -> None:
        """Refuse a picture of another kind."""
        super().check()
        check_plot(self, self.plot)

    def run(self) -> EffectsReport:
        """Compute all seeds of all combinations, the last key varying fastest."""
        devices = devices_of(Path(self.effects), self.seed)
        given, file = devices.given, devices.source.file
        subject = self.subject()
        check_stateless(subject.network, "effects")
        vary = self.varied(given)
        varied = list(combined(given, vary, source=file))
        for _, effects in varied:
            check_family(effects, subject.family)
        batch = labelled(choose_images(subject.network, images_of(self.data), self.images))
        # Refuses a network that is not that of the chip.
        program = program_of(self.quiet, subject)
        combinations = [
            (layer, values, effects) for layer in self.layers(subject) for values, effects in varied
        ]
        choices = [(layer, effects) for layer, _, effects in combinations]
        for _, effects in choices:
            # A family refuses what its devices do not have, before a seed is computed.
            replace(devices, given=effects).chip(self.quiet, subject, program)
        found = self.accuracies(subject, program, batch, choices)
        exact = golden_accuracy(self.quiet, subject, batch)
        report = EffectsReport(
            format="hwgen.report.effects",
            version=1,
            setting=subject.setting(None, batch),
            effects=devices.source,
            images=len(batch.images),
            exact=exact,
            deviation=float(np.sqrt(exact * (1 - exact) / len(batch.images))),
            seeds=list(self.all_seeds),
            keys={key: list(values) for key, values in vary.items()},
            points=[
                EffectPoint(
                    values=values,
                    accuracies=each,
                    mean=float(np.mean(each)),
                    least=min(each),
                    most=max(each),
                    layer=layer,
                    cell_energy=None if effects.supply is None else effects.supply.energy,
                )
                for (layer, values, effects), each in zip(combinations, found, strict=True)
            ],
        )
        if self.plot is not None:
            from hwgen.report.effects_plot import effects_picture

            write_plot(self.plot, lambda kind: effects_picture(report, kind))
        return report

    def varied(self, given: DeviceEffects) -> Values:
        """Return the keys that vary, the time among them."""
        vary = cast(Values, self.vary or {})  # `combined` refuses text, with what is allowed
        if self.time is None:
            return vary
        if given.levels is None:
            raise self.refusal("time", "left out of a file without levels by table", given.name)
        if TIME in vary:
            raise self.refusal("time", f"left out beside --vary {TIME}", "both")
        return {**vary, TIME: self.time}

    def layers(self, subject: Subject) -> list[str | None]:
        """Return the layers that err alone, one after the other, behind None: all of them."""
        if not self.by_layer:
            return [None]
        return [None, *subject.network.parameters]

    @property
    def all_seeds(self) -> range:
        """The seed of each chip."""
        return range(self.seed, self.seed + self.seeds)

    def accuracies(
        self,
        subject: Subject,
        program: Program,
        batch: Batch,
        choices: Sequence[tuple[str | None, DeviceEffects]],
    ) -> list[list[float]]:
        """Return the accuracies of all seeds for each of some effects, in a layer or in all."""
        if len(choices) * self.seeds > MOST_TASKS:
            raise self.refusal("seeds", f"at most {MOST_TASKS} in all", len(choices) * self.seeds)
        files = [
            str(subject.network_file),
            str(image_file(self.quiet.work, batch)),
            str(program_path(self.quiet, subject)),
        ]
        tasks: list[Task] = [
            {
                "network": subject.network.digest,
                "images": digest_of_labelled(batch),
                "count": len(batch.images),
                "family": subject.family.name,
                "configuration": subject.configuration,
                "program": digest_of_array(program.image),
                "effects": asdict(effects),
                "seed": seed,
                **({} if layer is None else {"layer": layer}),
            }
            for layer, effects in choices
            for seed in self.all_seeds
        ]
        found = accuracies_of_tasks(
            self.quiet,
            tasks,
            files,
            kept="effects",
            told="seeds",
            workers=self.workers,
            scheduler=self.scheduler,
        )
        return [found[first : first + self.seeds] for first in range(0, len(found), self.seeds)]

    def table(self, report: EffectsReport) -> RenderableType:
        """Return a row for each combination."""
        return effects_table(report)


def accuracies_of_tasks(
    context: Context,
    tasks: Sequence[Task],
    files: Sequence[str],
    *,
    kept: str,
    told: str,
    workers: int,
    scheduler: str | None,
) -> list[float]:
    """Return the accuracy of each task, which is computed if it is not kept.

    files: with what all tasks read; kept: folder of --work; told: what the tasks are, to a person
    """
    from hwgen.jobs.executors import make_executor

    store = Store(context.work / kept, code=code_of(ACCURACY, *packages_of_devices()))
    with (
        context.progress(told, len(tasks)) as done,
        make_executor(workers, scheduler) as executor,
    ):
        placed = WithInputs(executor, lambda _: files)
        return run_stored(placed, ACCURACY, tasks, store, lambda *_: done())


def packages_of_devices() -> list[str]:
    """Return the packages of others that compute as the devices of a family do."""
    return sorted(
        {point.module.partition(".")[0] for point in entry_points(group=GROUP)} - {"golden"}
    )


def digest_of_labelled(batch: Batch) -> str:
    """Return the sha256 of images and of their labels, 64 hex digits."""
    return digest_of({"images": batch.about.digest, "labels": np.asarray(batch.labels).tolist()})


def image_file(work: Path, batch: Batch) -> Path:
    """Return the file of the images and their labels, written now if it is not there."""
    path = work / "effects" / f"{digest_of_labelled(batch)[:16]}-{len(batch.images)}.npz"
    if not path.is_file():
        labels = np.asarray(batch.labels)
        write_npz(path, {"images": batch.images, "labels": labels}, what="images")
    return path


@dataclass(frozen=True, kw_only=True)
class Devices:
    """Devices that err: what a file says, and a seed, which is a chip."""

    given: DeviceEffects
    source: Source
    seed: int

    def chip(self, context: Context, subject: Subject, program: Program) -> Any:
        """Return what computes as the devices of a chip do, and say what they cannot show.

        FamilyError where none can.
        """
        network, arch = subject.network, subject.arch
        chip = erring_of(subject.family)(network, arch, self.given, self.seed, program)
        for note in getattr(chip, "notes", ()):
            context.say(note)
        return chip

    def loaded(self, subject: Subject, chip: Any) -> Program:
        """Return the program with what the devices hold; FamilyError if Verilog cannot err."""
        if not hasattr(chip, "loaded"):
            raise FamilyError(f"Verilog of the family {subject.family.name} cannot err yet")
        loaded: Program = chip.loaded()
        return loaded


def devices_of(file: Path, seed: int) -> Devices:
    """Return devices of a file of effects, or of the name of one that ships."""
    found = file_of(file, shipped_effects(), what="the effects")
    given = load_effects(found)
    source = Source(name=given.name, file=shown(found), digest=given.digest)
    return Devices(given=given, source=source, seed=seed)


def devices_given(file: File | None, seed: int | None) -> Devices | None:
    """Return the devices of an option, None without it; seed: None: the first."""
    return None if file is None else devices_of(Path(file), 1 if seed is None else seed)


def check_effect_seed(request: Request, effects: File | None, seed: int | None) -> None:
    """Refuse a seed of devices where none err."""
    if effects is None and seed is not None:
        raise request.refusal("effect_seed", "left out without --effects", seed)


def shipped_effects() -> dict[str, Path]:
    """Return the files of effects that ship, by name."""
    return tables("effects")


def erring_of(family: InstalledFamily) -> Any:
    """Return what computes as the devices of a family do; FamilyError where it has no effects."""
    for point in entry_points(group=GROUP, name=family.name):
        return point.load()
    raise FamilyError(f"the family {family.name} cannot err yet: it has no effects of devices")


def check_family(effects: DeviceEffects, family: InstalledFamily) -> None:
    """Refuse effects that the devices of a family do not have, before anything is computed.

    The module that computes as they do names them as TAKEN; without it that module alone refuses.
    """
    taken = getattr(sys.modules[erring_of(family).__module__], "TAKEN", None)
    if taken is not None:
        check_taken(effects, taken, family.name)


def check_devices(subject: Subject, devices: Devices | None) -> None:
    """Refuse devices of another family, and none on a chip that is exact for no network."""
    if devices is not None:
        check_family(devices.given, subject.family)
    elif subject.family.family.is_clipped(subject.arch):
        raise ConfigError(
            field="--effects",
            allowed=f"given, since the converters of {subject.arch.name} have fewer bits than lose"
            " nothing; effects/exact has no other effect",
            given="nothing",
            source="command line",
        )


def labelled(batch: Batch) -> Batch:
    """Return images that have labels; DataError for others."""
    if batch.labels is None:
        raise DataError(
            f"--data must be images with labels, since accuracy is measured, got {batch.about.name}"
        )
    return batch


def combined(
    given: DeviceEffects, vary: Values, *, source: str
) -> Iterator[tuple[dict[str, bool | int | float], DeviceEffects]]:
    """Yield each combination of values with the effects that have them."""
    plain = asdict(given)
    known = {key: value for key, value in leaves(plain).items() if not key.startswith(FIXED)}
    check_values(vary, known, field="--vary", source=source)
    for combination in product(*vary.values()):
        chosen = dict(zip(vary, combination, strict=True))
        changed = {
            key: dict(each) if key in PARTS and each else each for key, each in plain.items()
        }
        for key, value in chosen.items():
            part, _, name = key.partition(".")
            changed[part][name] = value
        yield chosen, validate_spec(DeviceEffects, changed, source=source)


@cache
def read_inputs(
    family: str, network: str, images: str, program: str | None = None
) -> tuple[Any, ...]:
    """Return network, images, labels and program (None: of none) of a task, read once a process."""
    arrays = read_npz(Path(images), what="images", allowed="images of this command")
    loaded = program and families()[family].need(Family.programs).load_program(Path(program))
    return load_network(Path(network)), arrays["images"], arrays["labels"], loaded


def accuracy_of_task(task: Task) -> float:
    """Return the accuracy of one seed; of a task without effects that of the network itself."""
    from golden.network import of_one_layer, predict

    network, images, labels, program = read_inputs(task["family"], *task[INPUTS])
    sums: Any = None
    if "effects" in task:
        family = families()[task["family"]]
        chip = chip_of_task(family, task)
        effects = validate_spec(DeviceEffects, task["effects"], source="effects")
        sums = erring_of(family)(network, chip, effects, task["seed"], program)
    if "layer" in task:
        sums = of_one_layer(task["layer"], sums)
    return float(np.mean(predict(network, images, sums_by=sums) == labels))


def chip_of_task(family: InstalledFamily, task: Task) -> Any:
    """Return the chip of a task: a choice of a synthesis, or an architecture."""
    if "choice" in task:
        return family.need(Family.synthesis).erring_chip(task["choice"])
    return arch_of(family, task["configuration"], source=family.name)
