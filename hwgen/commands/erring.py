"""What `hwgen synthesize --effects` hands a family: its chips that err, and images to judge by.

A task is one seed of one choice, computed and kept as those of `hwgen effects` are.

Tests: `tests/commands/test_erring.py`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hwgen.chip.effects import DeviceEffects
from hwgen.chip.family import Family
from hwgen.chip.synthesis_request import Choice
from hwgen.commands.context import Context
from hwgen.commands.effects import (
    Devices,
    Task,
    accuracies_of_tasks,
    digest_of_labelled,
    erring_of,
    image_file,
)
from hwgen.commands.families import InstalledFamily
from hwgen.commands.images import Batch
from hwgen.commands.writing import run_effects
from hwgen.network import QuantizedNetwork
from hwgen.report.types import Images, Source
from hwgen.report.writing import WritingCost


@dataclass(frozen=True, kw_only=True)
class ErringChips:
    """Chips of a family with a network, which err as devices do.

    batch: images with labels; workers, scheduler: that compute accuracies
    """

    context: Context
    family: InstalledFamily
    network: QuantizedNetwork
    network_file: Path
    devices: Devices
    batch: Batch
    workers: int
    scheduler: str | None

    @property
    def effects(self) -> DeviceEffects:
        """How the devices err."""
        return self.devices.given

    @property
    def source(self) -> Source:
        """The file of the effects."""
        return self.devices.source

    def check(self, choice: Choice) -> None:
        """Refuse what the devices of the family do not have: ConfigError."""
        self.erring(self.family.need(Family.synthesis).erring_chip(choice))

    def first(self, count: int) -> "JudgedChips":
        """Return the first images, all if they are no more."""
        return JudgedChips(chips=self, batch=self.batch.part(slice(count)))

    def writing(self, arch: Any) -> WritingCost:
        """Return what it costs to write the cells of a chip, by the figures of its file."""
        return run_effects(self.devices, self.erring(arch)).writing

    def erring(self, chip: Any) -> Any:
        """Return what computes as the devices of a chip do."""
        return erring_of(self.family)(self.network, chip, self.effects, self.devices.seed)


@dataclass(frozen=True, kw_only=True)
class JudgedChips:
    """Chips that err, and the images by which their accuracy is measured."""

    chips: ErringChips
    batch: Batch

    @property
    def about(self) -> Images:
        """The images."""
        return self.batch.about

    def accuracies(self, choices: Sequence[Choice], seeds: Sequence[int]) -> list[list[float]]:
        """Return the accuracy of each choice, from 0 to 1: of a chip for each seed."""
        effects, size = asdict(self.chips.effects), len(seeds)
        found = self.run(
            [
                {"choice": choice, "effects": effects, "seed": seed}
                for choice in choices
                for seed in seeds
            ]
        )
        return [found[first : first + size] for first in range(0, len(found), size)]

    def exact(self) -> float:
        """Return the accuracy of the network itself."""
        return self.run([{}])[0]

    def run(self, tasks: Sequence[Task]) -> list[float]:
        """Return the accuracy of each task, which is computed if it is not kept."""
        chips = self.chips
        context = chips.context
        shared = {
            "family": chips.family.name,
            "network": chips.network.digest,
            "images": digest_of_labelled(self.batch),
        }
        files = [str(chips.network_file), str(image_file(context.work, self.batch))]
        return accuracies_of_tasks(
            context,
            [{**shared, **task} for task in tasks],
            files,
            kept="accuracy",
            told="accuracies",
            workers=chips.workers,
            scheduler=chips.scheduler,
        )
