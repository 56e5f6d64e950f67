"""What is synthesized under strict rules can run as scheduled: the checker, on whole networks."""

from pathlib import Path

import pytest

from hwgen.commands.context import Context
from hwgen.commands.synthesis import Synthesize
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.pages.synthesize import synthesize_network
from tests.crossbar_checker import checker_of

NETWORKS = Path(__file__).parents[3] / "configs/networks"


@pytest.mark.long
@pytest.mark.parametrize(
    ("network", "power_w"),
    [
        (str(NETWORKS / "digits_small_cnn.npz"), 3.0),
        (str(NETWORKS / "digits_resnet20.npz"), 12.0),
        ("cifar_alexnet", 49.0),
        ("alexnet", 49.0),
    ],
)
def test_what_is_synthesized_can_run(network: str, power_w: float, tmp_path: Path) -> None:
    request = Synthesize(
        network=network,
        power_w=power_w,
        components=None,
        rules=STRICT,
        seed=1,
        evaluations=2000,
        workers=2,
        scheduler=None,
        time_limit_s=None,
        out=tmp_path / "out",
    )
    made = synthesize_network(Context(work=tmp_path / "work"), request)
    checker = checker_of(made.folder / "architecture.yaml", made.folder / "schedule.npz")
    assert checker.check() == []
