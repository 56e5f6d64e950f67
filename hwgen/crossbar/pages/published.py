"""The figures that PIMSYN's authors published, as data (seed 003, section V, and their code).

Bars of Figs. 6 to 9 carry no numbers; what the text says of them is here. The paper names neither
the power budgets nor the designs behind its figures.
"""

from dataclasses import dataclass

IMAGENET = ("alexnet", "vgg13", "vgg16", "msra", "resnet18")
CIFAR = ("cifar_alexnet", "cifar_vgg16", "cifar_resnet18")

CODE_POWER_W = 49.0
"""The budget in the README of the public code."""

PEAK_TOPS_PER_W = {
    "pimsyn": 3.07,
    "pipelayer": 0.14,
    "isaac": 0.63,
    "prime": 0.5,
    "puma": 0.84,
    "atomlayer": 0.68,
}
"""Table IV, 16 bit; PRIME is projected there from 8 bit."""


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


@dataclass(frozen=True, kw_only=True)
class Image:
    """What one image costs."""

    edp_ms_mj: float
    energy_mj: float
    latency_ms: float

    @property
    def mean_w(self) -> float:
        """Energy over latency."""
        return self.energy_mj / self.latency_ms


GIBBON = {
    "cifar_alexnet": Image(edp_ms_mj=0.38, energy_mj=0.38, latency_ms=0.99),
    "cifar_vgg16": Image(edp_ms_mj=17.22, energy_mj=2.68, latency_ms=6.43),
    "cifar_resnet18": Image(edp_ms_mj=4.75, energy_mj=1.33, latency_ms=3.58),
}
PIMSYN = {
    "cifar_alexnet": Image(edp_ms_mj=0.024, energy_mj=0.119, latency_ms=0.197),
    "cifar_vgg16": Image(edp_ms_mj=7.94, energy_mj=2.98, latency_ms=2.66),
    "cifar_resnet18": Image(edp_ms_mj=3.76, energy_mj=2.34, latency_ms=1.61),
}
"""Table V, CIFAR-10; the figures of CIFAR-100 differ by less than 1 %."""


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
