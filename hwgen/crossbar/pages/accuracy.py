"""Accuracy as a limit of a synthesis: measured for each choice of crossbars and converters.

A choice is a side, bits of a cell, of a DAC and of an ADC, which may be some below lossless, and
the step of the ADC: with as many bits a coarser step leaves a wider range. Of the steps the most
accurate one is kept, the finest of those alike. The accuracy of a choice is that of a chip with one
copy of each layer, the mean over seeds, each measured once and kept in the work folder. Of a choice
whose accuracy is too low with every step none with fewer bits is measured.
Copies err each in a way of its own, so a chip that a search finds is measured again, as it is.

Tests: `tests/crossbar/pages/test_accuracy.py`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hwgen.chip.effects import DeviceEffects
from hwgen.chip.synthesis_request import Context, SynthesisRequest
from hwgen.commands.effects import Devices, devices_of, erring_of, image_file, labelled, read_inputs
from hwgen.commands.families import families
from hwgen.commands.fields import images_of
from hwgen.commands.images import Batch, choose_images
from hwgen.commands.points import INPUTS, WithInputs, code_of
from hwgen.commands.writing import run_effects
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.buildable import with_buildable_adcs
from hwgen.crossbar.facts.point import (
    Point,
    clipped,
    combinations,
    point_of,
    points,
    stepped,
    with_known_adcs,
)
from hwgen.crossbar.pages.problem import Problem
from hwgen.errors import ConfigError
from hwgen.files.digests import digest_of_array
from hwgen.files.load import validate_spec
from hwgen.jobs.store import Store, run_stored
from hwgen.network.file import load_network
from hwgen.report.writing import WritingCost

if TYPE_CHECKING:
    from hwgen.crossbar.synthesis.result import Candidate

FAMILY = "crossbar"
ACCURACY = "hwgen.crossbar.pages.accuracy:accuracy_of_task"
DRAWN = ("variation", "drift", "stuck_at_zero", "stuck_at_full", "failed_writes")
"""Effects of cells that a seed draws."""

WITH_WEIGHTS = ("conv", "fc")
"""Kinds of layers that have copies which err."""

NORMAL = 1.96
"""Deviations of a normal draw within which 95 % of them are."""

Task = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class CopiedLayer:
    """What golden asks of a layer with weights: its copies."""

    copies: int
    kind: str = "conv"

    @property
    def mapping(self) -> "CopiedLayer":
        """What tells the copies, as in an architecture."""
        return self


@dataclass(frozen=True, kw_only=True)
class Copied:
    """What golden asks of a chip: its point, and the copies of each layer with weights, in order.

    layers: empty: one copy of each
    """

    point: Point
    weight_bits: int
    activation_bits: int
    layers: tuple[CopiedLayer, ...] = ()

    @property
    def adc_bits(self) -> int:
        """Bits of its converters."""
        return self.point.adc_bits

    @property
    def slices(self) -> int:
        """Cells that hold one weight."""
        return self.point.slices(self)

    @property
    def bit_steps(self) -> int:
        """Bit steps that feed one input."""
        return self.point.bit_steps(self)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Accuracies of one choice: the images, and the accuracy of each seed."""

    images: int
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Over the seeds."""
        return float(np.mean(self.accuracies))

    @property
    def deviation(self) -> float:
        """Of one chip from another."""
        return float(np.std(self.accuracies))

    @property
    def interval(self) -> tuple[float, float]:
        """Least and most, in which the mean of all such chips on all such images is, at 95 %.

        Images: the interval of Wilson (1927). Chips: Student's t for their mean. Both lie around
        the mean as if independent; with one chip it is that of this chip.
        """
        mean, images, chips = self.mean, self.images, len(self.accuracies)
        of_chips = 0.0
        if chips > 1:
            of_chips = student(chips - 1) * float(np.std(self.accuracies, ddof=1)) / chips**0.5
        square = NORMAL**2
        middle = (mean + square / (2 * images)) / (1 + square / images)
        half = NORMAL / (1 + square / images)
        half *= (mean * (1 - mean) / images + square / (4 * images**2)) ** 0.5
        low, high = (abs(each - mean) for each in (middle - half, middle + half))
        return (
            max(0.0, mean - float(np.hypot(low, of_chips))),
            min(1.0, mean + float(np.hypot(high, of_chips))),
        )


@dataclass(kw_only=True)
class Measuring:
    """The accuracies that a request asks for.

    few, many: images to choose by, and those of the printed curve; all there are if they are fewer
    seeds: of the devices; a single one where nothing is drawn
    found: by choice, on the images to choose by, the best step of each; tried: every step
    """

    context: Context
    problem: Problem
    devices: Devices
    few: Batch
    many: Batch
    seeds: tuple[int, ...]
    found: dict[Point, Measured] = field(default_factory=dict)
    tried: dict[Point, Measured] = field(default_factory=dict)

    @property
    def request(self) -> SynthesisRequest:
        """What was asked for."""
        return self.problem.request

    @property
    def least(self) -> float:
        """The least accuracy of a choice."""
        return self.request.least_accuracy or 0.0

    def choose(self) -> None:
        """Measure all choices; ConfigError if none has the least accuracy."""
        components = self.problem.components
        hopeful = combinations(components, self.problem.rules)
        most = max(each.lossless_bits for each in hopeful)
        every = [each for less in range(most) for each in clipped(hopeful, less)]
        components = with_buildable_adcs(components, every)[0]
        for less in range(most):
            whole = {each: one for one in hopeful for each in clipped([one], less)}
            tried = with_known_adcs(whole, components)
            for point, kept in zip(tried, self.best_of(tried), strict=True):
                if self.found[kept].mean < self.least:
                    del whole[point]
            hopeful = list(whole.values())
        best = max((each.mean for each in self.found.values()), default=0.0)
        if best < self.least:
            raise ConfigError(
                field="--least-accuracy",
                allowed=f"at most {best:g}, the most of any choice on {len(self.few.images)} images"
                f" with devices of {self.devices.source.name}",
                given=f"{self.least:g}",
                source="command line",
            )

    def best_of(self, points: Sequence[Point]) -> list[Point]:
        """Measure all steps of some points, and return the best of each, which are then found."""
        every = [stepped(point) for point in points]
        all_steps = [point for steps in every for point in steps]
        self.tried |= zip(all_steps, self.measure(all_steps, self.few), strict=True)
        best = [max(steps, key=lambda point: self.tried[point].mean) for steps in every]
        self.found |= {point: self.tried[point] for point in best}
        return best

    def measure(self, points: Sequence[Point], batch: Batch) -> list[Measured]:
        """Return the accuracies of some points, with one copy of each layer."""
        return self.of_chips([{"point": asdict(point)} for point in points], batch)

    def of_design(self, design: "Candidate", batch: Batch) -> Measured:
        """Return the accuracies of the chip that a design is, with all its copies."""
        placed = zip(self.problem.network.layers, design.chosen.copies, strict=True)
        copies = [copies for layer, copies in placed if layer.kind in WITH_WEIGHTS]
        (found,) = self.of_chips([{"point": asdict(design.point), "copies": copies}], batch)
        return found

    def of_chips(self, chips: Sequence[Task], batch: Batch) -> list[Measured]:
        """Return the accuracies of some chips, which are computed if they are not kept."""
        effects = asdict(self.devices.given)
        found = self.run(
            batch,
            [{**chip, "effects": effects, "seed": seed} for chip in chips for seed in self.seeds],
        )
        size = len(self.seeds)
        return [
            Measured(images=len(batch.images), accuracies=tuple(found[first : first + size]))
            for first in range(0, len(found), size)
        ]

    def exact(self) -> float:
        """Return the accuracy without effects and clipping, of the images of the curve."""
        return self.run(self.many, [{"point": None}])[0]

    def run(self, batch: Batch, choices: Sequence[Task]) -> list[float]:
        """Return the accuracy of each choice."""
        from hwgen.jobs.executors import make_executor

        network, components = Path(self.request.network_file), self.problem.components
        shared = {
            "network": load_network(network).digest,
            "images": batch.about.digest,
            "weight_bits": components.weight_bits,
            "activation_bits": components.activation_bits,
        }
        files = [str(network), str(image_file(self.context.work, batch))]
        store = Store(self.context.work / "accuracy", code=code_of(ACCURACY))
        with (
            self.context.progress("accuracies", len(choices)) as done,
            make_executor(self.request.workers, self.request.scheduler) as executor,
        ):
            placed = WithInputs(executor, lambda _: files)
            tasks = [{**shared, **choice} for choice in choices]
            return run_stored(placed, ACCURACY, tasks, store, lambda *_: done())


def student(freedom: int) -> float:
    """Return the deviations within which 95 % of Student's t are, for degrees of freedom.

    Cornish and Fisher (1938), four terms; of one to four degrees the table.
    """
    if freedom <= len(FEW_CHIPS):
        return FEW_CHIPS[freedom - 1]
    z = NORMAL
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
    )
    return z + sum(term / float(freedom) ** power for power, term in enumerate(terms, 1))


FEW_CHIPS = (12.706, 4.303, 3.182, 2.776)
"""Student's t at 95 % of one to four degrees of freedom."""


def measuring_of(context: Context, problem: Problem) -> Measuring:
    """Return the measurement that a request asks for; DataError for images without labels."""
    request = problem.request
    assert request.effects is not None
    network = load_network(Path(request.network_file))
    batch = labelled(choose_images(network, images_of(request.data), None))
    devices, components = devices_of(Path(request.effects), 1), problem.components
    one = Copied(
        point=points(components, problem.rules)[0],
        weight_bits=components.weight_bits,
        activation_bits=components.activation_bits,
    )
    # Refuses what the devices of crossbars do not have, before a seed is computed.
    erring_of(families()[FAMILY])(network, one, devices.given, devices.seed)
    return Measuring(
        context=context,
        problem=problem,
        devices=devices,
        few=first_of(batch, request.images_to_choose),
        many=first_of(batch, request.images),
        seeds=tuple(range(1, 1 + (request.effect_seeds if is_drawn(devices.given) else 1))),
    )


def writing_of(request: SynthesisRequest, arch: Arch) -> WritingCost:
    """Return what it costs to write the cells of a chip, by the figures of the file of effects."""
    assert request.effects is not None
    devices = devices_of(Path(request.effects), 1)
    network = load_network(Path(request.network_file))
    chip = erring_of(families()[FAMILY])(network, arch, devices.given, devices.seed)
    return run_effects(devices, chip).writing


def first_of(batch: Batch, most: int) -> Batch:
    """Return the first images, all if they are no more."""
    images = batch.images[:most]
    assert batch.labels is not None
    about = replace(batch.about, images=len(images), digest=digest_of_array(images))
    modes = batch.modes[:most]
    return Batch(images=images, labels=batch.labels[:most], about=about, modes=modes)


def options_of(request: SynthesisRequest) -> dict[str, bool]:
    """Return what a chip is built with for its file of effects, if there is one."""
    if request.effects is None:
        return {}
    given = devices_of(Path(request.effects), 1).given
    return {
        "effects": True,
        "read_noise": given.read.deviation > 0,
        "nonlinear_converters": given.converters.largest_nonlinearity > 0,
    }


def is_drawn(effects: DeviceEffects) -> bool:
    """Return whether chips of different seeds differ."""
    drawn = any(getattr(effects.cells, name) for name in DRAWN)
    others = effects.converters.offset_lsb, effects.levels, effects.read.deviation
    return bool(drawn or any(others))


def accuracy_of_task(task: Task) -> float:
    """Return the accuracy of one seed of a choice; without a point that of the network itself."""
    from golden.network import predict

    network, images, labels, _ = read_inputs(FAMILY, *task[INPUTS], None)
    sums = None
    if task["point"] is not None:
        effects = validate_spec(DeviceEffects, task["effects"], source="effects")
        bits = {name: task[name] for name in ("weight_bits", "activation_bits")}
        layers = tuple(CopiedLayer(copies=copies) for copies in task.get("copies", ()))
        chip = Copied(point=point_of(task["point"]), layers=layers, **bits)
        sums = erring_of(families()[FAMILY])(network, chip, effects, task["seed"])
    return float(np.mean(predict(network, images, sums_by=sums) == labels))
