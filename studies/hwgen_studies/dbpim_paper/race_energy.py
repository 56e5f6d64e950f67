"""Rows of the race about energy and traffic."""

from collections.abc import Iterator, Sequence

from hwgen_studies.dbpim_paper import published
from hwgen_studies.dbpim_paper.race_runs import (
    DENSE,
    NAMES,
    SPARSE,
    Runs,
    against_dense,
    saving,
    told,
)
from hwgen_studies.dbpim_paper.report import RaceRow, RaceRun, race_row

NOT_PRINTED = "the paper draws this without numbers"
NO_ENERGY = "without an energy model"
NOT_REACHED = (
    "not reached: work falls less than cycles. Ones to add fall to 1/4, accumulations to 0.32,"
    " words read to 1/4, bits of weights and metadata to 1/2; only what every cycle costs falls as"
    " cycles do. The dense chip has the same trees and post-processing units; against one with"
    " those as first written the figure would be higher"
)
WITHOUT_SWITCH = (
    "the dense chip without switch and with queues of two groups, which it does not need"
)


def savings(pairs: Sequence[tuple[RaceRun, RaceRun]]) -> Iterator[RaceRow]:
    """Yield the best energy saving, and the best against the strict dense chip."""
    for name, tail, strict in (
        ("energy_saving_percent_best", "", False),
        ("energy_saving_percent_best_strict", ", strict", True),
    ):
        known = [
            (value, pair) for pair in pairs if (value := saving(*pair, strict=strict)) is not None
        ]
        best = max(known, key=lambda each: each[0], default=None)
        reason = NO_ENERGY if pairs else "no trained network ran"
        if best is not None:
            reached = best[0] >= published.ENERGY_SAVING_BEST_PERCENT
            reason = f"{told(best[1][1])}; {'reached' if reached else NOT_REACHED}"
            reason += f"; {WITHOUT_SWITCH}" if strict else ""
        yield race_row(
            name,
            "abstract, Fig. 12",
            label=f"best saving of energy{tail}",
            published=published.ENERGY_SAVING_BEST_PERCENT,
            ours=None if best is None else best[0],
            unit="%",
            reason=reason,
        )


def energies(runs: Runs) -> Iterator[RaceRow]:
    """Yield energy by network, batch and switches, and what is saved."""
    for network in runs.networks:
        for batch in runs.batches:
            for switches, name in ((DENSE, "dense"), *NAMES.items()):
                run = runs.get(network, batch, switches)
                if run is None or run.total_uj is None:
                    continue
                span = run.energy_range_uj
                yield race_row(
                    f"energy_uj_{network}_batch_{batch}_{name}",
                    "Fig. 12",
                    label=f"{runs.told(run)}: energy",
                    published=None,
                    ours=run.total_uj,
                    unit="uJ an image",
                    reason="on chip at 45 nm, with equal care in both chips"
                    + (
                        ""
                        if span is None
                        else f"; wires and control varied: {span[0]:.4g} to {span[1]:.4g}"
                    ),
                )
    for dense, sparse in against_dense(runs, SPARSE):
        for name, tail, strict in (
            ("energy_saving_percent", "", False),
            ("energy_saving_percent_strict", ", strict", True),
        ):
            value = saving(dense, sparse, strict=strict)
            if value is not None:
                yield race_row(
                    f"{name}_{sparse.network}_batch_{sparse.batch}",
                    "Fig. 12",
                    label=f"{runs.told(sparse)}: saving of energy{tail}",
                    published=None,
                    ours=value,
                    unit="%",
                    reason=f"{WITHOUT_SWITCH}; {NOT_PRINTED}" if strict else NOT_PRINTED,
                )


def memory(runs: Runs) -> Iterator[RaceRow]:
    """Yield the bytes that cross the memory port."""
    for network in runs.networks:
        for batch in runs.batches:
            for switches, name in ((DENSE, "dense"), (SPARSE, "all")):
                run = runs.get(network, batch, switches)
                if run is not None and run.memory_bytes is not None:
                    yield race_row(
                        f"memory_bytes_{network}_batch_{batch}_{name}",
                        "not in the paper",
                        label=f"{runs.told(run)}: bytes of the memory port",
                        published=None,
                        ours=run.memory_bytes,
                        unit="bytes an image",
                        reason="program, weights, images, spilled maps and answers",
                    )
