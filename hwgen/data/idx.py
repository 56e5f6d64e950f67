"""Fashion-MNIST from its four official IDX files, plain or with `.gz`."""

import gzip
import hashlib
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hwgen.data.dataset import Dataset
from hwgen.errors import DataError

# Published by the authors for the `.gz` files. Unpacked files have no published sum: there the
# header, the counts and the size are checked.
FASHION_MNIST_MD5 = {
    "train-images-idx3-ubyte": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
    "train-labels-idx1-ubyte": "25c81989df183df01b3e8a0aad5dffbe",
    "t10k-images-idx3-ubyte": "bef4ecab320f06d8554ea6380940ec79",
    "t10k-labels-idx1-ubyte": "bb300cfdad3c16e7a12a480ee83cd310",
}
FASHION_MNIST_IMAGES = {"train": 60000, "t10k": 10000}
FASHION_MNIST_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
PIXELS = 28
UNSIGNED_BYTE = 8
"""IDX type code of the only element type in use here."""


def read_fashion_mnist(
    folder: Path,
    *,
    md5: Mapping[str, str] = FASHION_MNIST_MD5,
    counts: Mapping[str, int] = FASHION_MNIST_IMAGES,
) -> Dataset:
    """Return Fashion-MNIST; `md5` and `counts` differ only for other files of the same layout."""
    arrays = {}
    for part, count in counts.items():
        for kind, shape in (
            ("images-idx3", (count, PIXELS, PIXELS)),
            ("labels-idx1", (count,)),
        ):
            name = f"{part}-{kind}-ubyte"
            arrays[part, kind] = read_idx(folder, name, md5=md5.get(name), shape=shape)
    return Dataset(
        name="fashion_mnist",
        train_images=arrays["train", "images-idx3"][..., np.newaxis],
        train_labels=arrays["train", "labels-idx1"].astype(np.int64),
        test_images=arrays["t10k", "images-idx3"][..., np.newaxis],
        test_labels=arrays["t10k", "labels-idx1"].astype(np.int64),
        class_names=FASHION_MNIST_CLASSES,
        preprocessing="grey levels 0 to 255 as they are",
        split="the official test files",
    )


def read_idx(
    folder: Path, name: str, *, md5: str | None, shape: tuple[int, ...]
) -> NDArray[np.uint8]:
    """Return one IDX file of bytes with exactly `shape`, from `name` or `name`.gz in `folder`."""
    path = next((p for p in (folder / name, folder / f"{name}.gz") if p.is_file()), None)
    if path is None:
        raise DataError(f"{name} or {name}.gz must be in {folder}, got neither")
    try:
        content = path.read_bytes()
        if path.suffix == ".gz":
            check_md5(path, content, md5)
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} must be readable and whole, got: {error}") from None
    header = bytes((0, 0, UNSIGNED_BYTE, len(shape)))
    header += b"".join(size.to_bytes(4, "big") for size in shape)
    if not content.startswith(header):
        given = content[: len(header)].hex(" ", 4) or "an empty file"
        wanted = " x ".join(map(str, shape))
        raise DataError(f"{path} must be an IDX file of {wanted} bytes, got header {given}")
    values = np.frombuffer(content, dtype=np.uint8, offset=len(header))
    if values.size != np.prod(shape):
        raise DataError(f"{path} must hold {np.prod(shape)} bytes of data, got {values.size}")
    return values.reshape(shape)


def check_md5(path: Path, content: bytes, md5: str | None) -> None:
    """Refuse a file whose published sum is another one."""
    given = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 is not None and given != md5:
        raise DataError(f"{path} must have md5 {md5}, got {given}")
