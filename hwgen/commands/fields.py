"""Fields that several requests share: type, limits, and the words of a command line.

Tests: `tests/commands/test_fit.py`.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field

from hwgen.commands.families import architectures
from hwgen.commands.request import OUTPUT_FILE, OUTPUT_FOLDER, Is, Says
from hwgen.files.earlier import NETWORKS
from hwgen.files.shipped import networks

LARGEST_BATCH = 1024
"""Images of one run at most; a program has instructions for each of them."""
LARGEST_SEED = (1 << 31) - 1
"""Of every seed: it fits the generators of numpy, torch and Verilator."""
MOST_NAME_BYTES = 255
"""Of a file, on every file system here."""
MOST_BITS = 64
"""Of a whole number; a longer one may not even be printable."""
MOST_SIDES = 8
"""Sides of --image-size."""


def plain(value: object) -> object:
    """Return a number of numpy as one of Python; one that fills more than 64 bits is none."""
    if isinstance(value, int) and value.bit_length() > MOST_BITS:
        raise ValueError(f"a number of at most {MOST_BITS} bits")
    return value.item() if isinstance(value, np.generic) else value


def path(value: object) -> object:
    """Return a path that can be one: not empty, without a zero byte."""
    if not isinstance(value, str | os.PathLike) or not (text := os.fspath(value)):
        raise ValueError("a path")
    if "\0" in str(text):
        raise ValueError("a path without zero bytes")
    if max(len(os.fsencode(part)) for part in str(text).split("/")) > MOST_NAME_BYTES:
        raise ValueError(f"a path of names of at most {MOST_NAME_BYTES} bytes")
    return value


File = Annotated[str | Annotated[os.PathLike[str], Is(os.PathLike)], BeforeValidator(path)]
"""A path."""
Whole = Annotated[int, Field(strict=True), BeforeValidator(plain)]
Real = Annotated[float, Field(strict=True, allow_inf_nan=False), BeforeValidator(plain)]
Count = Annotated[Whole, Field(ge=1)]
Images = File | Annotated[NDArray[Any], Is(np.ndarray)]
"""Images: the name of a known set, a folder, a file, or an array (images, height, width,
channels)."""


def path_of(file: File | None) -> Path | None:
    """Return a path, or None."""
    return None if file is None else Path(file)


def images_of(data: Images | None) -> str | NDArray[Any] | None:
    """Return the name of a set of images, the path of a file with images, or the images."""
    return data if data is None or isinstance(data, np.ndarray) else os.fspath(data)


def words(typed: Sequence[str]) -> tuple[str, ...]:
    """Return what stands between commas, of an option that may be given again."""
    return tuple(word.strip() for text in typed for word in text.split(","))


def names(typed: Sequence[str]) -> tuple[str, ...]:
    """Return the names that stand between commas, each once; the option may be given again."""
    return tuple(dict.fromkeys(filter(None, ",".join(typed).split(","))))


def sides(text: str) -> tuple[int, ...]:
    """Return the sides of an image such as 3x224x224."""
    given = text.split("x")
    if len(given) > MOST_SIDES or not all(
        side.isascii() and side.isdigit() and len(side) <= 5 and 0 < int(side) < 1 << 16
        for side in given
    ):
        raise ValueError(f"sides from 1 on such as 3x224x224, got {text}")
    return tuple(map(int, given))


Network = Annotated[
    File,
    Says(
        "a quantized network file (.npz), or the name of one that ships",
        metavar="NETWORK",
        argument=True,
        complete=networks,
        suffixes=(".npz", ".tflite", ".onnx"),
    ),
]
ArchFile = Annotated[
    File,
    Says(
        "an architecture (.yaml), or the name of one that ships",
        metavar="ARCH",
        argument=True,
        complete=architectures,
        suffixes=(".yaml", ".yml"),
    ),
]
Data = Annotated[
    Images | None,
    Says(
        "images: a known set, a folder with its files, or a .npz with `images`"
        " [default: the set that the network was trained on]",
        metavar="NAME|PATH",
        typed=str,
    ),
]
ImageCount = Annotated[Count | None, Says("the first N images [default: all]", metavar="N")]
CountOfRuns = Annotated[
    Count | None, Says("run the first N test images [default: one run]", metavar="N")
]
Batch = Annotated[
    Annotated[Whole, Field(ge=1, le=LARGEST_BATCH)],
    Says("images of one run of the chip", metavar="N"),
]
Sparsity = Annotated[
    str | None,
    Says(
        "all, none, or switches separated by commas, instead of those of ARCH", metavar="SWITCHES"
    ),
]
Replace = Annotated[
    Sequence[str] | None,
    Says(
        "memories of the chip and what replaces each, separated by commas or given again;"
        " `hwgen info ARCH --parts` lists them",
        metavar="PART=FILE",
        typed=list[str],
        read=words,
    ),
]
Seed = Annotated[
    Annotated[Whole, Field(ge=0, le=LARGEST_SEED)], Says("the same seed gives the same result")
]
EffectsFile = Annotated[
    File | None,
    Says(
        "devices that err, a name that ships or your file (.yaml): their cells and converters in"
        " golden and RTL",
        metavar="FILE",
    ),
]
EffectSeed = Annotated[
    Annotated[Whole, Field(ge=0, le=LARGEST_SEED)] | None,
    Says("of the devices that err [default: 1]"),
]
Workers = Annotated[
    Count, Says("processes; changes no result", metavar="N", names=("--jobs", "--workers"))
]
Scheduler = Annotated[
    str | None, Says("a Dask scheduler, instead of processes", metavar="tcp://...")
]
OneMode = Annotated[str | None, Says("a mode of the network [default: the widest]", metavar="NAME")]
ImageSize = Annotated[
    tuple[Count, ...] | None,
    Says(
        "of an ONNX file whose image has open sides, in its order, such as 3x224x224",
        metavar="SIDES",
        typed=str,
        read=sides,
    ),
]
OutFolder = Annotated[
    File | None,
    Says("folder to write [default: one in --work]", metavar="FOLDER", use=OUTPUT_FOLDER),
]
NetworkOut = Annotated[
    File,
    Says(
        "quantized network file to write (.npz)",
        metavar="FILE",
        use=OUTPUT_FILE,
        replaces=NETWORKS,
    ),
]
