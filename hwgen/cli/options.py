"""Arguments that several commands share."""

from enum import StrEnum
from pathlib import Path
from string import hexdigits
from typing import Annotated

from typer import Argument, BadParameter, Option

from hwgen.api.arguments import LARGEST_BATCH
from hwgen.api.commands import architectures, networks
from hwgen.cli.outputs import CACHE, INPUT, OUTPUT_FILE, REPORT

ADDRESS_DIGITS = 16
"""Of a hexadecimal byte address in 64 bits."""
MOST_SIDES = 8
"""Sides of --image-size."""


def network_names(incomplete: str) -> list[str]:
    """Return the networks that ship whose names begin so, for a shell."""
    return [name for name in networks() if name.startswith(incomplete)]


def architecture_names(incomplete: str) -> list[str]:
    """Return the architectures that ship whose names begin so, for a shell."""
    return [name for name in architectures() if name.startswith(incomplete)]


Network = Annotated[
    Path,
    Argument(
        metavar="NETWORK",
        help="a quantized network file (.npz), or the name of one that ships",
        autocompletion=network_names,
    ),
]
Arch = Annotated[
    Path,
    Argument(
        metavar="ARCH",
        help="an architecture (.yaml), or the name of one that ships",
        autocompletion=architecture_names,
    ),
]
Json = Annotated[
    Path | None,
    Option(
        "--json",
        metavar="FILE",
        help="write the report as JSON as well; -: print it, and nothing else",
    ),
    REPORT,
]
Work = Annotated[
    Path,
    Option("--work", metavar="FOLDER", help="folder of cached results"),
    CACHE,
]
Sparsity = Annotated[
    str | None,
    Option(
        "--sparsity",
        metavar="SWITCHES",
        help="all, none, or switches separated by commas, instead of those of ARCH",
    ),
]
Data = Annotated[
    str | None,
    Option(
        "--data",
        metavar="NAME|PATH",
        help="images: a known set, a folder with its files, or a .npz with `images`"
        " [default: the set that the network was trained on]",
    ),
    INPUT,
]
Count = Annotated[int, Option("--images", metavar="N", help="run the first N test images")]
CountOfRuns = Annotated[
    int | None,
    Option("--images", metavar="N", help="run the first N test images [default: one run]"),
]
Mode = Annotated[
    str | None,
    Option("--mode", metavar="NAME", help="mode of all images, such as 0.5x [default: the widest]"),
]
Modes = Annotated[
    str | None,
    Option(
        "--modes",
        metavar="NAMES",
        help="mode of each image, separated by commas; after the last one the first one follows"
        " again",
    ),
]
BatchOfModes = Annotated[
    int | None,
    Option(
        "--batch",
        metavar="N",
        min=1,
        max=LARGEST_BATCH,
        help="images of one run of the chip [default: 1; with --modes all]",
    ),
]


class Simulated(StrEnum):
    """Whether the Verilog is simulated, or cycles are predicted only."""

    rtl = "rtl"
    model = "model"


EngineOfResults = Annotated[Simulated, Option(help="rtl simulates and compares; needs Verilator")]
Trace = Annotated[
    Path | None,
    Option(
        "--trace",
        metavar="FILE",
        help="timeline of the first run (.json) for Perfetto or chrome://tracing",
    ),
    OUTPUT_FILE,
]
Batch = Annotated[
    int,
    Option("--batch", metavar="N", min=1, max=LARGEST_BATCH, help="images of one run of the chip"),
]
ImageSize = Annotated[
    str | None,
    Option(
        "--image-size",
        metavar="SIDES",
        help="of an ONNX file whose image has open sides, in its order, such as 3x224x224",
    ),
]


def address_of(text: str | None) -> int | None:
    """Return the byte address that --bus-error names, hexadecimal; None without it."""
    if text is None:
        return None
    digits = text.lower().removeprefix("0x")
    if not 0 < len(digits) <= ADDRESS_DIGITS or set(digits) - set(hexdigits):
        raise BadParameter(
            f"--bus-error must have 1 to {ADDRESS_DIGITS} hexadecimal digits, got {text}"
        )
    return int(digits, 16)


def schedule(mode: str | None, modes: str | None) -> tuple[str, ...] | None:
    """Return the names of --mode or --modes; None without either."""
    if mode is not None and modes is not None:
        raise BadParameter("--mode and --modes exclude each other")
    if mode is not None:
        return (mode,)
    return None if modes is None else tuple(name.strip() for name in modes.split(","))


def sides_of(text: str | None) -> tuple[int, ...] | None:
    """Return the sides that --image-size names."""
    if text is None:
        return None
    sides = text.split("x")
    if len(sides) > MOST_SIDES or not all(
        side.isascii() and side.isdigit() and len(side) <= 5 and 0 < int(side) < 1 << 16
        for side in sides
    ):
        raise BadParameter(f"--image-size must be sides from 1 on such as 3x224x224, got {text}")
    return tuple(map(int, sides))
