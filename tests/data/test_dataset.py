"""Images use the whole byte, the split is fixed, and a mistake is one sentence."""

import dataclasses
import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hwgen.data import DATASETS, Dataset, load_dataset
from hwgen.data.dataset import stratified_test
from hwgen.errors import DataError

DIGITS_TEST_SHA256 = "de8bf99637c3e60e87011cd947e552ad0126e544ae99ac0d98098f03a309ffae"


def test_digits_use_the_whole_byte_and_keep_their_split() -> None:
    digits = load_dataset("digits")
    assert digits.shape == (8, 8, 1)
    assert (len(digits.train_images), len(digits.test_images)) == (1438, 359)
    assert (digits.train_images.min(), digits.train_images.max()) == (0, 255)
    assert digits.class_names == tuple("0123456789")
    shares = np.bincount(digits.test_labels) / np.bincount(digits.train_labels)
    assert np.allclose(shares, 0.25, atol=0.01)
    again = load_dataset("digits")
    assert np.array_equal(again.test_images, digits.test_images)
    # The split is part of every published accuracy: it may not move unnoticed.
    assert hashlib.sha256(digits.test_images.tobytes()).hexdigest() == DIGITS_TEST_SHA256
    with pytest.raises(ValueError, match="read-only"):
        digits.test_images[0] = 0


def test_a_stratified_split_takes_the_same_share_of_each_class() -> None:
    labels = np.repeat(np.arange(3), (10, 20, 30))
    chosen = stratified_test(labels, share=0.2, seed=7)
    assert np.bincount(labels[chosen]).tolist() == [2, 4, 6]
    assert np.array_equal(chosen, np.unique(chosen))
    assert not np.array_equal(chosen, stratified_test(labels, share=0.2, seed=8))


@pytest.mark.parametrize(
    ("name", "path", "sentence"),
    [
        ("mnist", None, f"the dataset must be one of {', '.join(DATASETS)}, got mnist"),
        ("cifar10", None, "the dataset cifar10 must be given a folder with its files, got none"),
        ("cifar10", "absent", "the folder of cifar10 must exist, got absent"),
        ("digits", "here", "the dataset digits must be used without a folder, got here"),
    ],
)
def test_mistakes_are_one_sentence(name: str, path: str | None, sentence: str) -> None:
    with pytest.raises(DataError) as caught:
        load_dataset(name, path and Path(path))
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"train_images": np.zeros((2, 4, 4, 1))}, "train images of tiny must be uint8"),
        ({"test_images": np.zeros((2, 4, 4), np.uint8)}, "test images of tiny must be uint8"),
        ({"train_labels": np.zeros(3, np.int64)}, "train labels of tiny must be one for each of 2"),
        ({"test_labels": np.full(2, 2)}, "test labels of tiny must be from 0 to 1, got 2 to 2"),
    ],
)
def test_a_dataset_is_consistent(change: dict[str, np.ndarray], sentence: str) -> None:
    images, labels = np.zeros((2, 4, 4, 1), np.uint8), np.zeros(2, np.int64)
    good = Dataset(
        name="tiny",
        train_images=images,
        train_labels=labels,
        test_images=images,
        test_labels=labels,
        class_names=("a", "b"),
        preprocessing="none",
        split="none",
    )
    with pytest.raises(DataError, match=sentence):
        dataclasses.replace(good, **change)


def test_images_come_without_torch() -> None:
    code = (
        "import sys, hwgen.data; hwgen.data.load_dataset('digits'); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
