"""AlexNet as the published code saw it, and its evaluations of five designs (sheet, section 9)."""

from dataclasses import dataclass, replace

from hwgen.crossbar.facts.layout import Choice
from hwgen.crossbar.facts.network import CrossbarLayer, CrossbarNetwork
from tests.crossbar.model.layers import conv, fc, pool

LAYERS: tuple[CrossbarLayer, ...] = (
    conv("conv1", (), (3, 64), (224, 55), window=(11, 4, 2)),
    pool("pool1", (0,), 64, (55, 27), window=(3, 2, 0)),
    conv("conv2", (1,), (64, 192), (27, 27), window=(5, 1, 2)),
    pool("pool2", (2,), 192, (27, 13), window=(3, 2, 0)),
    conv("conv3", (3,), (192, 384), (13, 13), window=(3, 1, 1)),
    conv("conv4", (4,), (384, 256), (13, 13), window=(3, 1, 1)),
    conv("conv5", (5,), (256, 256), (13, 13), window=(3, 1, 1)),
    pool("pool5", (6,), 256, (13, 6), window=(3, 2, 0)),
    replace(pool("average", (7,), 256, (6, 6), window=(1, 1, 0)), average=True),
    fc("fc1", (8,), (9216, 4096)),
    fc("fc2", (9,), (4096, 4096)),
    fc("fc3", (10,), (4096, 1000), activation="none"),
)

ALEXNET = CrossbarNetwork(
    name="alexnet", input_channels=3, input_side=224, layers=LAYERS, fused_activations=True
)

POWER_W = 49.0


@dataclass(frozen=True, kw_only=True)
class Row:
    """One evaluation of the published code; energies in nJ, all figures as rounded there."""

    ratio: float
    cell_bits: int
    dac_bits: int
    copies: tuple[int, ...]
    macros: tuple[int, ...]
    efficiency: float
    step_ns: float
    steps: list[int]
    kilobytes: list[int]
    components_nj: float
    crossbars_nj: float
    accesses_nj: float
    leakage_w: float
    nodes: int


SIDE = 256

ROWS = (
    Row(
        ratio=0.3,
        cell_bits=2,
        dac_bits=1,
        copies=(105, 26, 7, 6, 7),
        macros=(14, 14, 14, 7, 9, 6, 4, 1),
        efficiency=664.792664,
        step_ns=102.295617,
        steps=[935, 1016],
        kilobytes=[64, 64],
        components_nj=1607612.59,
        crossbars_nj=411809.56,
        accesses_nj=20826.03,
        leakage_w=0.938573,
        nodes=7714,
    ),
    Row(
        ratio=0.3,
        cell_bits=2,
        dac_bits=1,
        copies=(105, 26, 7, 6, 7),
        macros=(1, 1, 1, 1, 1, 1, 1, 1),
        efficiency=530.791161,
        step_ns=100.0,
        steps=[947, 2088],
        kilobytes=[64, 64],
        components_nj=2059629.78,
        crossbars_nj=566141.18,
        accesses_nj=20826.03,
        leakage_w=0.108820,
        nodes=7575,
    ),
    Row(
        ratio=0.25,
        cell_bits=2,
        dac_bits=1,
        copies=(64, 16, 4, 4, 4),
        macros=(16, 14, 7, 8, 3, 4, 4, 4),
        efficiency=615.112585,
        step_ns=100.0,
        steps=[1289, 1370],
        kilobytes=[64, 64],
        components_nj=1750082.32,
        crossbars_nj=425389.82,
        accesses_nj=20606.37,
        leakage_w=0.816150,
        nodes=12428,
    ),
    Row(
        ratio=0.3,
        cell_bits=2,
        dac_bits=2,
        copies=(105, 26, 7, 6, 7),
        macros=(14, 14, 14, 7, 9, 6, 4, 1),
        efficiency=382.169649,
        step_ns=427.257052,
        steps=[538, 497, 494],
        kilobytes=[128, 64, 64],
        components_nj=3056622.93,
        crossbars_nj=440047.31,
        accesses_nj=20826.03,
        leakage_w=0.938573,
        nodes=4354,
    ),
    Row(
        ratio=0.15,
        cell_bits=4,
        dac_bits=1,
        copies=(119, 26, 6, 6, 6),
        macros=(11, 10, 5, 5, 3, 18, 8, 4),
        efficiency=452.723104,
        step_ns=136.916854,
        steps=[925, 956, 933, 956, 933, 956, 933, 956, 933, 956, 933],
        kilobytes=[128, 64, 128, 64, 128, 64, 128, 64, 128, 64, 128],
        components_nj=2795424.83,
        crossbars_nj=224250.91,
        accesses_nj=10909.20,
        leakage_w=0.870560,
        nodes=7998,
    ),
)


def choice_of(row: Row) -> Choice:
    """Return a row's design for all layers."""
    copies, macros = iter(row.copies), iter(row.macros)
    return Choice(
        copies=tuple(next(copies) if layer.kind == "conv" else 1 for layer in LAYERS),
        macros=tuple(next(macros) if layer.has_weights else 1 for layer in LAYERS),
        partner=(-1,) * len(LAYERS),
        clocks=(1,) * len(LAYERS),
    )
