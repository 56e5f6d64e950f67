"""Digests of what the sources make: `scripts/same --base REV` compares two states of them.

A line a thing: each chip's Verilog, each program and prediction of a network on a chip that both
ship, each table of energies, each generated page, what a synthesis answers. What a chip refuses
stands with its sentence. The lines of REV are made in a worktree of it, by the code of this file.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Set
from dataclasses import asdict
from fnmatch import fnmatchcase
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from hwgen import api
from hwgen.commands.documents import documents
from hwgen.commands.families import is_architecture
from hwgen.errors import HwgenError
from hwgen.files import shipped
from hwgen.files.digests import (
    digest_of,
    digest_of_array,
    digest_of_file,
    digest_of_files,
    versions,
)
from hwgen.network.file import load_network

HERE = Path(__file__).parents[2]
ROOT = Path(api.__file__).parents[2]
"""Of the sources whose lines are made: a worktree's, where its packages are first in the path."""
KEPT = HERE / "build/same"
"""Where the lines of a commit are kept."""
SEARCHES = {"digits_small_cnn": ("configs/networks/digits_small_cnn.npz", 0.6, 2000)}
LONG_SEARCHES = {
    name: (name, 49.0, None) for name in ("alexnet", "vgg13", "vgg16", "msra", "resnet18")
}
"""By the name of a line: network, watts, evaluations."""
LARGE = (
    "cadnn_cifar10_resnet20",
    "cadnn_cifar10_single",
    "cifar10_resnet20_50",
    "cifar10_resnet20_digits",
    "cifar10_resnet20_digits_60",
    "cifar10_resnet20_int4_50",
    "cifar10_resnet20_int8_60",
    "cifar10_resnet20_int8_60_seed2",
    "digits_resnet20",
)
"""Networks that stand beside the chips of the papers alone, unless the run is long."""
PAPER = ("dbpim/paper", "dbpim/paper_digits", "mram/paper", "crossbar/digits_small_cnn")

MODELLED = {"mram/seed": "cadnn_digits"}
"""Chips of the cycle model alone, whose programs take megabytes, and the network beside each."""

OF_THE_FORMAT = {
    "dbpim": [1, *range(12, 16)],
    "mram": [*range(4, 8), *range(52, 56)],
    "crossbar": [*range(4), *range(16, 20)],
}
"""Bytes of a program by family that say its version, and its checksum, which follow from others."""

COVERED = 2
"""Version of what a line of a prediction covers, whatever else a report has."""

Lines = dict[str, str]
"""Digests by the names of lines."""

Made = Iterator[tuple[str, Callable[[], str]]]
"""The name of a line, and what makes its digest."""


def architectures() -> dict[str, Path]:
    """Return the architectures that ship, by name."""
    folders = ("dbpim", "mram", "crossbar")
    found = {name: path for folder in folders for name, path in shipped.tables(folder).items()}
    return {name: path for name, path in found.items() if is_architecture(path)}


def everything(long: bool) -> Made:
    """Yield each line and what makes it; long: large networks on all chips, large searches."""
    for name, file in architectures().items():
        yield f"verilog {name}", partial(verilog, file)
    for network, file in shipped.networks().items():
        for name, arch in architectures().items():
            if network in LARGE and name not in PAPER and not long:
                continue
            if network != MODELLED.get(name, network):
                continue
            yield f"program {network} {name}", partial(program, file, arch)
            yield f"model {network} {name}", partial(model, file, arch)
    for file in sorted((ROOT / "configs/networks").glob("*.onnx")):
        yield f"import {file.stem}", partial(imported, file)
    for file in sorted((ROOT / "configs/energy").glob("*.yaml")):
        yield f"energy {file.stem}", partial(digest_of_file, file)
    for name, (network, watts, evaluations) in (SEARCHES | (LONG_SEARCHES if long else {})).items():
        yield f"synthesis {name} {watts:g} W", partial(synthesis, network, watts, evaluations)


def of_pages() -> Made:
    """Yield the line of each generated page."""
    # Sources of an earlier commit choose that family themselves.
    asked = {"rules_on": "dbpim"} if "rules_on" in signature(documents).parameters else {}
    for page, text in documents(ROOT / "configs", **asked).items():
        yield f"page {page}", partial(digest_of, text)


def line_names() -> Set[str]:
    """Return the names of the lines that decide figures, without making any."""
    return {name for name, _ in everything(long=False)}


def context() -> api.Context:
    """Return where results are cached, and nothing is printed."""
    return api.Context(work=ROOT / "build/same", console=None)


def verilog(arch: Path) -> str:
    """Return the digest of all Verilog of a chip."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "chip")
        api.build(arch, out=out, context=context())
        return digest_of_files(list(out.rglob("*.v")), out)


def program(network: Path, arch: Path) -> str:
    """Return the digest of a program without its checksum and the version of the format."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "program.npz")
        api.compile(network, arch, out=out, context=context())
        with np.load(out) as arrays:
            facts, image = json.loads(arrays["facts"].tobytes()), arrays["image"]
    image[OF_THE_FORMAT[arch.parent.name]] = 0
    return digest_of({**facts, "version": 0, "image": digest_of_array(image)})


def model(network: Path, arch: Path) -> str:
    """Return the digest of a prediction, without versions of packages and this tree's place.

    What a layer is bound by follows from the rest, and energies have lines of their own.
    """
    report: dict[str, Any] = asdict(api.model(network, arch, images=1, context=context()))
    report["setting"].pop("versions")
    report.pop("energy")
    report["version"] = COVERED
    for layer in report["layers"]:
        layer.pop("bound")
    return digest_of(json.loads(json.dumps(report, default=str).replace(str(ROOT), ".")))


def imported(file: Path) -> str:
    """Return the digest of the network in a file of another format."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "network.npz")
        api.import_network(file, out=out)
        return load_network(out).digest


def synthesis(network: str, watts: float, evaluations: int | None) -> str:
    """Return the digest of an architecture and its schedule."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "chip")
        api.synthesize(network, watts, evaluations=evaluations, out=out, context=context())
        return digest_of_files([out / "architecture.yaml", out / "schedule.npz"], out)


def made_now(lines: Made, only: Callable[[str], bool] = lambda name: True) -> Lines:
    """Return what some lines are, and say how long each kind took."""
    found: Lines = {}
    seconds: dict[str, float] = {}
    for name, make in lines:
        if not only(name):
            continue
        began = time.monotonic()
        try:
            found[name] = make()
        except HwgenError as error:
            found[name] = f"refused: {error}".replace(str(ROOT), "")
        kind = name.split()[0]
        seconds[kind] = seconds.get(kind, 0.0) + time.monotonic() - began
        print(f"{name}: {found[name][:60]}", file=sys.stderr, flush=True)
    print(", ".join(f"{kind} {each:.0f} s" for kind, each in seconds.items()), file=sys.stderr)
    return found


def made_of(revision: str, options: list[str]) -> Lines:
    """Return the lines of a revision, made in a worktree and kept under its commit."""
    commit = git("rev-parse", "--verify", f"{revision}^{{commit}}")
    kept = KEPT / f"{digest_of([commit, options, versions(), Path(__file__).read_text()])}.json"
    if not kept.is_file():
        with tempfile.TemporaryDirectory() as folder:
            tree = Path(folder, "tree")
            git("worktree", "add", "--detach", str(tree), commit)
            try:
                made_in(tree, options, kept)
            finally:
                git("worktree", "remove", "--force", str(tree))
    found: Lines = json.loads(kept.read_text(encoding="utf-8"))
    return found


def made_in(tree: Path, options: list[str], out: Path) -> None:
    """Make the lines of the sources in a folder, in a process that imports them."""
    packages = os.pathsep.join([str(tree), str(tree / "studies")])
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        [sys.executable, __file__, *options, "--write", str(out)],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": packages},
        check=True,
    )


def git(*words: str) -> str:
    """Return what a command of git prints about this clone."""
    done = subprocess.run(["git", *words], cwd=HERE, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def changes(before: Lines, now: Lines) -> list[str]:
    """Return a line for each thing that is new, gone or another."""
    return [
        f"{name}: {before.get(name, 'nothing')[:60]} -> {now.get(name, 'nothing')[:60]}"
        for name in sorted(before.keys() | now.keys())
        if before.get(name) != now.get(name)
    ]


def main(arguments: list[str] | None = None) -> int:
    """Compare, or write; return 1 where something differs."""
    parser = argparse.ArgumentParser(prog="scripts/same", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--base", metavar="REV", help="the commit to compare with")
    what.add_argument("--write", type=Path, metavar="FILE", help="write the lines as JSON")
    parser.add_argument("--only", default="*", metavar="PATTERN", help="lines, such as 'model *'")
    parser.add_argument(
        "--long", action="store_true", help="large networks everywhere, five searches"
    )
    given = parser.parse_args(arguments)

    def chosen(name: str) -> bool:
        return fnmatchcase(name, given.only)

    now = made_now(everything(given.long), chosen)
    if fnmatchcase("page", given.only.partition(" ")[0]):
        now |= made_now(of_pages(), chosen)
    if given.write:
        given.write.write_text(json.dumps(now, indent=1, sort_keys=True) + "\n")
        return 0
    before = made_of(given.base, ["--only", given.only, *(["--long"] if given.long else [])])
    different = changes(before, now)
    print("\n".join(different) or "the same")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
