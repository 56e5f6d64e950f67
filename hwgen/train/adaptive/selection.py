"""Non-uniform sub-nets (seed 004): as many channels a layer as its norms ask for, at a given cost.

Greedy: from the channels of the wider mode, the cut is made that loses the least importance for
the cost that it saves, until the budget holds; then what the budget still allows is given back.
On a staircase a cut goes down to the next step, and a step is filled.
"""

from collections.abc import Mapping

from torch import Tensor

from hwgen.errors import ConfigError
from hwgen.train.adaptive.order import kept_first_orders
from hwgen.train.adaptive.staircase import Cost
from hwgen.train.adaptive.widths import free_streams, streams, table_of
from hwgen.train.plans.plan import Plan

Counts = dict[str, int]
"""Channels of each free stream."""


def gains(plan: Plan, importance: Mapping[str, Tensor]) -> dict[str, list[float]]:
    """Return the gain of each channel in kept-first order.

    The channels of a stream together gain as much as the stream has layers that make it.
    """
    first = streams(plan)
    layers = {name: sum(first[node.name] == name for node in plan.weighted) for name in importance}
    orders = kept_first_orders(plan, dict(importance))
    return {
        name: (values[orders[name]] / values.sum() * layers[name]).tolist()
        for name, values in importance.items()
    }


def choose_counts(
    plan: Plan, importance: Mapping[str, Tensor], cost: Cost, budget: int, *, most: Counts
) -> Counts:
    """Return the channels of a mode that costs at most `budget`.

    importance: of the channels of each free stream; most: channels of the next wider mode
    """
    worth = gains(plan, importance)

    def price(counts: Counts) -> int:
        return cost(table_of(plan, {"mode": counts}), 0)

    counts = dict(most)
    while (now := price(counts)) > budget:
        cuts = [cut for name in counts if (cut := next_cut(counts, name, price, now))]
        if not cuts:
            raise ConfigError(
                field="selection",
                allowed=f"a cost that one channel a layer does not exceed ({now})",
                given=budget,
                source=f"recipe of {plan.name}",
            )
        name, fewer, _ = min(
            cuts, key=lambda cut: sum(worth[cut[0]][cut[1] : counts[cut[0]]]) / cut[2]
        )
        counts[name] = fewer
    return filled(counts, worth, price, budget, most)


def next_cut(counts: Counts, name: str, price: object, now: int) -> tuple[str, int, int] | None:
    """Return the largest lower count of a stream that saves cost, and what it saves."""
    assert callable(price)
    for fewer in range(counts[name] - 1, 0, -1):
        saved = now - price({**counts, name: fewer})
        if saved > 0:
            return name, fewer, saved
    return None


def filled(
    counts: Counts, worth: Mapping[str, list[float]], price: object, budget: int, most: Counts
) -> Counts:
    """Return the counts with all channels that the budget still allows, the best ones first."""
    assert callable(price)
    counts = dict(counts)
    while True:
        more = [
            name
            for name in counts
            if counts[name] < most[name] and price({**counts, name: counts[name] + 1}) <= budget
        ]
        if not more:
            return counts
        best = max(more, key=lambda name: worth[name][counts[name]])
        counts[best] += 1


def all_channels(plan: Plan) -> Counts:
    """Return the channels of the widest mode."""
    return {name: plan.channels(name) for name in free_streams(plan)}
