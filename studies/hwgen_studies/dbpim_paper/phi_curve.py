"""Accuracy against cycles where groups of filters get fewer digits, measured and tabulated.

    python -m hwgen_studies.dbpim_paper.phi_curve NETWORK ARCH... --data SET --out FILE --json FILE

writes the page, its picture beside it, and the report.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.commands.context import Context
from hwgen.commands.fitting import check_fittable, is_depthwise
from hwgen.commands.images import choose_images
from hwgen.commands.lower import Lowering, parts_of
from hwgen.commands.lower_costs import chip_of, cycles_of
from hwgen.commands.origin import commit, machine
from hwgen.errors import HwgenError
from hwgen.files.output import write_text
from hwgen.fit.digits import digits_of
from hwgen.fit.lowered import Step
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.network.file import load_network
from hwgen.network.sparsity import ALPHA
from hwgen.report.files import write_report
from hwgen_studies.dbpim_paper.phi_curve_page import (
    PhiCurveReport,
    PhiPoint,
    phi_curve_page,
    phi_picture,
)
from hwgen_studies.options import page_options

CALIBRATION = 64
SEED = 1
POINTS = (0.0, 0.25, 0.5, 0.75, 0.9, 1.0)
"""Fractions of the steps to one digit; behind them steps to none as well."""
BEYOND = (4,)
"""Steps of any kind behind the cheapest step to no digit."""


def measure(
    context: Context, network: Path, archs: Sequence[Path], *, data: str | None, images: int
) -> PhiCurveReport:
    """Return accuracy and cycles behind more and more steps.

    archs: the chips whose cycles count; by the last one steps have their order
    images: the first CALIBRATION of them measure, the others judge
    """
    given = load_network(network)
    check_fittable(given, network)
    batch = choose_images(given, data, images)
    chips = [chip_of(arch) for arch in archs]
    lowering = Lowering(context, given, parts_of(batch, CALIBRATION), seed=SEED, chip=chips[-1])
    points = []
    for steps in chosen_steps(lowering.steps):
        lowered = lowering.after(steps)
        right = [
            (lowering.right(lowered, batch), len(batch.images))
            for batch in (lowering.parts.deciding, lowering.parts.judging)
        ]
        judged = sum(count for _, count in right)
        digits = digits_of_groups(lowered)
        image = lowering.parts.judging.images[:1]
        points.append(
            PhiPoint(
                steps=len(steps),
                groups=[int((digits == count).sum()) for count in range(3)],
                right=sum(part * count for part, count in right) / judged,
                cycles=[cycles_of(lowered, chip, image) for chip in chips],
            )
        )
        context.say(f"{len(steps)} steps: {100 * points[-1].right:.2f}%")
    return PhiCurveReport(
        format="hwgen.report.phi_curve",
        version=2,
        network=lowering.network.graph.name,
        network_digest=lowering.network.digest,
        architectures=[chip.source for chip in chips],
        images_name=Path(batch.about.name).name,
        images_digest=batch.about.digest,
        calibration_images=CALIBRATION,
        judged_images=images - CALIBRATION,
        labelled=lowering.parts.judging.labels is not None,
        commit=commit(),
        machine=machine(),
        command=(
            f"python -m hwgen_studies.dbpim_paper.phi_curve {network.name}"
            f" {' '.join(arch.name for arch in archs)}"
            f" --data {Path(batch.about.name).name} --images {images}"
        ),
        points=points,
    )


def chosen_steps(steps: Sequence[Step]) -> list[list[Step]]:
    """Return more and more steps: to one digit alone, then the cheapest of all kinds."""
    ones = [step for step in steps if step.digits == 1]
    counts = dict.fromkeys(round(part * len(ones)) for part in POINTS)
    nones = [step for step in steps if step.digits == 0]
    return [ones[:count] for count in counts] + [ones + nones[:count] for count in BEYOND]


def digits_of_groups(network: QuantizedNetwork) -> NDArray[np.int64]:
    """Return the digits of each group of filters on the macros."""
    found = []
    for layer in network.layers:
        if isinstance(layer, Conv | Linear) and not is_depthwise(network, layer):
            weights = network.parameters[layer.name].weights
            flat = weights.reshape(len(weights), -1)
            groups = np.split(flat, range(ALPHA, len(flat), ALPHA))
            found += [digits_of(group).max() for group in groups]
    return np.array(found)


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = page_options("dbpim-phi-curve", __doc__)
    parser.add_argument("network", type=Path)
    parser.add_argument("archs", type=Path, nargs="+")
    parser.add_argument("--images", type=int, default=1064)
    given = parser.parse_args(arguments)
    try:
        context = Context(work=given.work)
        report = measure(context, given.network, given.archs, data=given.data, images=given.images)
        picture = given.out.with_suffix(".svg")
        write_text(picture, phi_picture(report), what="picture")
        write_text(given.out, phi_curve_page(report, picture.name), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"dbpim-phi-curve: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
