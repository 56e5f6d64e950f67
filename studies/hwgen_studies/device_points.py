"""Accuracy against GOPS/W of ResNet20 chips over devices, converters and kinds of cells.

    python -m hwgen_studies.device_points --data CIFAR10 --out FILE --json FILE

A chip is what the search of `hwgen synthesize` finds for a kind of cells and ADCs of so many bits
less than lose nothing; each device then errs on some chips, with the same images and seeds. Chips
lie in the work folder, and accuracies where `hwgen effects` keeps them, a file for each seed and
each 250 images: an interrupted command goes on, and one with more images begins with those that
are there. One process at a time, for all seeds of a device on a chip and so many images.

Tests: `studies/tests/test_device_points.py`.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from hwgen.chip.effects import DeviceEffects
from hwgen.commands.context import Context
from hwgen.commands.effects import Effects, devices_of
from hwgen.commands.engines import golden_accuracy
from hwgen.commands.images import Batch, choose_images
from hwgen.commands.origin import commit
from hwgen.commands.pictures import write_plot
from hwgen.commands.subject import Subject, program_of
from hwgen.commands.synthesis import Synthesize
from hwgen.crossbar.facts.arch import Arch, arch_text
from hwgen.crossbar.facts.components import Adc
from hwgen.crossbar.facts.point import (
    Cells,
    Point,
    clipped,
    combinations,
    narrowed,
    with_known_adcs,
)
from hwgen.crossbar.model.least import least_power_w
from hwgen.crossbar.pages.accuracy import Measured
from hwgen.crossbar.pages.problem import Problem, problem_of
from hwgen.crossbar.pages.searching import search
from hwgen.crossbar.synthesis.result import SearchResult, finish
from hwgen.errors import HwgenError
from hwgen.files.output import write_text
from hwgen.report.files import write_report
from hwgen_studies.device_points_page import Chip, DevicePoints, Measurement, page, picture
from hwgen_studies.options import page_options

NETWORK, POWER_W, EVALUATIONS, IMAGES = "cifar10_resnet20_50", 3.0, 24_000, 1000
AT_ONCE = 250
"""Images whose accuracy is kept together."""
CHIPS: tuple[tuple[Cells, int], ...] = (
    ("offset", 0),
    ("offset", 1),
    ("offset", 2),
    ("differential", 0),
    ("differential", 1),
    ("differential", 2),
    ("differential", 4),
)
"""Kind of cells, and bits that converters have less than lose nothing."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """A device: a file of effects that ships, perhaps with another variation, and its seeds.

    chips: places of those that it is measured on
    """

    name: str
    file: str
    seeds: int
    chips: Sequence[int]
    variation: float | None = None

    @property
    def effects(self) -> DeviceEffects:
        """What errs."""
        given = devices_of(Path(self.file), 1).given
        if self.variation is None:
            return given
        return replace(given, cells=replace(given.cells, variation=self.variation))


# Of the first one nothing is drawn, and chips that clip nothing compute the network itself.
DEVICES = (
    Device(name="none", file="effects/exact", seeds=1, chips=(1, 2, 4, 5, 6)),
    Device(
        name="variation 5 %",
        file="effects/exact",
        seeds=5,
        chips=(0, 1, 2, 3, 5, 6),
        variation=0.05,
    ),
    Device(name="phase-change, 20 s", file="effects/pcm", seeds=5, chips=(2, 5)),
    Device(name="HfOx, 1 s", file="effects/hfox_levels", seeds=5, chips=(2, 5)),
)


@dataclass(frozen=True, kw_only=True)
class Study:
    """What is measured, and with what."""

    context: Context
    data: str | None
    network: str = NETWORK
    power_w: float = POWER_W
    evaluations: int = EVALUATIONS
    images: int = IMAGES
    chips: Sequence[tuple[Cells, int]] = CHIPS
    devices: Sequence[Device] = DEVICES

    def run(self) -> DevicePoints:
        """Search all chips, and measure them with each device."""
        chips = [self.chip(cells, less) for cells, less in self.chips]
        found: dict[tuple[int, str], list[float]] = {}
        exact = chips[0].exact
        nothing = self.devices[0].name
        found |= {
            (place, nothing): [exact] for place, (_, less) in enumerate(self.chips) if not less
        }
        for device in self.devices:
            for place in device.chips:
                each = found[place, device.name] = chips[place].accuracies(device)
                told = " ".join(f"{accuracy:.3f}" for accuracy in each)
                self.context.say(f"{chips[place].name}, {device.name}: {told}")
        return DevicePoints(
            format="hwgen.report.device_points",
            version=1,
            commit=commit() or "-",
            network=self.network,
            power_w=self.power_w,
            evaluations=self.evaluations,
            images=self.images,
            exact=exact,
            chips=[each.told for each in chips],
            points=[
                Measurement(
                    chip=place,
                    device=name,
                    accuracies=each,
                    mean=float(np.mean(each)),
                    interval=Measured(images=self.images, accuracies=tuple(each)).interval,
                )
                for (place, name), each in sorted(found.items(), key=lambda item: item[0][0])
            ],
        )

    def chip(self, cells: Cells, less: int) -> "Found":
        """Return the chip that the search finds; its file lies in the work folder then."""
        request = Synthesize(
            self.network,
            power_w=self.power_w,
            cells=cells,
            evaluations=self.evaluations,
            workers=1,
        )
        problem = problem_of(self.context, request)
        every = combinations(problem.components, problem.rules)
        tried = with_known_adcs(clipped(every, less), problem.components)
        problem = replace(problem, components=narrowed(problem.components, tried))
        result = search(self.context, problem)
        name = f"{self.network}-{cells}-{less}-less"
        arch = finish(problem.network, problem.components, result, name, effects=bool(less)).arch
        file = self.context.work / "device-points" / f"{name}.yaml"
        write_text(file, arch_text(arch), what="chip")
        told = told_chip(arch, result, problem, less)
        return Found(study=self, name=f"{cells}, {less} less", file=file, told=told)


@dataclass(frozen=True)
class Found:
    """A chip that was found: its file, and what the page tells of it."""

    study: Study
    name: str
    file: Path
    told: Chip

    def effects(self, device: Device) -> Effects:
        """Return the request that measures all seeds."""
        return Effects(
            Path(self.study.network),
            self.file,
            effects=Path(device.file),
            seeds=device.seeds,
            workers=1,
            context=self.study.context,
        )

    @cached_property
    def subject(self) -> Subject:
        """The network on the chip."""
        return self.effects(self.study.devices[0]).subject()

    @cached_property
    def batch(self) -> Batch:
        """The images, those of all chips."""
        return choose_images(self.subject.network, self.study.data, self.study.images)

    @property
    def exact(self) -> float:
        """The accuracy of the network itself."""
        return golden_accuracy(self.study.context, self.subject, self.batch)

    def accuracies(self, device: Device) -> list[float]:
        """Return the accuracy of each seed."""
        request, choice = self.effects(device), [(None, device.effects)]
        program = program_of(self.study.context, self.subject)
        right = np.zeros(device.seeds)
        for part in parts_of(self.batch):
            (found,) = request.accuracies(self.subject, program, part, choice)
            right += np.multiply(found, len(part.images))
        return [float(each) for each in right / len(self.batch.images)]


def parts_of(batch: Batch) -> Iterator[Batch]:
    """Yield the images in parts, the last one perhaps smaller."""
    for first in range(0, len(batch.images), AT_ONCE):
        yield batch.part(slice(first, first + AT_ONCE))


def told_chip(arch: Arch, result: SearchResult, problem: Problem, less: int) -> Chip:
    """Return what the page tells of a chip."""
    point, copies = arch.point, [layer.mapping.copies for layer in arch.layers]
    one = {name: getattr(point, name) for name in ("cell_bits", "side", "dac_bits", "cells")}
    whole = Point(rram_ratio=None, **one)
    picojoules = {each.bits: picojoules_of(each) for each in problem.components.adcs.resolutions}
    least = None
    if whole.adc_bits in picojoules:
        components = narrowed(problem.components, [whole])
        least = least_power_w(problem.network, components, problem.rules)
    return Chip(
        **one,
        bits_less=less,
        adc_bits=arch.adc_bits,
        adc_pj=picojoules[arch.adc_bits],
        lossless_bits=whole.adc_bits,
        lossless_pj=picojoules.get(whole.adc_bits),
        lossless_least_w=least,
        gops_per_w=result.best.efficiency_gops_per_w,
        bound_gops_per_w=result.bound_gops_per_w,
        crossbars=sum(layer.mapping.crossbars for layer in arch.layers),
        most_copies=max(copies),
    )


def picojoules_of(adc: Adc) -> float:
    """Return the dynamic energy of a conversion."""
    return 1000 * adc.dynamic_w / adc.samples_per_ns


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = page_options("device-points", __doc__)
    parser.add_argument("--images", type=int, default=IMAGES, help="test images, the first ones")
    given = parser.parse_args(arguments)
    try:
        report = Study(context=Context(work=given.work), data=given.data, images=given.images).run()
        write_plot(given.out.with_suffix(".svg"), lambda kind: picture(report, kind))
        write_text(given.out, page(report), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"device-points: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
