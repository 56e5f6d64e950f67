"""Requests about an architecture, and about a network on it.

Tests: `tests/commands/test_sweep.py`.
"""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar

from numpy.typing import NDArray
from pydantic import Field

from hwgen.commands.architectures import Arch, LoadedArchitecture, chip_of
from hwgen.commands.context import Context
from hwgen.commands.drawing import drawn_file, is_densities
from hwgen.commands.engines import Engine
from hwgen.commands.fields import (
    LARGEST_BATCH,
    CountOfRuns,
    Data,
    File,
    Network,
    Sparsity,
    Whole,
    images_of,
    path_of,
    words,
)
from hwgen.commands.images import Batch as Images
from hwgen.commands.modes import choose_stream
from hwgen.commands.on_the_way import imported
from hwgen.commands.plan_runs import RunsPiece, run_plan
from hwgen.commands.request import Says, Working
from hwgen.commands.subject import Subject, for_program
from hwgen.network.densities import load_densities
from hwgen.network.file import load_network
from hwgen.report.plans import PlanReport


def subject_of(
    context: Context, network: File, chip: LoadedArchitecture, *, batch: int = 1
) -> Subject:
    """Return a network on a chip, with runs of `batch` images.

    A TFLite or ONNX file is imported on the way, with the arithmetic of the runtime if the chip has
    it; a network of a file of densities is drawn.
    """
    densities = load_densities(Path(network)) if is_densities(Path(network)) else None
    file = (
        imported(context, Path(network), chip.parameters)
        if densities is None
        else drawn_file(context, densities)
    )
    return Subject(
        network=load_network(file),
        network_file=file,
        family=chip.family,
        arch=chip.parameters,
        arch_file=chip.file,
        run_images=batch,
        densities=densities,
    )


@dataclass(frozen=True)
class Runs(Working):
    """Base of requests that say how many images run, and in which modes."""

    _: KW_ONLY
    data: Data = None
    images: CountOfRuns = None
    calls: Annotated[
        Annotated[Whole, Field(ge=1)] | None,
        Says(
            "calls of a network with states, one image each, from a reset on; position 0, 1, ..",
            metavar="N",
        ),
    ] = None
    batch: Annotated[
        Annotated[Whole, Field(ge=1, le=LARGEST_BATCH)] | None,
        Says(
            "images of one run of the chip [default: 1; with several modes all]",
            metavar="N",
        ),
    ] = None
    mode: Annotated[
        str | None, Says("mode of all images, such as 0.5x [default: the widest]", metavar="NAME")
    ] = None
    modes: Annotated[
        Sequence[str] | None,
        Says(
            "mode of each image, separated by commas; after the last one the first one follows"
            " again",
            metavar="NAMES",
            typed=list[str],
            read=words,
        ),
    ] = None

    def check(self) -> None:
        """Refuse two ways to choose modes."""
        if self.mode is not None and self.modes is not None:
            raise self.refusal("mode", "left out where --modes is given", self.mode)


@dataclass(frozen=True)
class OnChip(Working):
    """Base of requests about a network on a chip."""

    OF_DENSITIES: ClassVar[bool] = False
    """Whether densities may stand in place of the network."""

    network: Network
    architecture: Arch
    _: KW_ONLY
    sparsity: Sparsity = None

    def subject(self, batch: int = 1) -> Subject:
        """Return the network on its chip, with runs of `batch` images; see `subject_of`."""
        if is_densities(Path(self.network)) and not self.OF_DENSITIES:
            allowed = "a network; densities are for hwgen model and hwgen explore --grid"
            raise self.refusal("network", allowed, self.network)
        chip = chip_of(self.quiet, self.architecture, self.sparsity)
        return subject_of(self.quiet, self.network, chip, batch=batch)


@dataclass(frozen=True)
class WithImages(Runs, OnChip):
    """Base of requests that run images, each in its mode."""

    _: KW_ONLY
    host_ms: Annotated[
        File | None,
        Says(
            "of a plan: milliseconds of each piece of the host (.yaml), for a total",
            metavar="FILE",
        ),
    ] = None

    def of_plan(self, engine: Engine, refused: Sequence[str], play: RunsPiece) -> PlanReport:
        """Return what the pieces of a plan did; refused: fields that one network alone takes.

        play: runs the network of a piece
        """
        for name in (*refused, "calls", "batch", "mode", "modes"):
            if getattr(self, name) not in (None, False, 0):
                raise self.refusal(name, "left out for a plan", getattr(self, name))
        chip = chip_of(self.quiet, self.architecture, self.sparsity)
        return run_plan(
            self.quiet,
            Path(self.network),
            chip,
            play=play,
            data=images_of(self.data),
            images=self.images,
            engine=engine,
            host_ms=path_of(self.host_ms),
        )

    def given_images(self, subject: Subject) -> str | NDArray[Any] | None:
        """Return where the images are, or the images; subject: that runs them."""
        return images_of(self.data)

    def stream(self, program: Path | None = None) -> tuple[Subject, Images]:
        """Return the network on its chip, and the images with their modes.

        program: file of a compiled program, which has its images of one run
        """
        subject = self.subject()
        if subject.densities is not None and self.data is not None:
            raise self.refusal("data", "left out where densities draw the maps", self.data)
        if self.calls is not None and not subject.network.states:
            raise self.refusal("calls", "left out for a network without states", self.calls)
        if self.calls is not None and self.images is not None:
            raise self.refusal("images", "left out beside --calls", self.images)
        return choose_stream(
            subject,
            self.given_images(subject),
            images=self.images if self.calls is None else self.calls,
            batch=self.batch if program is None else for_program(subject, program).run_images,
            modes=self.modes if self.mode is None else (self.mode,),
        )
