"""Machine code is kept, and it is known beforehand whether there is any."""

from pathlib import Path

import numba
import pytest

from hwgen.model.compiled import compiled, is_compiled


def twice(x: int) -> int:
    return 2 * x


def thrice(x: int) -> int:
    return 3 * x


def test_a_function_is_cold_until_it_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    quick = compiled(twice)
    assert not is_compiled(quick)
    assert quick(3) == 6
    assert is_compiled(quick)
    assert not is_compiled(thrice)
