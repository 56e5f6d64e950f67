"""What filters of one digit bring: cycles of shipped, drawn and changed networks on several chips.

    python -m hwgen_studies.dbpim_paper.one_digit --out FILE --json FILE

writes the page and the report. Cycles are the model's, of one image; areas are those of the table.
Programs are kept in the work folder, so that an interrupted command goes on.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.chip.family import Family
from hwgen.commands.context import Context
from hwgen.commands.engines import expected_maps, predicted_cycles
from hwgen.commands.families import load_architecture
from hwgen.commands.fitting import is_depthwise
from hwgen.commands.images import Batch, choose_images, drawn_images
from hwgen.commands.lower_costs import rounded
from hwgen.commands.origin import commit
from hwgen.commands.subject import Subject, program_of
from hwgen.errors import HwgenError
from hwgen.files.output import write_text
from hwgen.fit.lowered import Step
from hwgen.network import Conv, Linear, QuantizedNetwork
from hwgen.network.file import load_network
from hwgen.network.sparsity import ALPHA
from hwgen.report.files import write_report
from hwgen.report.training_record import read_record
from hwgen_studies.dbpim_paper.one_digit_page import OneDigitReport, OneDigitRow, page
from hwgen_studies.dbpim_paper.race_networks import CONFIGS, SEED, drawn_file
from hwgen_studies.options import page_options

PAPER, DIGITS = Path("dbpim/paper"), Path("dbpim/paper_digits")
SHIPPED = ("cifar10_resnet20_50", "cifar10_resnet20_digits")
SHAPES = ("alexnet", "vgg19", "efficientnetb0", "mobilenetv2")
SHARES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)
PORTS = (256, 512)

OWN_MASKS, ONE_MASK = "all of one digit", "all of one digit, two groups with one mask"
TWO_DIGITS = "of two digits at most"


@dataclass(frozen=True, kw_only=True)
class Subjects:
    """Networks and chips of the page.

    image: None: one that is drawn; shown: the network whose maps count, None: the network itself
    """

    part: str
    network: QuantizedNetwork
    name: str
    weights: str
    chips: Sequence[tuple[str, Any]]
    image: Batch | None = None
    shown: QuantizedNetwork | None = None
    share: float | None = None
    accuracy: float | None = None

    def rows(self, context: Context, family: Any) -> Iterator[OneDigitRow]:
        """Yield the cycles on each chip."""
        batch = self.image or drawn_images(self.network, count=1)
        maps: Any = None
        for chip, arch in self.chips:
            subject = Subject(
                network=self.network,
                network_file=Path(self.name),
                family=family,
                arch=arch,
                arch_file=Path(chip),
            )
            program = program_of(context, subject)
            if maps is None:
                seen = replace(subject, network=self.shown or self.network)
                maps = expected_maps(context, seen, batch)
            (found,) = predicted_cycles(context, subject, program, maps, batch.modes)
            area = sum(family.need(Family.area).area_um2(arch).values()) / 1e6
            context.say(f"{self.name}, {self.weights}, {chip}: {found.cycles:,} cycles")
            yield OneDigitRow(
                part=self.part,  # type: ignore[arg-type]
                network=self.name,
                weights=self.weights,
                chip=chip,
                cycles=found.cycles,
                area_mm2=area,
                share=self.share,
                accuracy=self.accuracy,
            )


def measure(context: Context) -> OneDigitReport:
    """Return all rows, in the order of the page."""
    family, paper = load_architecture(PAPER)
    chips = [
        ("paper", paper),
        ("coded", replace(paper, one_digit="coded")),  # type: ignore[type-var]
        ("paper_digits", load_architecture(DIGITS)[1]),
    ]
    parts = [
        *shipped(family, chips),
        *drawn(context, chips),
        *ports(context, chips),
        *shares(chips),
    ]
    return OneDigitReport(
        format="hwgen.report.dbpim_one_digit",
        version=1,
        commit=commit(),
        seed=SEED,
        rows=[row for each in parts for row in each.rows(context, family)],
    )


def shipped(family: Any, chips: Sequence[tuple[str, Any]]) -> Iterator[Subjects]:
    """Yield the networks that ship, on their shipped image 0, the dense chip among the chips."""
    dense = family.need(Family.sparsity).with_sparsity(chips[0][1], "none")
    for name in SHIPPED:
        file = CONFIGS / "networks" / f"{name}.npz"
        network = load_network(file)
        about = read_record(file, network.digest)
        yield Subjects(
            part="shipped",
            network=network,
            name=name,
            weights="trained",
            chips=[("dense", dense), *chips],
            image=choose_images(network, None, 1),
            accuracy=about["accuracy"]["integer"] if about else None,
        )


def drawn(context: Context, chips: Sequence[tuple[str, Any]]) -> Iterator[Subjects]:
    """Yield networks of drawn weights: of two digits, of one, of one with masks in common."""
    for name in SHAPES:
        network = load_network(drawn_file(context, name))
        yield Subjects(
            part="drawn", network=network, name=name, weights=TWO_DIGITS, chips=chips[:1]
        )
        for weights, together in ((OWN_MASKS, 1), (ONE_MASK, 2)):
            yield Subjects(
                part="drawn",
                network=of_one_digit(network, together=together),
                name=name,
                weights=weights,
                chips=chips,
                shown=network,
            )


def ports(context: Context, chips: Sequence[tuple[str, Any]]) -> Iterator[Subjects]:
    """Yield AlexNet of drawn weights at ports of several widths."""
    whole = load_network(drawn_file(context, "alexnet"))
    several = (
        (TWO_DIGITS, whole),
        ("FC layers of one digit", of_one_digit(whole, kinds=(Linear,))),
        (OWN_MASKS, of_one_digit(whole)),
    )
    wide = [
        (f"{name}, port of {bits} bits", replace(arch, port_bits=bits))
        for bits in PORTS
        for name, arch in chips
    ]
    for weights, network in several:
        yield Subjects(
            part="ports",
            network=network,
            name="alexnet",
            weights=weights,
            chips=wide,
            shown=whole,
        )


def shares(chips: Sequence[tuple[str, Any]]) -> Iterator[Subjects]:
    """Yield ResNet20 with more and more groups of one digit."""
    network = load_network(CONFIGS / "networks" / f"{SHIPPED[0]}.npz")
    image = choose_images(network, None, 1)
    for weights, together in (("masks of their own", 1), ("two groups with one mask", 2)):
        for share in SHARES:
            yield Subjects(
                part="shares",
                network=of_one_digit(network, share=share, together=together),
                name=SHIPPED[0],
                weights=weights,
                chips=[chips[0], chips[-1]],
                image=image,
                shown=network,
                share=share,
            )


def of_one_digit(
    network: QuantizedNetwork,
    *,
    share: float = 1.0,
    together: int = 1,
    kinds: tuple[type, ...] = (Conv, Linear),
) -> QuantizedNetwork:
    """Return the network with some groups of filters of one digit, chosen by chance.

    Each unpruned weight of such a group becomes the nearest power of two, so that the answers are
    meaningless. together: neighbouring groups that are chosen together, the others with the weights
    of the first; kinds: of the layers; depthwise ones stay
    """
    parameters, units = dict(network.parameters), []
    for layer in network.layers:
        if isinstance(layer, kinds) and not is_depthwise(network, layer):  # type: ignore[arg-type]
            groups = -(-len(parameters[layer.name].weights) // ALPHA)
            for first in range(0, groups, together):
                units.append((layer.name, range(first, min(first + together, groups))))
    order = np.random.default_rng(SEED).permutation(len(units))
    chosen = [units[number] for number in order[: round(share * len(units))]]
    for name, groups_of in chosen:
        weights = parameters[name].weights.copy()
        for group in groups_of[1:]:
            part = weights[group * ALPHA : (group + 1) * ALPHA]
            part[:] = weights[groups_of[0] * ALPHA :][: len(part)]
        parameters[name] = replace(parameters[name], weights=weights)
    steps = [
        Step(layer=name, group=group, digits=1, loss=0.0, saved=0.0)
        for name, groups_of in chosen
        for group in groups_of
    ]
    return rounded(replace(network, parameters=parameters), steps)


def main(arguments: Sequence[str]) -> int:
    """Measure and write; return the exit code."""
    given = page_options("dbpim-one-digit", __doc__).parse_args(arguments)
    try:
        report = measure(Context(work=given.work))
        write_text(given.out, page(report), what="page")
        write_report(report, given.json)
    except HwgenError as error:
        print(f"dbpim-one-digit: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
