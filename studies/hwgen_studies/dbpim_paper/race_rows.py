"""The rows of the race: published figures beside ours, with what bounds ours."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from hwgen.dbpim.facts.arch import ACTIVATION_BITS
from hwgen.network.sparsity import PHI_LIMIT
from hwgen_studies.dbpim_paper import published
from hwgen_studies.dbpim_paper.race_energy import NO_ENERGY, NOT_PRINTED, energies, memory, savings
from hwgen_studies.dbpim_paper.race_runs import (
    BITS,
    DENSE,
    NAMES,
    SPARSE,
    WEIGHTS,
    Runs,
    against_dense,
    told,
    waits,
)
from hwgen_studies.dbpim_paper.report import RaceNetwork, RaceRow, RaceRun, race_row

ONE = 1
"""The batch of figures that the paper prints once."""
NO_AREA = "wires, clock tree and trees of buffers"
"""What no entry of the table of areas covers."""
ABOVE = "above the published time: "


def race_rows(
    runs: Sequence[RaceRun],
    networks: Sequence[RaceNetwork],
    arch: Any,
    area: Mapping[str, float] | None,
    uncertainty: float | None,
) -> list[RaceRow]:
    """Return all rows: the headlines first, then by figure and network."""
    found = Runs(
        by={(run.network, run.batch, run.switches): run for run in runs},
        networks={each.name: each for each in networks},
    )
    return [
        *headlines(found),
        *speedups(found),
        *times(found),
        *bounds(found),
        *utilizations(found),
        *energies(found),
        *memory(found),
        *chip_rows(arch, area, uncertainty),
    ]


def headlines(runs: Runs) -> Iterator[RaceRow]:
    """Yield the best of all trained networks."""
    pairs = [pair for pair in against_dense(runs, SPARSE) if runs.networks[pair[1].network].trained]
    for name, tail, chosen in (
        ("speedup_end_to_end_best", "", pairs),
        *(
            (
                f"speedup_end_to_end_best_batch_{b}",
                f", batch {b}",
                [p for p in pairs if p[1].batch == b],
            )
            for b in runs.batches
        ),
    ):
        best = max(chosen, key=lambda pair: pair[0].cycles / pair[1].cycles, default=None)
        yield race_row(
            name,
            "abstract, Fig. 12",
            label=f"best speed-up, end to end{tail}",
            published=published.SPEEDUP_BEST,
            ours=None if best is None else best[0].cycles / best[1].cycles,
            unit="x",
            reason="no trained network ran"
            if best is None
            else f"{told(best[1])}: {waits(best[1])}",
        )
    yield from savings(pairs)
    sparse = runs.get("resnet18", 1, SPARSE)
    yield race_row(
        "energy_uj_resnet18_sparse",
        "Fig. 12",
        label="energy of ResNet18, batch 1, all three"
        if sparse is None
        else f"energy of {runs.told(sparse)}",
        published=None,
        ours=None if sparse is None else sparse.total_uj,
        unit="uJ an image",
        reason=NO_ENERGY
        if sparse is None or sparse.energy_uj is None
        else f"batch 1, 45 nm; {NOT_PRINTED}",
    )


def speedups(runs: Runs) -> Iterator[RaceRow]:
    """Yield speed-up over dense by network, batch and switches: end to end, compute, Fig. 11."""
    for switches, name in NAMES.items():
        for dense, other in against_dense(runs, switches):
            tail = f"{other.network}_batch_{other.batch}_{name}"
            why = f"{NOT_PRINTED}; {waits(other)}; {runs.ran(other.network)}"
            yield race_row(
                f"speedup_end_to_end_{tail}",
                "Fig. 12",
                label=f"{runs.told(other)}: speed-up, end to end",
                published=None,
                ours=dense.cycles / other.cycles,
                unit="x",
                reason=why,
            )
            yield race_row(
                f"speedup_compute_{tail}",
                "Fig. 12",
                label=f"{runs.told(other)}: speed-up of compute cycles",
                published=None,
                ours=dense.compute_cycles / other.compute_cycles,
                unit="x",
                reason=f"load-stall cycles left out; {NOT_PRINTED}",
            )
            if switches == WEIGHTS:
                yield race_row(
                    f"speedup_conv_fc_{tail}",
                    "Fig. 11",
                    label=f"{runs.told(other)}: speed-up of conv+FC",
                    published=None,
                    ours=dense.conv_fc_cycles / other.conv_fc_cycles,
                    unit="x",
                    reason=f"std/pw-conv and FC layers alone, as there; {NOT_PRINTED}",
                )


def times(runs: Runs) -> Iterator[RaceRow]:
    """Yield the time of conv and FC layers beside Table III, and of whole networks."""
    for network in runs.networks:
        for batch in runs.batches:
            for switches, name, table in (
                (SPARSE, "hybrid", published.HYBRID_MS),
                (BITS, "bit_level", published.BIT_LEVEL_MS),
            ):
                run = runs.get(network, batch, switches)
                if run is None:
                    continue
                ours, theirs = run.conv_fc_ms, table.get(network)
                below = theirs is None or ours < theirs
                yield race_row(
                    f"conv_fc_ms_{network}_batch_{batch}_{name}",
                    "Table III",
                    label=f"{runs.told(run)}: time of conv+FC",
                    published=theirs,
                    ours=ours,
                    unit="ms an image",
                    reason=f"{ABOVE * (not below)}loading included; {waits(run)}",
                )
            for switches, name in ((DENSE, "dense"), (SPARSE, "all")):
                run = runs.get(network, batch, switches)
                if run is not None:
                    yield race_row(
                        f"time_ms_{network}_batch_{batch}_{name}",
                        "Fig. 12",
                        label=f"{runs.told(run)}: time",
                        published=None,
                        ours=run.time_ms,
                        unit="ms an image",
                        reason=f"end to end, loading included; {runs.ran(network)}",
                    )


def bounds(runs: Runs) -> Iterator[RaceRow]:
    """Yield the cycles of conv and FC layers, without waits for loads, over their bound."""
    for network in runs.networks:
        for batch in runs.batches:
            run = runs.get(network, batch, SPARSE)
            if run is not None and run.bound_cycles:
                yield race_row(
                    f"conv_fc_over_bound_{network}_batch_{batch}",
                    "not in the paper",
                    label=f"{runs.told(run)}: conv+FC over bound",
                    published=None,
                    ours=run.conv_fc_without_load_cycles / run.bound_cycles,
                    unit="x",
                    reason="bound: all macros busy all the time with full rows, at the measured bit"
                    f" planes; {waits(run)}",
                )


def utilizations(runs: Runs) -> Iterator[RaceRow]:
    """Yield the utilization of the cells beside Table II."""
    for network in runs.networks:
        for switches, name in ((SPARSE, "all"), (DENSE, "dense")):
            run = runs.get(network, ONE, switches)
            if run is None or run.utilization is None:
                continue
            yield race_row(
                f"utilization_percent_{network}_{name}",
                "Table II, Eq. 2",
                label=f"{runs.told(run)}: utilization",
                published=published.UTILIZATION_PERCENT.get(network)
                if switches == SPARSE
                else None,
                ours=100 * run.utilization,
                unit="%",
                reason="cells that hold a non-zero digit of a weight, over the cells of active"
                f" rows, summed over all cycles in which a macro computes; {runs.ran(network)}",
            )


def peak_tops(arch: Any) -> float:
    """Return multiplications and additions of dense inputs at two digits, in 10^12 a second."""
    macros = arch.cores * arch.macros_per_core
    weights = arch.macro.compartments * arch.macro.columns // PHI_LIMIT
    return float(2 * macros * weights * arch.clock_mhz / ACTIVATION_BITS / 1e6)


def chip_rows(
    arch: Any, area: Mapping[str, float] | None, uncertainty: float | None
) -> Iterator[RaceRow]:
    """Yield what Table II says of the chip."""
    yield race_row(
        "peak_tops",
        "Table II",
        label="peak",
        published=published.PEAK_TOPS,
        ours=peak_tops(arch),
        unit="TOPS",
        reason="dense inputs, phi 2, one bit plane a cycle; phi 1 in all filters would be twice"
        " this, and the published figure cannot be had with a bit plane a cycle",
    )
    if area is not None and uncertainty is not None:
        yield race_row(
            "area_mm2",
            "Table II",
            label="area",
            published=published.AREA_MM2,
            ours=sum(area.values()),
            unit="mm2",
            reason=f"ours at 45 nm, the published at 28 nm; no layout, +-{uncertainty:.0%};"
            f" without {NO_AREA}",
        )
