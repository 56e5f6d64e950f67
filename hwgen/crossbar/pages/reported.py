"""The report of a synthesis, from what the search, the model and the files say."""

import math
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from typing import TYPE_CHECKING, Any

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import described
from hwgen.crossbar.facts.point import Point
from hwgen.crossbar.facts.rules import STREAMED, name_of
from hwgen.crossbar.facts.schedule import Schedule
from hwgen.crossbar.pages import synthesis
from hwgen.errors import ConfigError, DesignError
from hwgen.report.types import Source
from hwgen.report.writing import WritingCost

if TYPE_CHECKING:
    from hwgen.crossbar.model.breakdown import Breakdown
    from hwgen.crossbar.model.record import Confirmed
    from hwgen.crossbar.synthesis.result import Candidate, Finished, SearchResult

ROUNDING = 1e-12
"""Two sums of the same powers in another order may differ by this share."""


def synthesis_report(
    result: "SearchResult",
    found: "Finished",
    *,
    network: Source,
    components: Source,
    versions: dict[str, str],
) -> synthesis.SynthesisReport:
    """Return the report; found: what follows the search."""
    arch, schedule, breakdown = found.arch, found.schedule, found.breakdown
    facts = schedule.facts
    bound = known(result.bound_gops_per_w)
    report = synthesis.SynthesisReport(
        format="hwgen.report.synthesize",
        version=1,
        network=network,
        components=components,
        rules=name_of(result.rules),
        objective=result.objective,
        identical=result.identical,
        method=result.method,
        seed=result.seed,
        power_budget_w=float(result.power_w),
        images_per_s=1e9 / (facts.interval_steps * facts.step_ns),
        within_budget=breakdown.peak_w <= result.power_w * (1 + ROUNDING),
        **figures_of(breakdown),
        bound_gops_per_w=bound,
        gap_to_bound_percent=None if bound is None else float(result.gap_percent),
        evaluations=result.evaluations,
        exact_evaluations=result.exact_evaluations,
        boxes=result.nodes,
        refused=dict(result.refused),
        stopped_early=result.stopped_early,
        steps=facts.steps,
        step_ns=facts.step_ns,
        step_budget_w=float(result.best.budget_w),
        interval_steps=facts.interval_steps,
        stream=stream_of(breakdown, facts.step_ns, rings=result.rules.send_once),
        point=point_of(arch.point),
        chip=chip_of(arch),
        architecture_digest=arch.digest,
        schedule_digest=schedule.digest,
        layers=layers_of(arch, schedule, breakdown),
        pareto=pareto_of(result, breakdown.operations, found.confirm),
        **of_parts(breakdown, arch),
        **of_search(result),
        versions=versions,
        clock_ns=None if arch.fabric is None else arch.fabric.clock.clock_ns,
        no_verilog=verilog_refusal(arch),
    )
    if bound is None or result.objective not in STREAMED:
        return report
    # A stream that was simulated may be slower than layers and ADCs allow, which the search counts.
    return replace(report, gap_to_bound_percent=100 * (bound / report.merit - 1))


def verilog_refusal(arch: Arch) -> str | None:
    """Return why a chip cannot be written in Verilog: a layer, a wide port; None: none is known."""
    from hwgen.chip.rtl.emit import check_port_widths
    from hwgen.crossbar.rtl import make_chip

    if arch.fabric is None:  # published rules describe no hardware
        return None
    try:
        check_port_widths(make_chip(arch))
    except (ConfigError, DesignError) as error:
        return str(error)
    return None


def erring_report(
    report: synthesis.SynthesisReport, accuracy: synthesis.SynthesisAccuracy, writing: WritingCost
) -> synthesis.ErringReport:
    """Return the report of a synthesis with what accuracy costs, and the writing of its cells."""
    facts = {each.name: getattr(report, each.name) for each in fields(report)}
    return synthesis.ErringReport(**facts, accuracy=accuracy, writing=writing)


def figures_of(breakdown: "Breakdown") -> dict[str, Any]:
    """Return the figures of the whole chip."""
    return {
        "efficiency_gops_per_w": breakdown.efficiency_gops_per_w,
        "throughput_gops": breakdown.throughput_gops,
        "latency_ms": breakdown.latency_ms,
        "energy_mj": breakdown.energy_mj,
        "edp_ms_mj": breakdown.edp_ms_mj,
        "peak_power_w": breakdown.peak_w,
        "peak_efficiency_gops_per_w": breakdown.peak_efficiency_gops_per_w,
        "area_mm2": breakdown.area_mm2,
    }


def of_parts(breakdown: "Breakdown", arch: Arch) -> dict[str, Any]:
    """Return the parts of the chip, each with its figures."""
    parts = breakdown.parts
    counted = counted_mj(breakdown, arch)
    return {
        "power_by_component_w": {part.part: part.peak_w for part in parts},
        "energy_by_part_mj": {part.part: part.energy_mj for part in parts},
        "area_by_component_mm2": {part.part: part.area_mm2 for part in parts},
        "parts": [
            synthesis.SynthesisPart(**asdict(one), counted_mj=counted.get(one.part))
            for one in parts
        ],
        "audit": audit_of(breakdown),
    }


def counted_mj(breakdown: "Breakdown", arch: Arch) -> dict[str, float]:
    """Return the energy of an image by part, from counted events; empty where none is described.

    A part whose work is no event keeps what the search charges for it.
    """
    from hwgen.crossbar.model.events import PICO_OF_MILLI, parts_pj, run_events

    if arch.fabric is None:
        return {}
    spent = parts_pj(run_events(described(arch), 1), arch)
    of_work = {one.part: one.dynamic_mj for one in breakdown.parts}
    of_work |= {part: pj / PICO_OF_MILLI for part, pj in spent.items()}
    return {one.part: one.static_mj + of_work[one.part] for one in breakdown.parts}


def of_search(result: "SearchResult") -> dict[str, Any]:
    """Return how the search went."""
    return {
        "convergence": [
            synthesis.ConvergencePoint(
                evaluations=each.evaluations,
                best_gops_per_w=known(each.best_gops_per_w),
                bound_gops_per_w=known(each.bound_gops_per_w),
            )
            for each in result.convergence
        ],
        "points": [
            synthesis.OuterPoint(
                point=point_of(each.point),
                bound_gops_per_w=known(each.bound_gops_per_w),
                best_gops_per_w=known(each.best_gops_per_w),
            )
            for each in result.points
        ],
    }


def known(efficiency: float) -> float | None:
    """Return an efficiency, or None where none is known or none is bounded."""
    return float(efficiency) if 0 < efficiency < float("inf") else None


def point_of(point: Point) -> synthesis.SynthesisPoint:
    """Return a combination of the outer loop."""
    return synthesis.SynthesisPoint(
        rram_ratio=point.rram_ratio,
        cell_bits=point.cell_bits,
        side=point.side,
        dac_bits=point.dac_bits,
        adc_bits=point.adc_bits,
        cells=point.cells,
    )


def chip_of(arch: Arch) -> synthesis.SynthesisChip:
    """Return the chip as a whole."""
    return synthesis.SynthesisChip(
        macros=arch.mesh.macros,
        mesh_rows=arch.mesh.rows,
        mesh_columns=arch.mesh.columns,
        crossbars=sum(layer.mapping.crossbars for layer in arch.layers),
        scratchpad_kilobytes=arch.scratchpad.kilobytes,
    )


def layers_of(
    arch: Arch, schedule: Schedule, breakdown: "Breakdown"
) -> list[synthesis.SynthesisLayer]:
    """Return a row for each layer."""
    rows = []
    for place, layer in enumerate(arch.layers):
        own = [each for each in schedule.facts.operations if each.layer == place]
        slowest = max(each.busy * each.blocks for each in own)
        partner = layer.place.partner
        rows.append(
            synthesis.SynthesisLayer(
                name=layer.name,
                kind=layer.kind,
                copies=layer.mapping.copies,
                blocks=layer.mapping.blocks,
                crossbars=layer.mapping.crossbars,
                adc=layer.counts.adc,
                dac=layer.counts.dac,
                first_macro=layer.place.first_macro,
                macros=layer.place.macros,
                partner=None if partner is None else arch.layers[partner].name,
                clocks_per_bit=layer.mapping.clocks_per_bit,
                peak_w=sum(item.peak_w for item in breakdown.items if item.layer == layer.name),
                start_step=int(schedule.starts_of(own[0])[0]),
                end_step=int(schedule.starts_of(own[-1])[-1]) + own[-1].busy,
                busy=min(1.0, slowest / schedule.facts.interval_steps),
            )
        )
    return rows


def audit_of(breakdown: "Breakdown") -> list[synthesis.AuditRow]:
    """Return every item of the chip."""
    return [
        synthesis.AuditRow(
            layer=item.layer,
            part=item.part,
            count=item.count,
            unit_peak_w=item.unit_peak_w,
            peak_w=item.peak_w,
        )
        for item in breakdown.items
    ]


def stream_of(breakdown: "Breakdown", step_ns: float, *, rings: bool) -> synthesis.SynthesisStream:
    """Return what was seen of a stream."""
    stream = breakdown.stream
    # Static power counts from image to image, not for all the steps that one image is there.
    share = int(stream.interval) * step_ns / 1e6 / breakdown.latency_ms
    energy_mj = math.fsum(part.static_mj * share + part.dynamic_mj for part in breakdown.parts)
    return synthesis.SynthesisStream(
        images=int(stream.images),
        least_interval_steps=breakdown.least_interval,
        latency_ms=int(stream.latency) * step_ns / 1e6,
        energy_mj=energy_mj,
        efficiency_gops_per_w=breakdown.operations / (energy_mj * 1e6),
        scratchpad_kilobytes=float(stream.kilobytes) if rings else None,
    )


APART, MOST_STREAMS = 1.02, 6
"""How much faster than the last one a design on the front is at least, and how many are tried."""


def pareto_of(
    result: "SearchResult", operations: float, confirm: "Callable[[Candidate], Confirmed]"
) -> list[synthesis.ParetoPoint]:
    """Return all designs that were confirmed, the most efficient first.

    A stream is simulated only of what may be on the front, `APART` from those before it, and of no
    more than `MOST_STREAMS` designs.
    """

    def at_most(candidate: "Candidate") -> float:
        return operations / (candidate.interval_steps * candidate.step_ns)

    def efficiency(candidate: "Candidate") -> float:
        if result.objective == "image":
            return candidate.efficiency_gops_per_w
        return operations / candidate.energy_nj

    ordered = sorted(result.candidates, key=lambda each: (-efficiency(each), -at_most(each)))
    fastest, tried = 0.0, 0
    found = []
    for each in ordered:
        gops, on_front = at_most(each), False
        if gops > fastest * APART and tried < MOST_STREAMS:
            tried += 1
            confirmed = confirm(each)
            if fastest == 0 or confirmed.reaches(fastest):
                gops = confirmed.throughput_gops
                on_front = bool(gops > fastest)
                fastest = max(fastest, gops)
        found.append(
            synthesis.ParetoPoint(
                efficiency_gops_per_w=efficiency(each),
                throughput_gops=gops,
                latency_ms=each.steps * each.step_ns / 1e6,
                peak_power_w=each.peak_w,
                point=point_of(each.point),
                on_front=on_front,
            )
        )
    return found
