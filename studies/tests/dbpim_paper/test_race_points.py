"""One prediction of the race: each step counts for the kind of the layer that computes in it."""

from math import prod
from pathlib import Path
from typing import Any

import pytest
from hwgen_studies.dbpim_paper import race_networks, race_points

from hwgen import api
from hwgen.commands.maps import keep_maps
from hwgen.commands.points import INPUTS, Point, Task, predicted
from hwgen.commands.subject import load_subject
from hwgen.dbpim.facts.arch import ACTIVATION_BITS
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network, save_network
from tests.cli.given import ROOT, TINY
from verif.dbpim.directed_network import directed

RESNET20 = ROOT / "configs/networks/cifar10_resnet20_50.npz"
PAPER = ROOT / "configs/dbpim/paper.yaml"


def task_of(network: Path, chip: Path, switches: str, work: Path) -> Task:
    """Return the prediction of one drawn image, with the files of its inputs."""
    subject = load_subject(network, chip, switches)
    images = race_networks.drawn_images(subject.network, count=1)
    maps = keep_maps(api.Context(work=work, console=None), subject, images)
    return {**Point(subject=subject, batch=images).task, INPUTS: [str(network), str(maps)]}


@pytest.mark.promise(
    "a fused addition counts as its convolution, and no convolution is faster than the peak"
)
@pytest.mark.parametrize("switches", ["none", "all"])
def test_a_fused_addition_counts_as_its_convolution(switches: str, tmp_path: Path) -> None:
    save_network(directed("residuals"), tmp_path / "residuals.npz")
    task = task_of(tmp_path / "residuals.npz", TINY, switches, tmp_path)
    found: Any = predicted(task)
    plans = found.program.facts.steps
    assert any(plan.fused for plan in plans)
    (run,) = found.predictions
    spent = [step.end - step.begin for step in run.steps]
    convolving = sum(
        cycles for cycles, plan in zip(spent, plans, strict=True) if plan.kind == "conv"
    )
    causes = race_points.predict(task)["causes"]
    assert sum(causes["conv_fc"].values()) == pytest.approx(convolving)
    assert sum(sum(each.values()) for each in causes.values()) == pytest.approx(sum(spent))


def test_no_convolution_is_faster_than_the_peak(tmp_path: Path) -> None:
    """ResNet20 on the dense chip of the paper: half of its convolutions have a fused addition."""
    found = race_points.predict(task_of(RESNET20, PAPER, "none", tmp_path))
    arch: Any = load_subject(RESNET20, PAPER, "none").arch
    macros = arch.cores * arch.macros_per_core
    peak = macros * arch.macro.compartments * arch.filters / ACTIVATION_BITS
    assert sum(found["causes"]["conv_fc"].values()) >= products_of(load_network(RESNET20)) / peak


def products_of(network: QuantizedNetwork) -> int:
    """Return the products of all convolutions and linear layers."""
    return sum(
        prod(layer.output.shape[:2]) * network.parameters[layer.name].weights.size
        for layer in network.layers
        if layer.name in network.parameters
    )
