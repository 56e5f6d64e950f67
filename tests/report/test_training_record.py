"""The weights of a network are what a record says, in one of four words."""

import json
from pathlib import Path
from typing import Any

import pytest

from hwgen.errors import FormatError
from hwgen.report.training_record import is_short, read_record, weights_of

DIGEST = "1" * 64
NAMED = {"name": "a public ResNet20", "licence": "BSD-2-Clause"}


def record(start: dict[str, str] | None, epochs: int, batches: int | None = None) -> dict[str, Any]:
    """Return what a record says; start: of its recipe, None for random weights."""
    return {
        "format": "hwgen.training",
        "version": 2,
        "network_digest": DIGEST,
        "start_sha256": None if start is None else "12",
        "recipe": {"start": start, "epoch_batches": batches, "batch_images": 10},
        "history": [{"phase": "float"}] * epochs,
    }


@pytest.mark.promise(
    "that table shows every run, a failed one too, and how each network was really trained"
)
@pytest.mark.parametrize(
    ("start", "epochs", "batches", "short"),
    [
        (None, 29, None, True),
        (None, 30, None, False),
        (None, 100, 100, True),
        (None, 1000, 150, False),
        (None, 999, 150, True),
        (NAMED, 14, None, True),
        (NAMED, 15, None, False),
        (NAMED, 499, 150, True),
        (NAMED, 500, 150, False),
    ],
)
def test_a_short_training_is_called_short(
    start: dict[str, str] | None, epochs: int, batches: int | None, short: bool
) -> None:
    about = record(start, epochs, batches)
    assert is_short(about) is short
    assert weights_of(about, "cifar10") == ("short training" if short else "trained")


def test_without_a_record_nobody_can_tell() -> None:
    assert weights_of(None, "cifar10") == "not recorded"
    assert weights_of(None, "random") == "random weights"


@pytest.mark.parametrize("start", [{}, {"name": "x"}, {"name": "x", "licence": None}])
def test_a_start_without_name_and_licence_is_not_recorded(start: dict[str, str]) -> None:
    assert weights_of(record(start, 60), "cifar10") == "not recorded"


def test_a_record_is_beside_its_network(tmp_path: Path) -> None:
    network, named = tmp_path / "network.npz", tmp_path / "other.npz"
    assert read_record(network, DIGEST) is None
    about = record(None, 30)
    (tmp_path / "training.json").write_text(json.dumps(about), encoding="utf-8")
    assert read_record(network, DIGEST) == about
    assert read_record(named, DIGEST) is None
    own = about | {"network_digest": "2" * 64}
    (tmp_path / "other.training.json").write_text(json.dumps(own), encoding="utf-8")
    assert read_record(named, "2" * 64) == own
    with pytest.raises(FormatError, match=r"network_digest must be that of other\.npz"):
        read_record(named, DIGEST)
