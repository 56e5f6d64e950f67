"""Zero bits of trained networks, as Fig. 3: of weights by value and digit, of groups of inputs.

(a) A weight is eight bits. Zero values are those that pruning leaves, zero bits all zeros of two's
complement, zero digits those of its canonical signed digits. (b) Inputs of a window are in the
order of a chip's rows: row and column of the kernel, then channel. A column is one bit of the
inputs of a group; it is zero if all of them are.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from golden.network import infer
from hwgen.commands.images import choose_images
from hwgen.commands.origin import commit
from hwgen.network import QuantizedNetwork
from hwgen.network.csd import phi
from hwgen.network.densities import has_blocks
from hwgen.network.file import load_network
from hwgen.report.files import report_text
from hwgen.report.sheet import Sheet
from hwgen.report.svg import COLUMN, SERIES, name_series, picture
from hwgen_studies.dbpim_paper.report import Zeros, ZerosReport

NAME = "dbpim-zeros"
TITLE = "Zero bits of trained networks"
BITS = 8
GROUPS = (1, 8, 16)
PART = 1 << 14
"""Windows that are looked at together."""
PHI = np.array([phi(value) for value in range(-128, 128)])
"""Digits of each int8 value, from -128 on."""


class Tally:
    """Counted weights, bits and columns, which add up over layers."""

    def __init__(self) -> None:
        self.weights = self.zero = self.ones = self.used = 0
        self.columns = {group: np.zeros(2, np.int64) for group in GROUPS}
        """Columns with a one, and all, by group."""

    def add_weights(self, weights: NDArray[np.int8]) -> None:
        """Count int8 weights of any shape."""
        self.weights += weights.size
        self.zero += int((weights == 0).sum())
        self.ones += int(np.bitwise_count(weights.view(np.uint8)).sum(dtype=np.int64))
        self.used += int(PHI[weights.astype(np.int64) + 128].sum())

    def add_inputs(self, windows: NDArray[np.uint8]) -> None:
        """Count columns of windows, (windows, inputs); a last group that is not full counts."""
        for group, found in self.columns.items():
            padded = np.pad(windows, ((0, 0), (0, -windows.shape[1] % group)))
            together = np.bitwise_or.reduce(padded.reshape(len(windows), -1, group), axis=2)
            ones = np.bitwise_count(together).sum(dtype=np.int64)
            self.columns[group] = found + np.array([ones, BITS * together.size])

    def add(self, other: "Tally") -> None:
        """Add what another layer has."""
        for name in ("weights", "zero", "ones", "used"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for group, found in other.columns.items():
            self.columns[group] = self.columns[group] + found

    def shares(self, network: str, layer: str) -> Zeros:
        """Return the shares."""
        every, left = BITS * self.weights, BITS * (self.weights - self.zero)
        return Zeros(
            network=network,
            layer=layer,
            weights=self.weights,
            values=self.zero / self.weights,
            bits=1 - self.ones / every,
            digits=1 - self.used / every,
            bits_left=1 - self.ones / left if left else 0.0,
            digits_left=1 - self.used / left if left else 0.0,
            columns={
                str(group): float(1 - ones / total) for group, (ones, total) in self.columns.items()
            },
        )


def counted(network: QuantizedNetwork, images: NDArray[Any]) -> Iterator[Zeros]:
    """Yield the shares of each layer that macros compute, and of all together.

    images: as golden takes them
    """
    name, whole = network.graph.name, Tally()
    layers = [layer for layer in network.layers if has_blocks(layer)]
    maps = infer(network, images, keep={layer.inputs[0] for layer in layers})
    for layer in layers:
        own = Tally()
        own.add_weights(network.parameters[layer.name].weights)
        for windows in windows_of(layer, maps[layer.inputs[0]]):
            own.add_inputs(windows)
        whole.add(own)
        yield own.shares(name, layer.name)
    yield whole.shares(name, "all")


def windows_of(layer: Any, found: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield the inputs of a layer's windows, (windows, inputs), in parts; found: its input map."""
    kernel = getattr(layer, "kernel", None)
    if kernel is None:
        yield found.reshape(len(found), -1)
        return
    top, bottom, left, right = layer.padding
    padded = np.pad(found, ((0, 0), (top, bottom), (left, right), (0, 0)))
    wide = sliding_window_view(padded, kernel, axis=(1, 2))
    placed = wide[:, :: layer.stride[0], :: layer.stride[1]].transpose(0, 1, 2, 4, 5, 3)
    for image in placed:
        windows = image.reshape(-1, int(np.prod(image.shape[2:])))
        for first in range(0, len(windows), PART):
            yield windows[first : first + PART]


def zeros_report(files: Sequence[Path], data: str | None, images: int | None) -> ZerosReport:
    """Return the report of network files.

    data: a folder with the folders of sets; a network whose set is not there takes what ships
    """
    rows, used = list[Zeros](), dict[str, str]()
    for file in files:
        network = load_network(file)
        of_set = Path(data or "") / network.graph.dataset
        given = str(of_set) if data and network.graph.dataset and of_set.is_dir() else None
        batch = choose_images(network, given, images)
        used[network.graph.name] = f"{batch.about.images} of {batch.about.name}"
        rows += counted(network, batch.images)
    return ZerosReport(
        format="hwgen.report.paper_dbpim_zeros",
        version=1,
        commit=commit(),
        images=used,
        rows=rows,
    )


def zeros_sheet(rows: Sequence[Zeros]) -> Sheet:
    """Return the table of some rows."""
    heads = ["network", "layer", "weights", "zero values", "zero bits", "zero digits"]
    heads += ["bits of the rest", "digits of the rest", "zero bits of inputs"]
    heads += [f"zero columns of {group}" for group in GROUPS[1:]]
    return Sheet(heads, (cells(row) for row in rows))


def cells(row: Zeros) -> list[str]:
    """Return the cells of a row."""
    told = (f"{share:.1%}" for share in shares(row))
    return [row.network, row.layer, f"{row.weights:,}", *told]


def shares(row: Zeros) -> list[float]:
    """Return the shares of a row."""
    found = [row.values, row.bits, row.digits, row.bits_left, row.digits_left]
    return found + [row.columns[str(group)] for group in GROUPS]


def ranges(rows: Sequence[Zeros]) -> Iterator[list[str]]:
    """Yield for each network the least and the most of its layers."""
    for network in dict.fromkeys(row.network for row in rows):
        own = [row for row in rows if row.network == network and row.layer != "all"]
        least, most = min(row.weights for row in own), max(row.weights for row in own)
        columns = zip(*(shares(row) for row in own), strict=True)
        told = (f"{100 * min(each):.1f} to {100 * max(each):.1f}%" for each in columns)
        yield [network, f"{len(own)} layers", f"{least:,} to {most:,}", *told]


def zeros_files(report: ZerosReport) -> Mapping[str, str]:
    """Return page, picture and JSON by name."""
    whole = [row for row in report.rows if row.layer == "all"]
    ranged = zeros_sheet(whole)
    lines = [
        f"# {TITLE}",
        "",
        "For who asks what a network leaves to skip; two minutes. What Fig. 3 of DB-PIM draws, of"
        " the networks that ship. Of layers that macros compute"
        " (one group of channels, 8-bit weights), and of all of them together. Inputs are those of"
        " every window; padding counts as zero. The paper's text does not print the numbers"
        " of its figure.",
        "",
        *(f"- `{network}`: {used} images" for network, used in report.images.items()),
        "",
        f"![{TITLE}]({NAME}.svg)",
        "",
        *zeros_sheet(whole).markdown(),
        "",
        "## Over layers",
        "",
        "The least and the most of a layer; `studies/results/dbpim-zeros.json` has each of them.",
        "",
        *Sheet(ranged.columns, ranges(report.rows)).markdown(),
        "",
        f"- commit: {report.commit or '-'}",
    ]
    return {
        f"{NAME}.md": "\n".join(lines) + "\n",
        f"{NAME}.json": report_text(report),
        f"{NAME}.svg": drawn(whole) + "\n",
    }


def zeros_picture(report: ZerosReport) -> str:
    """Return the SVG of the whole networks."""
    return drawn([row for row in report.rows if row.layer == "all"])


def drawn(rows: Sequence[Zeros]) -> str:
    """Return the SVG of bars of each network."""
    kinds = {
        "zero weights": [row.values for row in rows],
        "zero digits of weights": [row.digits for row in rows],
        "zero bits of inputs": [row.columns["1"] for row in rows],
        "zero columns of 8": [row.columns["8"] for row in rows],
        "zero columns of 16": [row.columns["16"] for row in rows],
    }
    kept, width = list[str](), 0.16
    with picture(COLUMN, 3.4, kept) as axes:
        for turn, (name, shares) in enumerate(kinds.items()):
            places = np.arange(len(rows)) + (turn - (len(kinds) - 1) / 2) * width
            axes.bar(places, 100 * np.array(shares), width, color=SERIES[turn], label=name)
        axes.set_xticks(range(len(rows)), [row.network for row in rows])
        axes.set_ylabel("%")
        axes.grid(axis="y")
        name_series(axes, columns=3)
    return kept[0]
