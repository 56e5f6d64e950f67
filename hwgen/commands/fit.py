"""`hwgen fit`: the weights of a trained network with few signed digits, without training."""

from dataclasses import dataclass
from pathlib import Path

from rich.console import RenderableType

from hwgen.commands import fitting
from hwgen.commands.fields import images_of
from hwgen.commands.images import choose_images
from hwgen.commands.subject import check_stateless
from hwgen.network.file import load_network
from hwgen.report.fit import FitReport, fit_table


@dataclass(frozen=True)
class Fit(
    fitting.FitRequest,
    command="fit",
    example="network.npz --phi 2 --data images.npz --out build/fit.npz",
):
    """Give every weight few signed digits without training, so that weight_bits brings the most.

    measured: each filter takes the scale, finer where it suffers most, that changes its sums on
    the images least, and its weights are rounded so that they make up for each other. lowered: of
    a network whose weights have few digits already, groups of 8 filters get one digit or none,
    those first that change the sums least for what they save (with --arch: cycles of the chip),
    until half of the other images lose the budget. Prints accuracy, or agreement of the classes,
    before and after.
    """

    def run(self) -> FitReport:
        """Write the fitted network."""
        network, file = load_network(Path(self.network)), Path(self.network)
        check_stateless(network, "fit")
        fitting.check_fittable(network, file)
        fitting.check_rounding(network, file)
        batch = choose_images(network, images_of(self.data), self.images)
        if self.rule == "lowered":
            from hwgen.commands.lower import lowered

            return lowered(self, network, batch)
        chosen = batch.images[: self.calibration]
        fitted, layers = fitting.fit_network(self.quiet, network, chosen, self)
        return self.report(
            network,
            fitted,
            layers,
            measured=len(chosen),
            about=batch.about,
            judged=fitting.remaining(batch, self.calibration),
        )

    def table(self, report: FitReport) -> RenderableType:
        """Return what changed, layer by layer."""
        return fit_table(report)
