"""The runs of the race by network, batch and switches, and what they are compared by."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from hwgen_studies.dbpim_paper import published
from hwgen_studies.dbpim_paper.report import RaceNetwork, RaceRun

DENSE, SPARSE, WEIGHTS, BITS = "none", "all", "weight_values,weight_bits", "weight_bits,input_bits"
NAMES = {
    "weight_values": "weight_values",
    "weight_bits": "weight_bits",
    "input_bits": "input_bits",
    WEIGHTS: "weights",
    BITS: "bit_level",
    SPARSE: "all",
}
"""Choices of switches as they stand in the names of figures."""
IN_WORDS = {
    DENSE: "dense",
    "weight_values": "weight values",
    "weight_bits": "weight bits",
    "input_bits": "input bits",
    WEIGHTS: "both of weights",
    BITS: "bit level",
    SPARSE: "all three",
}
"""The same for people."""
WAITS = (
    "load",
    "port",
    "write_bus",
    "output",
    "switch",
    "queue",
    "imbalance",
    "row_write",
    "simd",
    "pipeline",
)
MOST_WAITS = 3


@dataclass(frozen=True, kw_only=True)
class Runs:
    """All runs, by network, batch and switches."""

    by: Mapping[tuple[str, int, str], RaceRun]
    networks: Mapping[str, RaceNetwork]

    def get(self, network: str, batch: int, switches: str) -> RaceRun | None:
        """Return a run; None: the chip refused it."""
        return self.by.get((network, batch, switches))

    def told(self, run: RaceRun) -> str:
        """Return network, batch and switches of a run for people, and that it is not trained."""
        return told(run) + ("" if self.networks[run.network].trained else ", not trained")

    @property
    def batches(self) -> list[int]:
        """All batches, the smallest first."""
        return sorted({batch for _, batch, _ in self.by})

    def ran(self, network: str) -> str:
        """Return what a network and its images are, in words."""
        about = self.networks[network]
        planes = "" if about.bit_planes is None else f", {about.bit_planes:.2f} bit planes a group"
        return f"{about.weights}; {about.images}{planes}"


def told(run: RaceRun) -> str:
    """Return network, batch and switches of a run for people."""
    network = published.TITLES.get(run.network, run.network)
    return f"{network}, batch {run.batch}, {IN_WORDS[run.switches]}"


def against_dense(runs: Runs, switches: str) -> Iterator[tuple[RaceRun, RaceRun]]:
    """Yield the dense run and the other one of each network and batch."""
    for network in runs.networks:
        for batch in runs.batches:
            dense, other = runs.get(network, batch, DENSE), runs.get(network, batch, switches)
            if dense is not None and other is not None:
                yield dense, other


def saving(dense: RaceRun, sparse: RaceRun, *, strict: bool = False) -> float | None:
    """Return the energy that is saved, in percent; strict: over the strict dense chip."""
    whole = dense.strict_energy_uj if strict else dense.total_uj
    if whole is None or sparse.total_uj is None:
        return None
    return 100 * (1 - sparse.total_uj / whole)


def waits(run: RaceRun) -> str:
    """Return the largest waits of a run, in percent of its cycles."""
    shares = {name: 100 * run.causes.get(name, 0.0) / run.cycles for name in WAITS}
    largest = sorted(shares.items(), key=lambda item: -item[1])[:MOST_WAITS]
    return "cells wait for " + ", ".join(
        f"{name.replace('_', ' ')} {share:.1f} %" for name, share in largest if share >= 0.05
    )
