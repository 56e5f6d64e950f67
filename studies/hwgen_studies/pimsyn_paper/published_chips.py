"""What was published of PIMSYN and of other crossbar chips."""

from dataclasses import dataclass

PEAK_TOPS_PER_W = {
    "PIMSYN": 3.07,
    "PipeLayer": 0.14,
    "ISAAC": 0.63,
    "PRIME": 0.5,
    "PUMA": 0.84,
    "Atomlayer": 0.68,
}
"""Seed 003, Table IV, 16 bit; PRIME is projected there from 8 bit."""


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


IMAGES = {
    "PIMSYN": {
        "cifar_alexnet": Image(edp_ms_mj=0.024, energy_mj=0.119, latency_ms=0.197),
        "cifar_vgg16": Image(edp_ms_mj=7.94, energy_mj=2.98, latency_ms=2.66),
        "cifar_resnet18": Image(edp_ms_mj=3.76, energy_mj=2.34, latency_ms=1.61),
    },
    "Gibbon": {
        "cifar_alexnet": Image(edp_ms_mj=0.38, energy_mj=0.38, latency_ms=0.99),
        "cifar_vgg16": Image(edp_ms_mj=17.22, energy_mj=2.68, latency_ms=6.43),
        "cifar_resnet18": Image(edp_ms_mj=4.75, energy_mj=1.33, latency_ms=3.58),
    },
}
"""Seed 003, Table V, CIFAR-10: by chip and network."""
