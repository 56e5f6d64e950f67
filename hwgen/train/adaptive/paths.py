"""Where the channels of the modes come from: uniform, given, or by norm on one or many paths."""

from dataclasses import replace

import torch
from torch import Tensor

from hwgen.train.adaptive.order import importance, kept_first_orders, reorder
from hwgen.train.adaptive.recipe import ByNorm, Given, Uniform
from hwgen.train.adaptive.run import AdaptiveRun
from hwgen.train.adaptive.selection import Counts, all_channels, choose_counts
from hwgen.train.adaptive.staircase import Cost, cycles_cost, load_staircase, macs_cost
from hwgen.train.adaptive.widths import WidthTable, given_table, table_of, uniform
from hwgen.train.network import Network

Importance = dict[str, Tensor]


def chosen_table(run: AdaptiveRun, base: Network) -> WidthTable:
    """Return the width table of the recipe, and bring the channels of `base` in its order."""
    selection = run.recipe.selection
    seen = [importance(base)]
    match selection:
        case Uniform():
            table = uniform(run.plan, run.recipe.widths)
        case Given():
            table = given_table(run.plan, selection.modes)
        case ByNorm():
            cost = cost_of(run)
            table, seen = by_norm(run, base, selection, cost)
    # A channel that many modes ask for, and strongly, comes first.
    total = {name: torch.stack([one[name] for one in seen]).sum(0) for name in seen[0]}
    reorder(base, kept_first_orders(run.plan, total))
    return table


def cost_of(run: AdaptiveRun) -> Cost:
    """Return what a mode costs by the recipe."""
    if run.staircase_path is None:
        return macs_cost(run.plan)
    return cycles_cost(run.plan, load_staircase(run.staircase_path))


def by_norm(
    run: AdaptiveRun, base: Network, selection: ByNorm, cost: Cost
) -> tuple[WidthTable, list[Importance]]:
    """Return a table whose modes cost at most as much as the uniform ones, and the norms."""
    seen = list(norms_by_mode(run, base, selection))
    even = uniform(run.plan, run.recipe.widths)
    modes: dict[str, Counts] = {run.recipe.modes[0]: all_channels(run.plan)}
    for mode, norms in enumerate(seen, start=1):
        most = modes[run.recipe.modes[mode - 1]]
        modes[run.recipe.modes[mode]] = choose_counts(
            run.plan, norms, cost, cost(even, mode), most=most
        )
    return table_of(run.plan, modes), seen


def norms_by_mode(run: AdaptiveRun, base: Network, selection: ByNorm) -> list[Importance]:
    """Return the importance of all channels that each mode but the widest is chosen by."""
    modes = run.recipe.modes[1:]
    phase, single = selection.phase, selection.path == "single"
    if single:
        phase = replace(phase, epochs=-(-phase.epochs // len(modes)))
    run.penalty = selection.penalty
    network, seen = copy_of(run, base), []
    for mode in modes:
        run.phase(f"select_{mode}", network, phase)
        seen.append(normalized(importance(network)))
        if not single:
            network = copy_of(run, base)
    run.penalty = 0.0
    return seen


def normalized(values: Importance) -> Importance:
    """Return the importance with a sum of 1 in every stream."""
    return {name: value / value.sum() for name, value in values.items()}


def copy_of(run: AdaptiveRun, base: Network) -> Network:
    """Return a network with the parameters of another."""
    network = run.plain()
    network.load_state_dict(base.state_dict())
    return network
