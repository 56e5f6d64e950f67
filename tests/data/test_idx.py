"""Fashion-MNIST's files, made small: whole ones are read, all others are one sentence."""

import gzip
import hashlib
from pathlib import Path

import numpy as np
import pytest

from hwgen.data import load_dataset
from hwgen.data.idx import FASHION_MNIST_CLASSES, read_fashion_mnist
from hwgen.errors import DataError

COUNTS = {"train": 6, "t10k": 4}


def idx(values: np.ndarray) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes((0, 0, 8, values.ndim)) + sizes + values.astype(np.uint8).tobytes()


def write(folder: Path, *, packed: bool) -> dict[str, str]:
    """Write the four files and return their sums."""
    random = np.random.default_rng(1)
    sums = {}
    for part, count in COUNTS.items():
        for name, values in (
            (f"{part}-images-idx3-ubyte", random.integers(0, 256, (count, 28, 28))),
            (f"{part}-labels-idx1-ubyte", np.arange(count)),
        ):
            content = gzip.compress(idx(values)) if packed else idx(values)
            (folder / (f"{name}.gz" if packed else name)).write_bytes(content)
            sums[name] = hashlib.md5(content).hexdigest()
    return sums


@pytest.mark.parametrize("packed", [False, True])
def test_whole_files(packed: bool, tmp_path: Path) -> None:
    sums = write(tmp_path, packed=packed)
    dataset = read_fashion_mnist(tmp_path, md5=sums, counts=COUNTS)
    assert dataset.train_images.shape == (6, 28, 28, 1)
    assert dataset.test_images.shape == (4, 28, 28, 1)
    assert dataset.test_labels.tolist() == [0, 1, 2, 3]
    assert dataset.class_names == FASHION_MNIST_CLASSES
    expected = np.random.default_rng(1).integers(0, 256, (6, 28, 28))
    assert np.array_equal(dataset.train_images[..., 0], expected)


def test_a_wrong_sum_is_refused(tmp_path: Path) -> None:
    write(tmp_path, packed=True)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte.gz must have md5 8d4f.*, got "):
        read_fashion_mnist(tmp_path, counts=COUNTS)


def test_the_official_counts_are_the_default(tmp_path: Path) -> None:
    write(tmp_path, packed=False)
    with pytest.raises(DataError, match="must be an IDX file of 60000 x 28 x 28 bytes, got header"):
        load_dataset("fashion_mnist", tmp_path)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("part", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_a_truncated_file_is_one_sentence(packed: bool, part: str, tmp_path: Path) -> None:
    sums = write(tmp_path, packed=packed)
    path = tmp_path / (f"{part}.gz" if packed else part)
    path.write_bytes(path.read_bytes()[:-3])
    sums[part] = hashlib.md5(path.read_bytes()).hexdigest()
    with pytest.raises(DataError) as caught:
        read_fashion_mnist(tmp_path, md5=sums, counts=COUNTS)
    assert str(caught.value).startswith(f"{path} must ")
    assert "\n" not in str(caught.value)


def test_foreign_and_missing_files(tmp_path: Path) -> None:
    write(tmp_path, packed=False)
    path = tmp_path / "train-labels-idx1-ubyte"
    path.write_text("something else")
    with pytest.raises(DataError, match="must be an IDX file of 6 bytes, got header 736f6d65"):
        read_fashion_mnist(tmp_path, counts=COUNTS)
    path.unlink()
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte or .*gz must be in .*, got neit"):
        read_fashion_mnist(tmp_path, counts=COUNTS)
    path.with_suffix(".gz").write_text("not packed")
    sums = {path.name: hashlib.md5(b"not packed").hexdigest()}
    with pytest.raises(DataError, match="must be readable and whole, got: Not a gzipped file"):
        read_fashion_mnist(tmp_path, md5=sums, counts=COUNTS)
