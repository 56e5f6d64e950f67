"""What `hwgen_studies.device_points` measures, as records, a table and a picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from matplotlib.figure import Figure

from hwgen.report.sheet import Sheet
from hwgen.report.svg import MARKERS, SERIES, name_series, report_picture

SIZE = (7.0, 4.6)
"""Inches."""


@dataclass(frozen=True, kw_only=True)
class Chip:
    """A chip that a search found.

    bits_less: of its ADCs, than lose nothing; adc_pj: dynamic energy of a conversion
    lossless_bits, lossless_pj: of ADCs with which the same arrays lose nothing; null: the table has
        none; lossless_least_w: what one copy of all weights then needs
    bound_gops_per_w: no chip of these cells and ADCs is more efficient
    most_copies: of a layer
    """

    cells: str
    bits_less: int
    side: int
    cell_bits: int
    dac_bits: int
    adc_bits: int
    adc_pj: float
    lossless_bits: int
    lossless_pj: float | None
    lossless_least_w: float | None
    gops_per_w: float
    bound_gops_per_w: float
    crossbars: int
    most_copies: int


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A device on a chip: the accuracy of each seed.

    chip: its place in the list; interval: in which the mean of all such chips on all such images
        is, at 95 %
    """

    chip: int
    device: str
    accuracies: Sequence[float]
    mean: float
    interval: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class DevicePoints:
    """All points, and what made them; exact: accuracy of the network itself."""

    format: Literal["hwgen.report.device_points"]
    version: Literal[1]
    commit: str
    network: str
    power_w: float
    evaluations: int
    images: int
    exact: float
    chips: Sequence[Chip]
    points: Sequence[Measurement]

    @property
    def devices(self) -> list[str]:
        """The names of the devices."""
        return list(dict.fromkeys(point.device for point in self.points))

    def at(self, chip: int, device: str) -> Measurement | None:
        """Return a device on a chip; None: not measured."""
        return next((each for each in self.of(device) if each.chip == chip), None)

    def of(self, device: str) -> list[Measurement]:
        """Return the points of a device, in the order of the chips."""
        return [point for point in self.points if point.device == device]


def page(report: DevicePoints) -> str:
    """Return the page, a part of docs/device-effects.md."""
    lines = [
        f"# {TITLE}",
        "",
        INTRO.format(
            network=report.network,
            watts=report.power_w,
            evaluations=report.evaluations,
            images=report.images,
            exact=percent(report.exact),
        ),
        "",
        *Sheet(heads(report), rows(report), left=3).markdown(),
        "",
        f"![Accuracy against GOPS/W, a point for each chip and device]({PICTURE})",
        "",
        *costs(report),
    ]
    return "\n".join(lines) + "\n"


PICTURE = "results/device-points.svg"
"""From the page on."""
TITLE = "ResNet20: accuracy against GOPS/W"
INTRO = """\
A row is the chip that the search of `hwgen synthesize {network} --power-w {watts:g} --evaluations
{evaluations}` finds, of all arrays, where ADCs have so many bits less than lose nothing. Accuracy
is that of this chip with its copies, in percent: mean of the seeds and its interval at 95 %, the
same first {images:,} test images everywhere. Exact: {exact} %. pJ: a conversion, by
`configs/crossbar/components.yaml`."""
SEVERAL = 2
"""Bits less whose cost is told."""


def heads(report: DevicePoints) -> list[str]:
    """Return the heads of the table."""
    seeds = {device: len(report.of(device)[0].accuracies) for device in report.devices}
    named = [f"{device}, {n} seeds" if n > 1 else device for device, n in seeds.items()]
    return ["cells", "ADC", "side, cell, DAC", "pJ", "GOPS/W", *named]


def rows(report: DevicePoints) -> Iterator[list[str]]:
    """Yield the cells of each chip."""
    for place, chip in enumerate(report.chips):
        found = [report.at(place, device) for device in report.devices]
        yield [
            chip.cells,
            adc(chip),
            f"{chip.side}, {chip.cell_bits}, {chip.dac_bits}",
            f"{chip.adc_pj:.3g}",
            f"{chip.gops_per_w:,.0f}",
            *("-" if point is None else told(point) for point in found),
        ]


def adc(chip: Chip) -> str:
    """Return the bits of the converters of a chip."""
    return f"{chip.adc_bits}, {chip.bits_less} less" if chip.bits_less else f"{chip.adc_bits}"


def told(point: Measurement) -> str:
    """Return mean and interval in percent."""
    low, high = map(percent, point.interval)
    return f"{percent(point.mean)} ({low}-{high})"


def percent(share: float) -> str:
    """Return a share in percent."""
    return f"{100 * share:.1f}"


def costs(report: DevicePoints) -> Iterator[str]:
    """Yield what two bits less, and more, cost for each kind of cells."""
    whole = {chip.cells: at for at, chip in enumerate(report.chips) if not chip.bits_less}
    for place, chip in enumerate(report.chips):
        if chip.bits_less < SEVERAL:
            continue
        before = whole[chip.cells]
        changes = [
            f"{100 * (new.mean - old.mean):+.1f} points ({device})"
            for device in report.devices
            if (old := report.at(before, device)) and (new := report.at(place, device))
        ]
        gain = chip.gops_per_w / report.chips[before].gops_per_w - 1
        yield (
            f"- {chip.cells}, {chip.bits_less} bits less: {gain:+.0%} GOPS/W,"
            f" {', '.join(changes)}. {of_arrays(chip, report.power_w)}"
        )


def of_arrays(chip: Chip, power_w: float) -> str:
    """Return what the arrays of a chip need to lose nothing."""
    bits = f"Its arrays lose nothing with {chip.lossless_bits} bits"
    if chip.lossless_pj is None or chip.lossless_least_w is None:
        return f"{bits}, which no ADC of the table has."
    verdict = ", more than there are" if chip.lossless_least_w > power_w else ""
    return (
        f"{bits}, {chip.lossless_pj:.3g} pJ in place of {chip.adc_pj:.3g}:"
        f" {chip.lossless_least_w:g} W for one copy of the weights{verdict}."
    )


def picture(report: DevicePoints, kind: str) -> bytes:
    """Return accuracy against GOPS/W, a series for each device; kind: `svg` or `png`."""

    def draw(figure: Figure) -> None:
        axes = figure.subplots()
        for device, colour in zip(report.devices, SERIES, strict=False):
            for cells, marker in zip(("offset", "differential"), MARKERS, strict=False):
                points = [each for each in report.of(device) if chip_of(each).cells == cells]
                if not points:
                    continue
                mean = [100 * each.mean for each in points]
                low = [100 * (each.mean - each.interval[0]) for each in points]
                high = [100 * (each.interval[1] - each.mean) for each in points]
                axes.errorbar(
                    [chip_of(each).gops_per_w for each in points],
                    mean,
                    yerr=(low, high),
                    color=colour,
                    marker=marker,
                    linestyle="none",
                    capsize=3,
                    label=f"{device}, {cells}",
                )
        axes.set_xlabel("GOPS/W")
        axes.set_ylabel(f"accuracy of {report.images:,} images, %")
        axes.set_ylim(0, 100)
        axes.set_xlim(left=0)
        axes.grid()
        name_series(axes, 7, columns=2)

    def chip_of(point: Measurement) -> Chip:
        return report.chips[point.chip]

    return report_picture(kind, *SIZE, draw)
