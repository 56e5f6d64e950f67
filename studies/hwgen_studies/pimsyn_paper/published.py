"""The figures that PIMSYN's authors published, as data (seed 003, section V, and their code).

Bars of Figs. 6 to 9 carry no numbers; what the text says of them is here. The paper names neither
the power budgets nor the designs behind its figures.
"""

from dataclasses import dataclass

from hwgen_studies.pimsyn_paper.published_chips import IMAGES, Image

IMAGENET = ("alexnet", "vgg13", "vgg16", "msra", "resnet18")
CIFAR = ("cifar_alexnet", "cifar_vgg16", "cifar_resnet18")

CODE_POWER_W = 49.0
"""The budget in the README of the public code."""

SPACE_DECADES = {"vgg13": 27.0}
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
    Parameter(name="scratchpad, least capacity", unit="KB", paper=64, code=64),
    Parameter(name="scratchpad, bus", unit="bit", paper=256, code=1024),
    Parameter(name="scratchpad, power of 64 KB", unit="mW", paper=20.7, code=13.6025),
    Parameter(name="network on chip, flit", unit="bit", paper=32, code=64),
    Parameter(name="network on chip, ports", unit="ports", paper=8, code=None),
    Parameter(name="network on chip, power", unit="mW", paper=42, code=104),
    Parameter(name="crossbar, least side", unit="cells", paper=128, code=128),
    Parameter(name="crossbar, most side", unit="cells", paper=512, code=512),
    Parameter(name="crossbar, least power", unit="mW", paper=0.3, code=0.3),
    Parameter(name="crossbar, most power", unit="mW", paper=4.8, code=4.8),
    Parameter(name="cell, least precision", unit="bit", paper=1, code=1),
    Parameter(name="cell, most precision", unit="bit", paper=4, code=4),
    Parameter(name="DAC, least resolution", unit="bit", paper=1, code=1),
    Parameter(name="DAC, most resolution", unit="bit", paper=4, code=4),
    Parameter(name="DAC, least power", unit="uW", paper=4, code=3.9),
    Parameter(name="DAC, most power", unit="uW", paper=30, code=31.2),
    Parameter(name="ADC, least resolution", unit="bit", paper=7, code=4),
    Parameter(name="ADC, most resolution", unit="bit", paper=14, code=14),
    Parameter(name="ADC, least power", unit="mW", paper=2, code=0.126),
    Parameter(name="ADC, most power", unit="mW", paper=54, code=300),
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
    "efficiency": Ratio(least=1.4, mean=3.9, most=5.8),
    "throughput": Ratio(least=2.3, mean=3.4, most=6.45),
}
"""Fig. 6 and section V-A."""


GIBBON, PIMSYN = IMAGES["Gibbon"], IMAGES["PIMSYN"]
"""Table V, CIFAR-10."""

GIBBON_100 = {
    "cifar_alexnet": Image(edp_ms_mj=0.38, energy_mj=0.38, latency_ms=0.99),
    "cifar_vgg16": Image(edp_ms_mj=17.25, energy_mj=2.68, latency_ms=6.44),
    "cifar_resnet18": Image(edp_ms_mj=4.76, energy_mj=1.33, latency_ms=3.58),
}
PIMSYN_100 = {
    "cifar_alexnet": Image(edp_ms_mj=0.024, energy_mj=0.119, latency_ms=0.197),
    "cifar_vgg16": Image(edp_ms_mj=7.95, energy_mj=2.99, latency_ms=2.66),
    "cifar_resnet18": Image(edp_ms_mj=3.78, energy_mj=2.35, latency_ms=1.61),
}
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


GAINS = {
    "proportional": Gain(
        figure="Fig. 7",
        feature="annealed / proportional copies",
        efficiency=1.19,
        throughput=1.27,
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
        efficiency=1.13,
        throughput=1.31,
    ),
    "unshared": Gain(
        figure="Fig. 9",
        feature="macros shared / not",
        efficiency=1.08,
        throughput=1.15,
    ),
}
"""Figs. 7 to 9, by what is taken away. No duplication: `tens of times lower`, says section V-C."""

CODE_GOPS_PER_W = {
    "alexnet": (("public code, as shipped", 572.3), ("public code, run again", 664.0)),
    "resnet18": (("public code, as shipped", 349.0),),
    "vgg16": (("public code, a short run", 189.7),),
}
"""Efficiency at 49 W. The shipped AlexNet has a peak power of 78.1 W, audited."""

SYNTHESIS_HOURS = 4.0
"""Section V: about."""
