"""The figures that PIMSYN's authors published, as data (seed 003, section V, and their code).

Bars of Figs. 6 to 9 carry no numbers; what the text says of them is here. The paper names neither
the power budgets nor the designs behind its figures.
"""

from dataclasses import dataclass

from hwgen_studies.numbers import value_of
from hwgen_studies.pimsyn_paper.published_chips import IMAGES, Image

IMAGENET = ("alexnet", "vgg13", "vgg16", "msra", "resnet18")
CIFAR = ("cifar_alexnet", "cifar_vgg16", "cifar_resnet18")

CODE_POWER_W = 49.0
"""The budget in the README of the public code."""

SPACE_DECADES = {"vgg13": value_of("003.space")}
"""Section III: the design space has up to 10^27 designs for VGG13; no budget is said."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """One parameter of the evaluation; least and most of what is explored are two of them.

    paper: Table III; code: the public code, None where it has none
    """

    name: str
    unit: str
    paper: float
    code: float | None


PARAMETERS = (
    Parameter(
        name="scratchpad, least capacity",
        unit="KB",
        paper=value_of("003.table3.edram.size"),
        code=64,
    ),
    Parameter(
        name="scratchpad, bus", unit="bit", paper=value_of("003.table3.edram.bus"), code=1024
    ),
    Parameter(
        name="scratchpad, power of 64 KB",
        unit="mW",
        paper=value_of("003.table3.edram.power"),
        code=13.6025,
    ),
    Parameter(
        name="network on chip, flit", unit="bit", paper=value_of("003.table3.noc.flit"), code=64
    ),
    Parameter(
        name="network on chip, ports",
        unit="ports",
        paper=value_of("003.table3.noc.ports"),
        code=None,
    ),
    Parameter(
        name="network on chip, power", unit="mW", paper=value_of("003.table3.noc.power"), code=104
    ),
    Parameter(
        name="crossbar, least side",
        unit="cells",
        paper=value_of("003.table3.crossbar.least"),
        code=128,
    ),
    Parameter(
        name="crossbar, most side",
        unit="cells",
        paper=value_of("003.table3.crossbar.most"),
        code=512,
    ),
    Parameter(
        name="crossbar, least power",
        unit="mW",
        paper=value_of("003.table3.crossbar.power.least"),
        code=0.3,
    ),
    Parameter(
        name="crossbar, most power",
        unit="mW",
        paper=value_of("003.table3.crossbar.power.most"),
        code=4.8,
    ),
    Parameter(
        name="cell, least precision", unit="bit", paper=value_of("003.table3.cell.least"), code=1
    ),
    Parameter(
        name="cell, most precision", unit="bit", paper=value_of("003.table3.cell.most"), code=4
    ),
    Parameter(
        name="DAC, least resolution", unit="bit", paper=value_of("003.table3.dac.least"), code=1
    ),
    Parameter(
        name="DAC, most resolution", unit="bit", paper=value_of("003.table3.dac.most"), code=4
    ),
    Parameter(
        name="DAC, least power", unit="uW", paper=value_of("003.table3.dac.power.least"), code=3.9
    ),
    Parameter(
        name="DAC, most power", unit="uW", paper=value_of("003.table3.dac.power.most"), code=31.2
    ),
    Parameter(
        name="ADC, least resolution", unit="bit", paper=value_of("003.table3.adc.least"), code=4
    ),
    Parameter(
        name="ADC, most resolution", unit="bit", paper=value_of("003.table3.adc.most"), code=14
    ),
    Parameter(
        name="ADC, least power", unit="mW", paper=value_of("003.table3.adc.power.least"), code=0.126
    ),
    Parameter(
        name="ADC, most power", unit="mW", paper=value_of("003.table3.adc.power.most"), code=300
    ),
)
"""Table III, and the constants of the public code; powers are peaks, that of the code's scratchpad
its leakage."""


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """How many times better one thing is than another; None where the text does not say."""

    least: float | None
    mean: float
    most: float | None


OVER_ISAAC = {
    what: Ratio(
        least=value_of(f"003.fig6.{what}.least"),
        mean=value_of(f"003.fig6.{what}.mean"),
        most=value_of(f"003.fig6.{what}.most"),
    )
    for what in ("efficiency", "throughput")
}
"""Fig. 6 and section V-A."""


GIBBON, PIMSYN = IMAGES["Gibbon"], IMAGES["PIMSYN"]
"""Table V, CIFAR-10."""


def hundred(who: str) -> dict[str, Image]:
    """Return Table V of CIFAR-100."""
    return {
        name: Image(
            edp_ms_mj=value_of(f"{start}.edp.cifar-100"),
            energy_mj=value_of(f"{start}.energy.cifar-100"),
            latency_ms=value_of(f"{start}.latency.cifar-100"),
        )
        for name in CIFAR
        for start in [f"003.table5.{name.removeprefix('cifar_')}.{who}"]
    }


GIBBON_100, PIMSYN_100 = hundred("gibbon"), hundred("pimsyn")
"""Table V, CIFAR-100."""


@dataclass(frozen=True, kw_only=True)
class Gain:
    """An ablation: what a feature adds, as a mean over the five networks.

    figure: of the paper; feature: in words
    efficiency, throughput: with the feature over without it; None: only in words
    """

    figure: str
    feature: str
    efficiency: float | None
    throughput: float | None


def gained(name: str) -> float:
    """Return a ratio whose gain is printed in per cent."""
    return 1 + value_of(f"003.{name}") / 100


GAINS = {
    "proportional": Gain(
        figure="Fig. 7",
        feature="annealed / proportional copies",
        efficiency=gained("fig7.efficiency"),
        throughput=gained("fig7.throughput"),
    ),
    "none": Gain(
        figure="Fig. 7",
        feature="annealed / single copies",
        efficiency=None,
        throughput=None,
    ),
    "identical": Gain(
        figure="Fig. 8",
        feature="specialized / identical macros",
        efficiency=gained("fig8.efficiency"),
        throughput=gained("fig8.throughput"),
    ),
    "unshared": Gain(
        figure="Fig. 9",
        feature="macros shared / not",
        efficiency=gained("fig9.efficiency"),
        throughput=gained("fig9.throughput"),
    ),
}
"""Figs. 7 to 9, by what is taken away. No duplication: `tens of times lower`, says section V-C."""

CODE_GOPS_PER_W = {
    "alexnet": (("public code, as shipped", 572.3), ("public code, run again", 664.0)),
    "resnet18": (("public code, as shipped", 349.0),),
    "vgg16": (("public code, a short run", 189.7),),
}
"""Efficiency at 49 W. The shipped AlexNet has a peak power of 78.1 W, audited."""

SYNTHESIS_HOURS = value_of("003.hours")
"""Section V: about."""
