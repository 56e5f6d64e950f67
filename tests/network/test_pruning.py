"""Rules of pruning that installed packages give: found, held to their contract, refused by name."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from hwgen.errors import ConfigError
from hwgen.fit.prune import pruned, weakest
from hwgen.network.pruning import WEAKEST, file_of_rule, unpruned_by

SCORES = np.arange(12.0).reshape(2, 6)


def install(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> Path:
    """Write a package whose function `rule` is the rule `foreign`; return the folder."""
    (folder / "foreign_rule.py").write_text(code)
    metadata = folder / "foreign_rule-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: foreign-rule\nVersion: 1.0\n")
    points = "[hwgen.pruning]\nforeign = foreign_rule:rule\n"
    (metadata / "entry_points.txt").write_text(points)
    monkeypatch.syspath_prepend(folder)
    monkeypatch.delitem(sys.modules, "foreign_rule", raising=False)
    importlib.invalidate_caches()
    return folder


def test_a_rule_gets_scores_and_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "def rule(scores, share):\n    return scores > 12 * share\n")
    assert np.array_equal(unpruned_by("foreign", SCORES, 0.5), SCORES > 6)
    weights = np.arange(1, 46).reshape(15, 3)
    found = pruned(weights, np.ones(3), 18.0, rule="foreign")
    # Mean squares of the first 8 filters: 179.5, 203.5 and 229.5; the rule asks for 216.
    assert found[:8].any(axis=0).tolist() == [False, False, True]
    assert np.array_equal(found[8:], weights[8:])


def test_a_rule_cannot_change_the_scores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "def rule(scores, share):\n    scores[:] = 0\n    return scores == 0\n"
    install(tmp_path, monkeypatch, code)
    given = SCORES.copy()
    assert unpruned_by("foreign", given, 0.5).all()
    assert np.array_equal(given, SCORES)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("1 / 0\n", "foreign_rule:rule must be a function of scores and share, got ZeroDivision"),
        ("rule = 7\n", "must be a function of scores and share, got 7"),
        ("def rule(scores):\n    return scores > 0\n", "got TypeError"),
        ("def rule(scores, share):\n    return scores\n", "got float64"),
        ("def rule(scores, share):\n    return [True]\n", "got list"),
        ("def rule(scores, share):\n    return scores[0] > 0\n", r"got the shape \(6,\) of"),
    ],
)
def test_what_is_no_rule_is_one_sentence(
    code: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch, code)
    with pytest.raises(ConfigError, match=words) as error:
        unpruned_by("foreign", SCORES, 0.5)
    assert "\n" not in str(error.value) and "pruning rule foreign" in str(error.value)


def test_an_unknown_rule_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, monkeypatch, "rule = print\n")
    with pytest.raises(
        ConfigError, match=r"weakest or one of an installed package \(.*foreign.*nix"
    ):
        file_of_rule("nix")


def test_the_rule_of_this_project_is_no_file() -> None:
    assert file_of_rule(WEAKEST) is None
    assert weakest(SCORES, 0.5).tolist() == [[False] * 6, [True] * 6]
