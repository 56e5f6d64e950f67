"""CIFAR-10's two layouts, made small: whole ones are read alike, all others are one sentence."""

import builtins
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hwgen.data import load_dataset
from hwgen.data.cifar import read_cifar10, read_cifar100
from hwgen.data.cifar_facts import CIFAR10, CIFAR100, Facts
from hwgen.errors import DataError, MissingToolError

TILES = 2
COUNTS = {"train": 5 * TILES**2, "test": TILES**2}
UNKNOWN = {"train": (3, 7), "test": ()}
RANDOM = np.random.default_rng(3)
IMAGES = {
    part: RANDOM.integers(0, 256, (n, 32, 32, 3), dtype=np.uint8) for part, n in COUNTS.items()
}
LABELS = {part: (np.arange(n) % 10).astype(np.uint8) for part, n in COUNTS.items()}


def sha256(values: np.ndarray) -> str:
    return hashlib.sha256(values.tobytes()).hexdigest()


def make_facts(facts: Facts, unknown: dict[str, tuple[int, ...]]) -> Facts:
    sums = {}
    for part, images in IMAGES.items():
        known = images.copy()
        known[list(unknown[part])] = 0
        sums[f"mosaic {part}"], sums[f"binary {part}"] = sha256(images), sha256(known)
        sums[f"labels {part}"] = sha256(LABELS[part])
    return replace(facts, tiles=TILES, sha256=sums, unknown=unknown)


FACTS = make_facts(CIFAR10, UNKNOWN)
FACTS100 = make_facts(CIFAR100, {"train": (), "test": ()})


def write_binary(folder: Path) -> None:
    for part, images in IMAGES.items():
        planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
        records = np.concatenate([LABELS[part][:, None], planes], axis=1)
        batches = np.split(records, len(images) // TILES**2)
        names = [f"data_batch_{k + 1}.bin" for k in range(5)] if part == "train" else []
        for name, batch in zip(names or ["test_batch.bin"], batches, strict=True):
            (folder / name).write_bytes(batch.tobytes())


def write_mosaics(folder: Path) -> None:
    image_module = pytest.importorskip("PIL.Image")
    for part, images in IMAGES.items():
        for k, tiles in enumerate(np.split(images, len(images) // TILES**2)):
            grid = tiles.reshape(TILES, TILES, 32, 32, 3).transpose(0, 2, 1, 3, 4)
            picture = image_module.fromarray(grid.reshape(TILES * 32, TILES * 32, 3))
            name = "test.webp" if part == "test" else f"train_{k}.webp"
            picture.save(folder / name, lossless=True, exact=True)
    np.savez(folder / "labels.npz", allow_pickle=False, **LABELS)


WRITERS = {"binary": write_binary, "mosaic": write_mosaics}


@pytest.mark.parametrize("layout", WRITERS)
def test_both_layouts_give_the_same_images(layout: str, tmp_path: Path) -> None:
    WRITERS[layout](tmp_path)
    dataset = read_cifar10(tmp_path, facts=FACTS)
    assert np.array_equal(dataset.train_images, IMAGES["train"])
    assert np.array_equal(dataset.test_images, IMAGES["test"])
    assert np.array_equal(dataset.train_labels, LABELS["train"])
    assert dataset.train_labels.dtype == np.int64


def write_binary100(folder: Path) -> None:
    for part, images in IMAGES.items():
        planes = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
        coarse = LABELS[part][:, None] // 5 + 7
        records = np.concatenate([coarse, LABELS[part][:, None], planes], axis=1)
        (folder / f"{part}.bin").write_bytes(records.tobytes())


@pytest.mark.promise(
    "CIFAR-100 is read from its binary files and from mosaics, and damage is one sentence"
)
@pytest.mark.parametrize("write", [write_binary100, write_mosaics])
def test_cifar100_has_its_fine_labels_in_both_layouts(write: Any, tmp_path: Path) -> None:
    write(tmp_path)
    dataset = read_cifar100(tmp_path, facts=FACTS100)
    assert dataset.name == "cifar100" and len(dataset.class_names) == 100
    assert dataset.class_names[:2] == ("apple", "aquarium_fish")
    for part in ("train", "test"):
        assert np.array_equal(getattr(dataset, f"{part}_images"), IMAGES[part])
        assert np.array_equal(getattr(dataset, f"{part}_labels"), LABELS[part])


def test_damaged_files_of_cifar100_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cifar100 must hold train.bin or train_0.webp, got neit"):
        load_dataset("cifar100", tmp_path)
    write_binary100(tmp_path)
    with pytest.raises(DataError, match=r"train.bin must have 153700000 bytes, got 61480"):
        load_dataset("cifar100", tmp_path)
    path = tmp_path / "test.bin"
    content = bytearray(path.read_bytes())
    content[1] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cifar100 \(labels test\) must have sha256"):
        read_cifar100(tmp_path, facts=FACTS100)
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"cifar100 \(binary test\) must have sha256"):
        read_cifar100(tmp_path, facts=FACTS100)
    write_mosaics(tmp_path)
    (tmp_path / "train.bin").unlink()
    with pytest.raises(DataError, match=r"train_0.webp must be 3200 pixels square"):
        load_dataset("cifar100", tmp_path)


@pytest.mark.parametrize("layout", WRITERS)
def test_another_image_is_refused(layout: str, tmp_path: Path, monkeypatch: Any) -> None:
    changed = IMAGES["test"].copy()
    changed[1, 2, 3, 0] ^= 1
    with monkeypatch.context() as patch:
        patch.setitem(IMAGES, "test", changed)
        WRITERS[layout](tmp_path)
    with pytest.raises(DataError, match=rf"cifar10 \({layout} test\) must have sha256 .*, got "):
        read_cifar10(tmp_path, facts=FACTS)


def test_images_whose_official_bytes_are_unknown_may_differ(
    tmp_path: Path, monkeypatch: Any
) -> None:
    changed = IMAGES["train"].copy()
    changed[7, 0, 0, 0] ^= 1
    with monkeypatch.context() as patch:
        patch.setitem(IMAGES, "train", changed)
        write_binary(tmp_path)
    assert np.array_equal(read_cifar10(tmp_path, facts=FACTS).train_images, changed)


@pytest.mark.parametrize("layout", WRITERS)
def test_other_labels_are_refused(layout: str, tmp_path: Path, monkeypatch: Any) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(LABELS, "test", LABELS["test"][::-1].copy())
        WRITERS[layout](tmp_path)
    with pytest.raises(DataError, match=r"cifar10 \(labels test\) must have sha256"):
        read_cifar10(tmp_path, facts=FACTS)


def test_damaged_batches_are_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"must hold data_batch_1.bin or train_0.webp, got neither"):
        load_dataset("cifar10", tmp_path)
    write_binary(tmp_path)
    with pytest.raises(DataError, match=r"data_batch_1.bin must have 30730000 bytes, got 12292"):
        load_dataset("cifar10", tmp_path)
    path = tmp_path / "test_batch.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match=r"test_batch.bin must have 12292 bytes, got 12291"):
        read_cifar10(tmp_path, facts=FACTS)
    path.unlink()
    with pytest.raises(DataError, match=r"test_batch.bin must be readable, got: No such file"):
        read_cifar10(tmp_path, facts=FACTS)


def test_damaged_mosaics_are_one_sentence(tmp_path: Path) -> None:
    write_mosaics(tmp_path)
    with pytest.raises(DataError, match=r"train_0.webp must be 3200 pixels square in RGB, got"):
        load_dataset("cifar10", tmp_path)
    whole = (tmp_path / "train_1.webp").read_bytes()
    for content in (whole[: len(whole) // 2], b"no image", b""):
        (tmp_path / "train_1.webp").write_bytes(content)
        with pytest.raises(DataError, match=r"train_1.webp must be a whole WebP image, got: "):
            read_cifar10(tmp_path, facts=FACTS)
    np.savez(tmp_path / "labels.npz", allow_pickle=False, train=LABELS["train"])
    with pytest.raises(DataError, match=r"labels.npz must hold the arrays train and test, got: "):
        read_cifar10(tmp_path, facts=FACTS)


def test_pickled_labels_are_not_opened(tmp_path: Path) -> None:
    write_mosaics(tmp_path)
    np.savez(tmp_path / "labels.npz", train=np.array([{}], object), test=LABELS["test"])
    with pytest.raises(DataError, match="Object arrays cannot be loaded"):
        read_cifar10(tmp_path, facts=FACTS)


def test_mosaics_ask_for_their_library(tmp_path: Path, monkeypatch: Any) -> None:
    write_mosaics(tmp_path)
    real_import = builtins.__import__

    def without_pillow(name: str, *arguments: Any) -> Any:
        if name.startswith("PIL"):
            raise ImportError(name)
        return real_import(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without_pillow)
    with pytest.raises(MissingToolError, match="pillow is needed to read WebP mosaics"):
        read_cifar10(tmp_path, facts=FACTS)
