"""A stream of images, all of them simulated in full.

Tests: `tests/crossbar/model/test_stream.py`.
"""

from dataclasses import dataclass, replace

from golden.crossbar.ir import Dataflow, LayerFlow, Node
from hwgen.crossbar.facts.components import Scratchpad
from verif.reference.crossbar.buffers import kilobytes_of
from verif.reference.crossbar.case import Case
from verif.reference.crossbar.simulator import Simulator, Trace
from verif.reference.crossbar.steps import clashing, durations_of, periods_of


@dataclass(frozen=True, kw_only=True)
class StreamRun:
    """A stream that was simulated.

    trace: of nodes whose `cnt` goes on from image to image
    latencies: steps of each image, from when it enters
    """

    trace: Trace
    latencies: list[int]


def run_stream(
    case: Case, memory: Scratchpad, step_ns: float, *, images: int, interval: int
) -> StreamRun:
    """Simulate images of which one enters every `interval` steps."""
    simulator = Simulator(
        dataflow=repeated(case.dataflow, images),
        durations=durations_of(case, memory, step_ns),
        partner=case.choice.partner,
        clashes=clashing(case),
        rules=case.rules,
        periods=periods_of(case, memory, step_ns),
        entries={
            image * interval: [
                Node(place, image * flow.blocks, 0, 0)
                for place, flow in enumerate(case.dataflow.layers)
                if not flow.needs
            ]
            for image in range(images)
        },
    )
    trace = simulator.run()
    ends = [0] * images
    for node in trace.starts:
        image = node.cnt // case.dataflow.layers[node.layer].blocks
        ends[image] = max(ends[image], trace.end(node))
    return StreamRun(
        trace=trace,
        latencies=[end - image * interval for image, end in enumerate(ends)],
    )


def kilobytes_of_streams(
    case: Case, memory: Scratchpad, step_ns: float, *, images: int, interval: int
) -> float:
    """Return what the fullest scratchpad needs for streams of one to so many images (strict)."""
    streams = [
        run_stream(case, memory, step_ns, images=length, interval=interval)
        for length in range(1, images + 1)
    ]
    return kilobytes_of(case, *(stream.trace for stream in streams))


def repeated(dataflow: Dataflow, images: int) -> Dataflow:
    """Return the graph of many images: blocks of an image come behind those of the one before."""
    blocks = [flow.blocks for flow in dataflow.layers]

    def repeat(flow: LayerFlow) -> LayerFlow:
        needs = tuple(
            (
                provider,
                tuple(image * blocks[provider] + one for image in range(images) for one in needed),
            )
            for provider, needed in flow.needs
        )
        return replace(flow, blocks=images * flow.blocks, needs=needs)

    return replace(dataflow, layers=tuple(map(repeat, dataflow.layers)))
