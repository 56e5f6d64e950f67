"""Machine code is kept, and it is known beforehand whether there is any."""

from pathlib import Path
from typing import Any

import numba
import pytest

from hwgen.chip.compiled import compiled, is_compiled


def twice(x: int) -> int:
    return 2 * x


def thrice(x: int) -> int:
    return 3 * x


def add_twice(x: int) -> int:
    return int(quickly(x) + x)


quickly: Any = compiled(twice)


@pytest.mark.skipif(bool(getattr(numba.config, "DISABLE_JIT", 0)), reason="nothing is compiled")
def test_what_only_compiled_functions_call_has_no_form_for_python(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    assert compiled(add_twice)(3) == 9
    assert not quickly.signatures and quickly.inner.signatures
    assert quickly(4) == 8
    assert quickly.signatures


def test_a_function_is_cold_until_it_was_called(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    quick = compiled(twice)
    assert not is_compiled(quick)
    assert quick(3) == 6
    assert is_compiled(quick)
    assert not is_compiled(thrice)
