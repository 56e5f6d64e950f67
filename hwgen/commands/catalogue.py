"""`hwgen list`: the networks, chips, tables and recipes that ship, a line each.

Tests: `tests/commands/test_catalogue.py`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from rich.console import Group, RenderableType
from rich.text import Text

from hwgen.commands.info import network_info
from hwgen.commands.request import Request, Says
from hwgen.errors import with_near
from hwgen.files.shipped import FORMAT, images, named, networks, recipes, shipped_folder
from hwgen.network.file import load_network
from hwgen.report.installed import CatalogueReport, ShippedFile

NETWORKS, IMAGES = "networks", "images"
RECORD = ".training.json"
"""End of the name of a record that `hwgen train` writes, beside a network that ships."""
KINDS: Mapping[str, str] = MappingProxyType(
    {
        "networks": "trained and quantized: hwgen info NETWORK; hwgen run NETWORK CHIP",
        "chips": "architectures: hwgen info CHIP; hwgen build CHIP",
        "recipes": "of trainings: hwgen train RECIPE",
        "effects": "of devices that err: hwgen effects NETWORK CHIP --effects NAME",
        "energies": "of events, and areas: hwgen model NETWORK CHIP --energy NAME",
        "components": "power, time and area of parts: hwgen synthesize NETWORK --components NAME",
        "wires": "resistance and capacitance by library: hwgen cost CHIP --placed finds them",
        "replacements": "parts of yours in a chip: hwgen build CHIP --replace PART=FILE",
        "technologies": "lattice, metals and cells of a PDK: hwgen layout CHIP --pdk NAME",
        "images": "some images of a set, for networks that were trained on it",
    }
)
"""What ships, in order, and which command takes it."""
FORMATS: Mapping[str, str] = MappingProxyType(
    {
        "architecture": "chips",
        "components": "components",
        "effects": "effects",
        "energy": "energies",
        "layout": "technologies",
        "memory_outside": "energies",
        "replacement": "replacements",
        "wires": "wires",
    }
)
"""The kind of a file by the end of its format; recipes have a folder of their own."""
SENTENCE = re.compile(r".*?(?=\. |[.:]?$)")
"""The first sentence of a comment, without its end; the dot of a name is none."""


@dataclass(frozen=True)
class ListShipped(Request, command="list", example="chips"):
    """List the networks, chips, tables and recipes that ship, a line each.

    Each name stands for its file wherever a command asks for one of its kind.
    """

    kind: Annotated[
        str | None,
        Says(f"one kind alone: {', '.join(KINDS)}", metavar="KIND", argument=True),
    ] = None

    def check(self) -> None:
        """Refuse an unknown kind."""
        if self.kind is not None and self.kind not in KINDS:
            allowed = f"one of {', '.join(KINDS)}"
            raise self.refusal("KIND", allowed, with_near(self.kind, KINDS))

    def run(self) -> CatalogueReport:
        """Read what ships."""
        files = [each for each in shipped() if self.kind in (None, each.kind)]
        files.sort(key=lambda each: list(KINDS).index(each.kind))
        return CatalogueReport(format="hwgen.report.list", version=1, files=files)

    def table(self, report: CatalogueReport) -> RenderableType:
        """Return a line for each file, behind the command that takes its kind."""
        parts: list[Text] = []
        for kind, use in KINDS.items():
            rows = [f"  {each.name}: {each.about}" for each in report.files if each.kind == kind]
            parts += map(Text, [f"{kind}, {use}", *rows] if rows else [])
        return Group(*parts)


def shipped() -> Iterator[ShippedFile]:
    """Yield all files that ship, in the order of their names."""
    for name, path in networks().items():
        yield shipped_network(name, path)
    for name, path in recipes().items():
        yield ShippedFile(kind="recipes", name=name, about=first_sentence(path))
    for name in images():
        yield ShippedFile(kind=IMAGES, name=name, about=f"images of {name}, with their classes")
    for name, path in named(shipped_folder()).items():
        kind = kind_of(path)
        if kind is not None:
            yield ShippedFile(kind=kind, name=name, about=first_sentence(path))


def kind_of(path: Path) -> str | None:
    """Return the kind of a YAML file by its format; None for any other file."""
    if path.suffix != ".yaml":
        return None
    found = FORMAT.search(path.read_text(encoding="utf-8"))
    return None if found is None else FORMATS.get(found[1])


def first_sentence(path: Path) -> str:
    """Return the first sentence of the comment at the head of a YAML file."""
    lines = path.read_text(encoding="utf-8").splitlines()
    comment = takewhile(lambda line: line.startswith("#"), lines)
    found = SENTENCE.match(" ".join(line.lstrip("# ") for line in comment))
    return found[0].replace("`", "") if found else ""


def shipped_network(name: str, path: Path) -> ShippedFile:
    """Return a network in a line: images, classes, layers, weights, widths, accuracy."""
    network = network_info(load_network(path))
    weights = sum(layer.weights or 0 for layer in network.layers)
    accuracy, classes = recorded_accuracy(path, network.digest), len(network.class_names)
    parts = [
        f"{'x'.join(map(str, network.input_shape))} of {network.dataset or 'a file'}",
        f"{classes} classes" if classes else "",
        f"{len(network.layers)} layers",
        f"{weights:,} weights",
        f"{len(network.modes)} widths" if len(network.modes) > 1 else "",
        f"{accuracy:.2%} of the test images right" if accuracy is not None else "",
    ]
    return ShippedFile(
        kind=NETWORKS,
        name=name,
        about=", ".join(filter(None, parts)),
        weights=weights,
        classes=classes,
        accuracy=accuracy,
    )


def recorded_accuracy(path: Path, digest: str) -> float | None:
    """Return the accuracy in integers by the record of the training beside a network.

    None: there is no such record, it is that of another network or of several widths, or it counts
    no images.
    """
    record = path.with_suffix(RECORD)
    if not record.is_file():
        return None
    content = json.loads(record.read_text(encoding="utf-8"))
    if content.get("network_digest") != digest:
        return None
    accuracy: float | None = content.get("accuracy", {}).get("integer")
    return accuracy
