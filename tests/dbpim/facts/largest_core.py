"""Predict cycles of the largest core.

Runs in a separate process without compilation, so that numpy checks each access.
"""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from golden.network import infer
from hwgen.dbpim.facts import arch

MACROS = arch.MOST_MACROS


class Row:
    """A row of a table with its fields as attributes, as compiled functions see it."""

    def __init__(self, values: Any) -> None:
        object.__setattr__(self, "_values", values)

    def __getattr__(self, name: str) -> Any:
        return self._values[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._values[name] = value


def rows(table: Any) -> list[Row]:
    """Return the rows of a table."""
    return [Row(row) for row in table]


def main() -> None:
    """Run one layer of 16 positions on a core of 16 macros."""
    names = (
        "hwgen.dbpim.compiler",
        "hwgen.dbpim.model.predict",
        "hwgen.dbpim.model.state",
        "hwgen.dbpim.model.tables",
        "verif.dbpim.network_builder",
    )
    compiler, predict, state, tables, builder = (importlib.import_module(name) for name in names)
    run = tables.run
    tables.run = lambda sizes, order, weights, cores, commands, spans: run(
        sizes,
        order._replace(
            packets=rows(order.packets),
            steps=rows(order.steps),
            work=[rows(cores) for cores in order.work],
            tiles=rows(order.tiles),
        ),
        weights._replace(tiles=rows(weights.tiles)),
        rows(cores),
        commands,
        spans,
    )
    small = arch.load_arch(Path("configs/dbpim/small.yaml"))
    large = replace(small, cores=1, macros_per_core=MACROS, psum_entries=2 * MACROS)
    assert state.CORE_TYPE["read"].shape == (MACROS,)
    net = builder.NetworkBuilder(name="row", shape=(1, MACROS, 1), seed=1)
    now = net.conv("input", np.full((1, 1), 3, np.int8), kernel=(1, 1), padding=0)
    net.linear(now, np.full((2, MACROS), 3, np.int8), head=True)
    ones = np.ones((1, 1, MACROS, 1), np.uint8)
    network = net.build()
    model = predict.CycleModel(compiler.compile_network(network, large), large)
    steps = model.predict(infer(network, ones)).found
    conv = next(step for step in steps if step.layer == now)
    # One bit plane of a row with one input and one filter of phi 2 in each macro.
    assert conv.causes["busy"] == MACROS * 2
    print("held")


if __name__ == "__main__":
    main()
