"""Damaged machine code is found by its digest, and compiled again."""

import importlib.util
from pathlib import Path
from typing import Any

import numba
import pytest

from hwgen.chip.checked_cache import check_digests, intact, with_digest

SOURCE = "def doubled(x):\n    return 2 * x\n"


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what compiles the function as a new process would."""
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "doubling.py").write_text(SOURCE)

    def compile_again() -> Any:
        spec = importlib.util.spec_from_file_location("doubling", tmp_path / "doubling.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        function = numba.njit(cache=True)(module.doubled)
        check_digests(function)
        assert function(4) == 8
        return function

    return compile_again


def files_of(folder: Path, suffix: str) -> list[Path]:
    return sorted((folder / "cache").rglob(f"*{suffix}"))


@pytest.mark.promise("damaged caches are found by digest and made again")
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", ["flipped", "empty", "foreign", "truncated"])
def test_damaged_machine_code_is_compiled_again(
    make: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str], suffix: str, damage: str
) -> None:
    assert make().stats.cache_misses
    assert make().stats.cache_hits
    (file,) = files_of(tmp_path, suffix)
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(
        {"flipped": whole, "empty": b"", "foreign": b"MZ" * 99, "truncated": whole[:-7]}[damage]
    )
    capfd.readouterr()
    assert not make().stats.cache_hits
    assert "damaged and compiled again" in capfd.readouterr().err
    assert make().stats.cache_hits


def test_missing_machine_code_is_no_damage(
    make: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make()
    (file,) = files_of(tmp_path, ".nbc")
    file.unlink()
    assert not make().stats.cache_hits
    assert capfd.readouterr().err == ""


def test_only_the_digest_of_the_content_fits(tmp_path: Path) -> None:
    path = tmp_path / "code"
    path.write_bytes(with_digest(b"abc"))
    assert intact(path)
    path.write_bytes(with_digest(b"abc")[1:])
    assert not intact(path)
