"""A full disk, a read-only checkout: a result or one sentence, and nothing half-written."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.apart import beside_a_read_only_checkout, on_a_disk
from tests.cli.given import NETWORK, ROOT, TINY
from tests.kills.run import RECIPE, prepared

DISK_BYTES = 64 << 20
FULL = {
    "build": (["build", TINY, "--out", "out"], 20_000),
    "compile": (["compile", NETWORK, TINY, "--out", "p.npz", "--work", "w"], 40_000),
    "run": (["run", NETWORK, TINY, "--engine", "rtl", "--work", "w", "--json", "r.json"], 200_000),
    "train": (["train", RECIPE, "--out", "out", "--work", "w"], 300_000),
    "synthesize": (
        ["synthesize", "cifar_alexnet", "--power-w", 9, "--evaluations", 20, "--out", "out",
         "--work", "w"],
        40_000,
    ),
}  # fmt: skip
"""Commands, and bytes that let them begin: the disk is full amid what they write."""
RESULTS = (
    "out/*.v",
    "out/manifest.json",
    "p.npz",
    "r.json",
    "out/*.npz",
    "out/*.yaml",
    "out/*.html",
)
PARTS = (".hwgen-*", "*.tmp", "obj/host")
LONG = ("train", "synthesize")
SPACES = [
    *(pytest.param(name, 0, marks=pytest.mark.long) for name in FULL),
    *(
        pytest.param(name, free, marks=pytest.mark.long if name in LONG else ())
        for name, (_, free) in FULL.items()
    ),
]


@pytest.mark.dear("compile-40000")
@pytest.mark.promise(
    "a full disk is one sentence and leaves nothing half-written, and a checkout may be read-only"
)
@pytest.mark.parametrize(("name", "free"), SPACES)
def test_a_full_disk_is_one_sentence(tmp_path: Path, name: str, free: int) -> None:
    arguments, _ = FULL[name]
    code, err, after = on_a_disk(
        prepared(tmp_path / "begin"), arguments, size=DISK_BYTES, free=free
    )
    *progress, sentence = err.splitlines()
    assert code == 2
    assert sentence.startswith("hwgen: ") and "No space left on device" in sentence
    assert not [line for line in progress if line.startswith(("hwgen:", "Traceback"))]
    for pattern in RESULTS:
        assert not list(after.glob(pattern)), pattern
    for pattern in PARTS:
        assert not list(after.rglob(pattern)), pattern
    for path in after.rglob("*.npz"):
        assert np.load(path).files, path


@pytest.mark.dear("compile-File too large")
@pytest.mark.parametrize(
    ("name", "said"),
    [("build", "File too large"), ("compile", "File too large")],
)
def test_a_limit_of_files_is_one_sentence(tmp_path: Path, name: str, said: str) -> None:
    """As under `ulimit -f 1`: nothing half-written stays."""
    begin = prepared(tmp_path / "begin")
    before = set(begin.rglob("*"))
    arguments, _ = FULL[name]
    done = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$@"', "", sys.executable, "-m", "hwgen"]
        + [str(each) for each in arguments],
        cwd=begin,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    sentence = done.stderr.splitlines()[-1]
    assert sentence.startswith("hwgen: ")
    assert said in sentence
    assert not [path for path in set(begin.rglob("*")) - before if path.is_file()]


@pytest.mark.long
@pytest.mark.parametrize("name", ["compile", "train"])
def test_the_same_command_goes_on_when_there_is_space(tmp_path: Path, name: str) -> None:
    arguments, free = FULL[name]
    begin = prepared(tmp_path / "begin")
    results = []
    for left in (free, None):
        _, _, after = on_a_disk(begin, arguments, size=DISK_BYTES, free=left)
        again, err, whole = on_a_disk(
            Path(after.rename(tmp_path / "again")), arguments, size=DISK_BYTES
        )
        assert again == 0, err
        (made,) = [*whole.glob("p.npz"), *whole.glob("out/network.npz")]
        results.append(made.read_bytes())
        (tmp_path / "again").rename(tmp_path / f"again {left}")
    assert results[0] == results[1]


CHECKOUT = {
    "build": ["build", TINY, "--out", "out"],
    "compile": ["compile", NETWORK, TINY, "--out", "p.npz"],
    "run": ["run", NETWORK, TINY, "--engine", "model", "--images", 1],
    "run in RTL": ["run", NETWORK, TINY, "--engine", "rtl", "--images", 1],
    "train": ["train", RECIPE, "--out", "out"],
    "synthesize": ["synthesize", "cifar_alexnet", "--power-w", 9, "--evaluations", 20],
}


@pytest.mark.dear
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=() if name in ("compile", "run") else pytest.mark.long)
        for name in CHECKOUT
    ],
)
def test_a_read_only_checkout_works(tmp_path: Path, name: str) -> None:
    done = beside_a_read_only_checkout(prepared(tmp_path / "my"), CHECKOUT[name])
    assert done.returncode in (0, 1), done.stderr  # 1: the chip of a short search needs more


INSIDE = {
    "build": (["build", TINY, "--out", "build/new"], "--out must be writable at build/new"),
    "compile": (["compile", NETWORK, TINY, "--out", "new.npz"], "--out must be writable at"),
    "run": (["run", NETWORK, TINY, "--json", "new.json"], "--json must be writable at new.json"),
    "train": (["train", RECIPE, "--out", "build/new"], "--out must be writable at build/new"),
    "synthesize": (
        ["synthesize", "cifar_alexnet", "--power-w", 9, "--out", "build/new"],
        "--out must be writable at build/new",
    ),
}


@pytest.mark.dear("train")
@pytest.mark.parametrize("name", INSIDE)
def test_nothing_is_written_into_a_read_only_checkout(name: str) -> None:
    arguments, sentence = INSIDE[name]
    done = beside_a_read_only_checkout(ROOT, arguments)
    *_, last = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (2, "")
    assert last.startswith(f"hwgen: {sentence}") and last.endswith("got Read-only file system")
