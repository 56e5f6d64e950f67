"""Widths: how many channels each map has in each mode, and which maps share one channel order.

A mode uses the first channels of every map. Maps that are added, and maps of which one is made
from the other channel by channel, belong to one stream: they have one count a mode and one order.
A shortcut's stream begins with the channels of the stream that it subsamples.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hwgen.errors import ConfigError
from hwgen.network import INPUT
from hwgen.network.widths import channels_at
from hwgen.train.plans.plan import Node, Plan

OPS = ("conv", "linear", "max_pool", "average_pool", "add", "shortcut")
"""What a channel-adaptive network may consist of."""


@dataclass(frozen=True, kw_only=True)
class WidthTable:
    """Channels of each map (the image under `input`) by mode.

    modes: names, the widest first
    """

    modes: tuple[str, ...]
    channels: Mapping[str, tuple[int, ...]]

    def of(self, name: str, mode: int) -> int:
        """Return the channels of a map in a mode."""
        return self.channels[name][mode]


def mode_name(width: float) -> str:
    """Return the name of the mode of one width for all layers, such as `0.25x`."""
    return f"{width:.2f}".rstrip("0").ljust(3, "0") + "x"


def check_plan(plan: Plan) -> None:
    """Refuse a network with operations that have no channel-adaptive form here."""
    for node in plan.nodes:
        if node.op not in OPS or node.groups > 1:
            given = node.op if node.groups == 1 else f"{node.groups} groups"
            raise ConfigError(
                field=f"{plan.name}.{node.name}",
                allowed=f"one of {', '.join(OPS)}, without groups",
                given=given,
                source="recipe",
            )


def streams(plan: Plan) -> dict[str, str]:
    """Return for every map the first map of its stream."""
    first = {INPUT: INPUT}
    for node in plan.nodes:
        first[node.name] = node.name
        match node.op:
            case "max_pool" | "average_pool":
                merge(first, node.inputs[0], node.name)
            case "add":
                merge(first, *node.inputs)
                merge(first, node.inputs[0], node.name)
            case _:
                pass
    return first


def merge(first: dict[str, str], a: str, b: str) -> None:
    """Make one stream of the streams of two maps; the earlier one names it."""
    keep, drop = sorted((first[a], first[b]), key=list(first).index)
    for name, stream in first.items():
        if stream == drop:
            first[name] = keep


def free_streams(plan: Plan) -> list[str]:
    """Return the streams whose channels a mode may choose: all but the image's and the answer's."""
    first = streams(plan)
    fixed = (first[INPUT], first[plan.nodes[-1].name])
    return [name for name in dict.fromkeys(first.values()) if name not in fixed]


def extensions(plan: Plan) -> list[tuple[str, str]]:
    """Return (narrower, wider) stream of every shortcut, in order."""
    first = streams(plan)
    return [
        (first[node.inputs[0]], first[node.name]) for node in plan.nodes if node.op == "shortcut"
    ]


def uniform(plan: Plan, widths: Sequence[float]) -> WidthTable:
    """Return the table of sub-nets that have the same share of channels in every layer."""
    free = free_streams(plan)
    counts = [
        {stream: channels_at(plan.channels(stream), width) for stream in free} for width in widths
    ]
    return table_of(plan, dict(zip(map(mode_name, widths), counts, strict=True)))


def table_of(plan: Plan, modes: Mapping[str, Mapping[str, int]]) -> WidthTable:
    """Return the table with the channels of every free stream in each mode, the widest first."""
    check_plan(plan)
    first = streams(plan)
    channels = {
        name: tuple(counts.get(first[name], plan.channels(name)) for counts in modes.values())
        for name in (INPUT, *(node.name for node in plan.nodes))
    }
    return WidthTable(modes=tuple(modes), channels=channels)


def narrowed(plan: Plan, table: WidthTable, mode: int) -> tuple[Plan, WidthTable]:
    """Return a mode as a network of its own, and its table with that one mode."""
    nodes = tuple(replace(node, channels=table.of(node.name, mode)) for node in plan.nodes)
    channels = {name: (counts[mode],) for name, counts in table.channels.items()}
    alone = WidthTable(modes=(table.modes[mode],), channels=channels)
    return replace(plan, nodes=nodes), alone


def given_table(plan: Plan, modes: Mapping[str, Mapping[str, int]]) -> WidthTable:
    """Return the table of the whole network and of modes with given channels of each stream."""
    most = {name: plan.channels(name) for name in free_streams(plan)}
    for mode, counts in modes.items():
        if counts.keys() != most.keys():
            raise ConfigError(
                field=f"selection.modes.{mode}",
                allowed=f"channels for each of {', '.join(most)}",
                given=", ".join(counts) or "none",
                source="recipe",
            )
        for name, count in counts.items():
            if not 1 <= count <= most[name]:
                raise ConfigError(
                    field=f"selection.modes.{mode}.{name}",
                    allowed=f"from 1 to {most[name]}",
                    given=count,
                    source="recipe",
                )
    return table_of(plan, {mode_name(1.0): most, **modes})


def macs(plan: Plan, table: WidthTable, mode: int) -> int:
    """Return the multiplications of one image in a mode."""
    return sum(node_macs(plan, node, table, mode) for node in plan.weighted)


def node_macs(plan: Plan, node: Node, table: WidthTable, mode: int) -> int:
    """Return the multiplications of one layer with weights in a mode."""
    height, width, _ = plan.shapes[node.name]
    inputs, outputs = table.of(node.inputs[0], mode), table.of(node.name, mode)
    return height * width * node.kernel**2 * inputs * outputs
