"""Macros of one layer, and of a few, compute whole images: exact, with the conductor's lags."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.errors import DesignError
from verif.crossbar.macro_group import MacroGroup
from verif.crossbar.macro_schedule import case_of
from verif.runner import Waves, build, run

CONV = {"name": "conv", "kind": "conv", "kernel": 3, "stride": 1, "padding": 1}
CONV |= {"in_channels": 3, "out_channels": 5, "groups": 1, "in_side": 6, "out_side": 6}
CONV |= {"activation": "relu"}
FC = {"kernel": 1, "padding": 0, "kind": "fc", "in_side": 1, "out_side": 1, "in_channels": 50}
MAP = {"in_side": 6, "out_side": 6, "groups": 1, "activation": "none", "stride": 1}
POINT = MAP | {"kind": "conv", "kernel": 1, "padding": 0}
CASES: dict[str, dict[str, Any]] = {
    "padding": {"layers": [CONV], "copies": [4]},
    "stride": {"layers": [CONV | {"stride": 2, "out_side": 3}], "copies": [2], "adcs": 7},
    "raw fully connected": {"layers": [CONV | FC], "copies": [1], "raw": True},
    "groups": {
        "layers": [CONV | {"groups": 6, "in_channels": 12, "out_channels": 12}],
        "copies": [2],
    },
    "units wider than words": {
        "layers": [CONV],
        "copies": [5],
        "side": 64,
        "cell_bits": 4,
        "dac_bits": 4,
        "access_clocks": 2,
        "adcs": 3,
    },
    "sixteen bits": {
        "layers": [CONV | {"in_channels": 2, "in_side": 4, "out_side": 4}],
        "copies": [2],
        "bits": 16,
        "weight_bits": 16,
        "side": 32,
        "cell_bits": 1,
        "dac_bits": 1,
        "samples": [2, 1],
    },
    "slow converters": {
        "layers": [CONV | {"in_side": 4, "out_side": 4, "in_channels": 2}],
        "copies": [2],
        "samples": [1, 4],
        "adcs": 8,
    },
    "pair": {
        "layers": [
            CONV,
            CONV | {"name": "second", "providers": [0], "in_channels": 5, "out_channels": 3},
        ],
        "copies": [3, 2],
        "adcs": 9,
    },
    "maximum": {
        "layers": [
            CONV,
            MAP
            | {"name": "pool", "kind": "pool", "kernel": 3, "padding": 1, "stride": 2}
            | {"out_side": 3, "in_channels": 5, "out_channels": 5, "providers": [0]},
        ],
        "copies": [4, 2],
    },
    "mean and answer": {
        "layers": [
            CONV,
            MAP
            | {"name": "pool", "kind": "pool", "kernel": 6, "padding": 0, "average": True}
            | {"out_side": 1, "in_channels": 5, "out_channels": 5, "providers": [0]},
            CONV | FC | {"name": "answer", "in_channels": 5, "providers": [1]},
        ],
        "copies": [6, 1, 1],
        "raw": True,
    },
    "addition": {
        "layers": [
            CONV,
            POINT | {"name": "one", "in_channels": 5, "out_channels": 5, "providers": [0]},
            MAP
            | {"name": "sum", "kind": "eltwise", "kernel": 1, "padding": 0}
            | {"in_channels": 5, "out_channels": 5, "providers": [1, 0]},
        ],
        "copies": [5, 4, 5],
        "adcs": 6,
    },
    "gather of uneven copies": {
        "layers": [
            CONV | {"in_side": 4, "out_side": 4},
            POINT
            | {"name": "one", "in_channels": 5, "out_channels": 3, "providers": [0]}
            | {"in_side": 4, "out_side": 4},
        ],
        "copies": [5, 3],
        "macros": 3,
    },
    "chain of three": {
        "layers": [CONV | {"in_channels": 8, "in_side": 4, "out_side": 4}],
        "copies": [1],
        "macros": 3,
    },
    "chain and gather": {
        "layers": [CONV | {"in_channels": 5, "in_side": 4, "out_side": 4}],
        "copies": [2],
        "macros": 5,
    },
    "chain of wide sums": {
        "layers": [CONV | {"in_channels": 4, "in_side": 4, "out_side": 4}],
        "copies": [1],
        "bits": 16,
        "weight_bits": 16,
        "macros": 2,
    },
    "shortcut": {
        "layers": [
            CONV,
            MAP
            | {"name": "pick", "kind": "pool", "kernel": 1, "padding": 0, "stride": 2}
            | {"out_side": 3, "in_channels": 5, "out_channels": 7, "providers": [0]},
        ],
        "copies": [4, 2],
    },
}

WIDE = CONV | {"in_channels": 2, "out_channels": 16}
WIDE_POOL = MAP | {"name": "pool", "kind": "pool", "kernel": 3, "padding": 1, "providers": [0]}
WIDE_POOL |= {"in_channels": 16, "out_channels": 16}
POOL_AT_CAP = {"layers": [WIDE, WIDE_POOL], "copies": [2, 12], "adcs": 16, "units": 2}
"""With all 16 lanes 12 pixels of 9 taps take 108 clocks."""
SUM_AT_CAP = {
    "layers": [
        WIDE,
        POINT | {"name": "one", "in_channels": 16, "out_channels": 16, "providers": [0]},
        MAP
        | {"name": "sum", "kind": "eltwise", "kernel": 1, "padding": 0}
        | {"in_channels": 16, "out_channels": 16, "providers": [1, 0]},
    ],
    "copies": [2, 2, 36],
    "adcs": 16,
    "units": 2,
}
"""With all 16 lanes 36 pixels of 16 channels take 36 clocks in the addition and the activation."""
AT_CAP = {
    **{f"pooling, steps of {step}": POOL_AT_CAP | {"step": step} for step in (53, 54, 107, 108)},
    **{f"addition, steps of {step}": SUM_AT_CAP | {"step": step} for step in (35, 36, 37)},
}


def run_case(name: str, folder: Path, simulator: str, waves: Waves | None = None) -> None:
    """Run the bench on the macros of a case."""
    run_facts(CASES[name], folder, simulator, waves=waves)


def run_facts(
    facts: dict[str, Any],
    folder: Path,
    simulator: str,
    *,
    seed: int = 0,
    end: str | None = None,
    waves: Waves | None = None,
) -> None:
    """Run the bench on macros that plain data describe, weights and images from a seed.

    end: with those of `verif.crossbar.macro_case.at_an_end`
    """
    bench = build(MacroGroup(chip=case_of(facts).chip), simulator=simulator, waves=waves)
    settings = {"CROSSBAR_MACRO": json.dumps(facts), "CROSSBAR_SEED": str(seed)}
    settings |= {} if end is None else {"CROSSBAR_END": end}
    run(bench, module="verif.crossbar.bench_macro", folder=folder, settings=settings)


@pytest.mark.long
def test_macro_under_verilator(tmp_path: Path, waves: Waves | None) -> None:
    run_case("padding", tmp_path, "verilator", waves)


@pytest.mark.dear("padding")
@pytest.mark.promise(
    "a macro computes whole images under strobes with their lags, whatever clocks are held, and"
    " keeps what was loaded over a reset"
)
@pytest.mark.promise(
    "macros share a layer, whole copies by gathering and row tiles of a copy by a chain"
)
@pytest.mark.parametrize("name", ["padding", "gather of uneven copies", "chain of three"])
def test_macro_under_icarus(name: str, icarus: str, tmp_path: Path) -> None:
    run_case(name, tmp_path, icarus)


@pytest.mark.long
@pytest.mark.parametrize("name", CASES)
def test_macro_of_every_kind(name: str, icarus: str, tmp_path: Path) -> None:
    run_case(name, tmp_path, icarus)


AT_CAP_BY_DEFAULT = ("pooling, steps of 53", "pooling, steps of 54", "addition, steps of 36")


@pytest.mark.dear
@pytest.mark.promise(
    "poolings, additions and activations that just fit their steps are exact; what does not fit"
    " is refused, and what comes early is late"
)
@pytest.mark.parametrize("name", AT_CAP_BY_DEFAULT)
def test_vector_units_that_just_fit_their_steps(name: str, tmp_path: Path) -> None:
    """A clock less in a step is a step more; with all lanes the last clock is needed."""
    run_facts(AT_CAP[name], tmp_path, "verilator")


@pytest.mark.long
@pytest.mark.parametrize("name", sorted(AT_CAP.keys() - set(AT_CAP_BY_DEFAULT)))
def test_more_vector_units_that_just_fit(name: str, tmp_path: Path) -> None:
    run_facts(AT_CAP[name], tmp_path, "verilator")


@pytest.mark.dear
@pytest.mark.parametrize("facts", [POOL_AT_CAP | {"step": 54}, SUM_AT_CAP | {"step": 35}])
def test_an_activation_before_its_sums_is_late(facts: dict[str, Any], tmp_path: Path) -> None:
    early = [len(facts["layers"]) - 1]
    run_facts(facts | {"early": early}, tmp_path, "verilator")


@pytest.mark.dear
@pytest.mark.parametrize(
    ("facts", "what"),
    [
        (POOL_AT_CAP, "pool: pool needs 108 clocks, its steps have 54"),
        (SUM_AT_CAP, "sum: eltwise needs 36 clocks, its steps have 35"),
    ],
)
def test_steps_without_time_for_a_block_are_refused(facts: dict[str, Any], what: str) -> None:
    step = 54 if facts is POOL_AT_CAP else 35
    case = case_of(facts | {"step": step})
    chip = case.chip
    short = tuple(
        replace(layer, operations=tuple(replace(one, steps=1) for one in layer.operations))
        for layer in chip.layers
    )
    with pytest.raises(DesignError, match=what):
        MacroGroup(chip=replace(chip, layers=short))
