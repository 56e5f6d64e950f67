"""The embedded data: 1797 handwritten digits of 8 x 8 pixels that come with scikit-learn."""

import numpy as np

from hwgen.data.dataset import Dataset, stratified_test

SPLIT_SEED = 0
TEST_SHARE = 0.2
GREY_LEVELS = 16
"""The source counts ink from 0 to 16; 16 becomes 255."""


def read_digits() -> Dataset:
    """Return the digits, every fifth one of a class for testing."""
    # The names of all sets are known without the package that has this one.
    from sklearn.datasets import load_digits

    bunch = load_digits()
    images = np.rint(bunch.images * (255 / GREY_LEVELS)).astype(np.uint8)[..., np.newaxis]
    labels = bunch.target.astype(np.int64)
    test = np.zeros(len(labels), dtype=bool)
    test[stratified_test(labels, share=TEST_SHARE, seed=SPLIT_SEED)] = True
    return Dataset(
        name="digits",
        train_images=images[~test],
        train_labels=labels[~test],
        test_images=images[test],
        test_labels=labels[test],
        class_names=tuple(str(digit) for digit in range(10)),
        preprocessing="grey levels 0 to 16 become bytes 0 to 255, rounded",
        split=f"stratified, {TEST_SHARE:.0%} of each class for testing, seed {SPLIT_SEED}",
    )
