"""Digests of what the sources make; `scripts/same` compares them with those of `digests.json`.

A line a thing: each chip's Verilog, each program and prediction of a network on a chip that both
ship, each table of energies, each generated page, what a synthesis answers. What a chip refuses
stands with its sentence.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Set
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from hwgen import api
from hwgen.commands.digests import digest_of, digest_of_file, digest_of_files
from hwgen.commands.documents import documents
from hwgen.commands.families import is_architecture
from hwgen.errors import HwgenError
from hwgen.files import shipped
from hwgen.network.file import load_network

ROOT = Path(__file__).parents[2]
DIGESTS = Path(__file__).parent / "digests.json"
WORK = ROOT / "build/same"
SEARCHES = {"digits_small_cnn": ("configs/networks/digits_small_cnn.npz", 0.6, 2000)}
LONG_SEARCHES = {
    name: (name, 49.0, None) for name in ("alexnet", "vgg13", "vgg16", "msra", "resnet18")
}
"""By the name of a line: network, watts, evaluations."""
LARGE = (
    "cadnn_cifar10_resnet20",
    "cifar10_resnet20_50",
    "cifar10_resnet20_digits",
    "digits_resnet20",
)
"""Networks that stand beside the chips of the papers alone, unless the run is long."""
PAPER = ("dbpim/paper", "dbpim/paper_digits", "mram/paper", "crossbar/digits_small_cnn")

MODELLED = {"mram/seed": "cadnn_digits"}
"""Chips of the cycle model alone, whose programs take megabytes, and the network beside each."""

COVERED = 2
"""Version of what a line of a prediction covers, whatever else a report has."""

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
    # Last: whoever wants other lines alone does not wait for all pages.
    for page, text in documents(ROOT / "configs").items():
        yield f"page {page}", partial(digest_of, text)


def context() -> api.Context:
    """Return where results are cached, and nothing is printed."""
    return api.Context(work=WORK, console=None)


def verilog(arch: Path) -> str:
    """Return the digest of all Verilog of a chip."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "chip")
        api.build(arch, out=out, context=context())
        return digest_of_files(list(out.rglob("*.v")), out)


def program(network: Path, arch: Path) -> str:
    """Return the digest of a program."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "program.npz")
        api.compile(network, arch, out=out, context=context())
        return digest_of_file(out)


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


def made_now(long: bool, only: Set[str] | None = None) -> dict[str, str]:
    """Return all lines, or those of these names, and say how long each kind took."""
    found: dict[str, str] = {}
    seconds: dict[str, float] = {}
    for name, make in everything(long):
        if only is not None and found.keys() >= only:
            break
        if only is not None and name not in only:
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


def read_digests() -> dict[str, str]:
    """Return the digests that are committed, by the names of their lines."""
    found: dict[str, str] = json.loads(DIGESTS.read_text()) if DIGESTS.exists() else {}
    return found


def is_long(name: str) -> bool:
    """Return whether a line is made by long runs alone."""
    kind, thing, *rest = name.split()
    if kind == "synthesis":
        return thing in LONG_SEARCHES
    return kind in ("program", "model") and thing in LARGE and rest[0] not in PAPER


def changes(before: dict[str, str], now: dict[str, str], long: bool) -> list[str]:
    """Return a line for each thing that is new, gone or another."""
    large = {name for name in before if is_long(name)}
    names = sorted((before.keys() | now.keys()) - (set() if long else large))
    return [
        f"{name}: {before.get(name, 'nothing')[:60]} -> {now.get(name, 'nothing')[:60]}"
        for name in names
        if before.get(name) != now.get(name)
    ]


def main() -> None:
    """Compare, or write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="replace the digests")
    parser.add_argument(
        "--long", action="store_true", help="large networks everywhere, five searches"
    )
    given = parser.parse_args()
    before = read_digests()
    now = made_now(given.long)
    different = changes(before, now, given.long)
    print("\n".join(different) or "the same")
    if given.write:
        kept = before if not given.long else {}
        kept = {name: text for name, text in kept.items() if is_long(name)}
        DIGESTS.write_text(json.dumps(kept | now, indent=1, sort_keys=True) + "\n")
        return
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
