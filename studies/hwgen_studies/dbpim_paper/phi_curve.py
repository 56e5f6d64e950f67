"""Accuracy against cycles where groups of filters get fewer digits, measured and tabulated.

    python -m hwgen_studies.dbpim_paper.phi_curve NETWORK ARCH --data SET --out FILE --json FILE

writes the page, its picture beside it, and the report.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.family import Family
from hwgen.commands.context import Context
from hwgen.commands.digests import digest_of
from hwgen.commands.families import load_architecture
from hwgen.commands.fitting import check_fittable, is_depthwise
from hwgen.commands.images import choose_images
from hwgen.commands.lower import Lowering, parts_of
from hwgen.commands.origin import commit, machine
from hwgen.commands.subject import configuration_of
from hwgen.errors import HwgenError
from hwgen.files.output import write_text
from hwgen.fit.digits import digits_of
from hwgen.fit.lowered import Step
from hwgen.fit.text import unpruned
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
    context: Context, network: Path, arch: Path, *, data: str | None, images: int
) -> PhiCurveReport:
    """Return accuracy and cycles behind more and more steps.

    images: the first CALIBRATION of them measure, the others judge
    """
    given = load_network(network)
    check_fittable(given, network)
    batch = choose_images(given, data, images)
    lowering = Lowering(context, given, parts_of(batch, CALIBRATION), seed=SEED)
    family, loaded = load_architecture(arch)
    architecture: Any = loaded
    compiler, model = family.need(Family.compiler), family.need(Family.cycle_model)
    points = []
    for steps in chosen_steps(lowering.steps):
        lowered = lowering.after(steps)
        right = [
            (lowering.right(lowered, batch), len(batch.images))
            for batch in (lowering.parts.deciding, lowering.parts.judging)
        ]
        judged = sum(count for _, count in right)
        program = compiler.compile_network(lowered, architecture)
        image = lowering.parts.judging.images[:1]
        from golden.network import infer

        maps = infer(lowered, image)
        found = model.CycleModel(program, architecture).predict(maps)
        points.append(
            point_of(
                lowered,
                len(steps),
                right=sum(part * count for part, count in right) / judged,
                prediction=found,
                size=architecture.macro.compartments,
            )
        )
        context.say(f"{len(steps)} steps: {100 * points[-1].right:.2f}%")
    return PhiCurveReport(
        format="hwgen.report.phi_curve",
        version=1,
        network=lowering.network.graph.name,
        network_digest=lowering.network.digest,
        architecture=architecture.name,
        configuration_digest=digest_of(configuration_of(architecture)),
        images_name=Path(batch.about.name).name,
        images_digest=batch.about.digest,
        calibration_images=CALIBRATION,
        judged_images=images - CALIBRATION,
        labelled=lowering.parts.judging.labels is not None,
        commit=commit(),
        machine=machine(),
        command=(
            f"python -m hwgen_studies.dbpim_paper.phi_curve {network.name} {arch.name}"
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


def point_of(
    network: QuantizedNetwork, steps: int, *, right: float, prediction: Any, size: int
) -> PhiPoint:
    """Return a point of the curve; size: inputs of a row of weights."""
    digits = np.concatenate([of for _, of, _ in layers_of(network)])
    spent: dict[str, int] = {}
    for step in prediction.found:
        spent[step.layer] = spent.get(step.layer, 0) + step.cycles
    paired = float(prediction.cycles)
    rows = [0, 0]
    for name, of, masks in layers_of(network):
        alone, together = group_rows(of, masks, size=size)
        rows[0] += alone
        rows[1] += together
        paired -= spent.get(name, 0) * (1 - together / alone if alone else 0)
    return PhiPoint(
        steps=steps,
        groups=[int((digits == count).sum()) for count in range(3)],
        right=right,
        cycles=prediction.cycles,
        load_cycles=prediction.load,
        rows=rows[0],
        rows_paired=rows[1],
        cycles_paired=round(paired),
    )


def layers_of(
    network: QuantizedNetwork,
) -> list[tuple[str, NDArray[np.int64], NDArray[np.bool_]]]:
    """Return of each layer on the macros its name, digits of each group, inputs of each group."""
    found = []
    for layer in network.layers:
        if isinstance(layer, Conv | Linear) and not is_depthwise(network, layer):
            weights = network.parameters[layer.name].weights
            flat = weights.reshape(len(weights), -1)
            groups = np.split(flat, range(ALPHA, len(flat), ALPHA))
            digits = np.array([digits_of(group).max() for group in groups])
            masks = unpruned(flat)[::ALPHA] & (digits > 0)[:, np.newaxis]
            found.append((layer.name, digits, masks))
    return found


def group_rows(
    digits: NDArray[np.int64], masks: NDArray[np.bool_], *, size: int
) -> tuple[int, int]:
    """Return the rows of all groups of a layer, alone and with two groups of one digit in a row.

    masks: (groups, inputs), the unpruned ones; a pair has the inputs of both, and each group takes
    the partner with which it has the fewest. A group without inputs has a row.
    """

    def rows(mask: NDArray[np.bool_]) -> int:
        return max(1, -(-int(mask.sum()) // size))

    alone = sum(rows(mask) for mask in masks)
    single = [mask for mask, count in zip(masks, digits, strict=True) if count == 1]
    together = sum(rows(mask) for mask, count in zip(masks, digits, strict=True) if count != 1)
    while len(single) > 1:
        first = single.pop(0)
        unions = [int((first | other).sum()) for other in single]
        together += rows(first | single.pop(int(np.argmin(unions))))
    return alone, together + sum(rows(mask) for mask in single)


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    parser = page_options("dbpim-phi-curve", __doc__)
    parser.add_argument("network", type=Path)
    parser.add_argument("arch", type=Path)
    parser.add_argument("--images", type=int, default=1064)
    given = parser.parse_args(arguments)
    try:
        context = Context(work=given.work)
        report = measure(context, given.network, given.arch, data=given.data, images=given.images)
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
