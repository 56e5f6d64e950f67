"""Files that ship are found by name, from any folder; what a name does not find lists the names."""

from pathlib import Path

import numpy as np
import pytest

from hwgen.commands.families import architectures, load_architecture
from hwgen.commands.images import choose_images
from hwgen.data import load_dataset
from hwgen.errors import ConfigError, DataError
from hwgen.files import shipped
from hwgen.files.npz import read_npz
from hwgen.network.file import load_network

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.promise(
    "an installed command finds networks and architectures that ship by name, and lists the names"
)
@pytest.mark.parametrize("name", shipped.networks())
def test_each_network_is_found_by_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    expected = load_network(CONFIGS / "networks" / f"{name}.npz")
    assert load_network(Path(name)).digest == expected.digest


def test_names_cover_every_file() -> None:
    found = {"networks": shipped.networks(), "images": shipped.images()}
    for folder, known in found.items():
        assert set(known.values()) == set((CONFIGS / folder).rglob("*.npz"))
    assert set(shipped.recipes().values()) == set((CONFIGS / "train").glob("*.yaml"))
    chips = {*(CONFIGS / "dbpim").glob("*.yaml"), *(CONFIGS / "mram").glob("*.yaml")}
    chips.add(CONFIGS / "crossbar/digits_small_cnn.yaml")
    assert set(architectures().values()) == chips
    assert "dbpim/small" in architectures()


def test_a_name_is_an_architecture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    _, arch = load_architecture(Path("dbpim/small"))
    _, expected = load_architecture(CONFIGS / "dbpim" / "small.yaml")
    assert arch.digest == expected.digest


def test_a_file_goes_before_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    known = {"here": CONFIGS / "dbpim" / "small.yaml"}
    assert shipped.file_of(Path("here"), known, what="it") == known["here"]
    Path("here").write_text("", encoding="ascii")
    assert shipped.file_of(Path("here"), known, what="it") == Path("here")
    assert shipped.file_of(Path("here.yaml"), known, what="it") == Path("here.yaml")


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("dbpim/smal", "dbpim/small or dbpim/small_rows"),
        ("DBPIM/Tiny", "dbpim/tiny"),
    ],
)
def test_a_name_that_is_nearly_right_gets_the_near_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, near: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_architecture(Path(given))
    assert str(caught.value) == (
        f"the architecture must be a file or a name that ships, got {given}: did you mean {near}?"
        " (command line)"
    )


def test_an_unknown_name_lists_the_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        load_architecture(Path("quite_another"))
    known = ", ".join(architectures())
    assert str(caught.value) == (
        f"the architecture must be a file or one of {known}, got quite_another (command line)"
    )


@pytest.mark.promise(
    "a network that ships runs without its set of images, with the same first images where"
    " those may ship"
)
@pytest.mark.promise(
    "the site builds without a warning, with four kinds of pages, every command and every kind"
    " of error"
)
def test_the_digits_that_ship_are_the_first_test_images() -> None:
    arrays = read_npz(shipped.images()["digits"], what="images", allowed="images")
    digits = load_dataset("digits")
    count = len(arrays["images"])
    assert np.array_equal(arrays["images"], digits.test_images[:count])
    assert np.array_equal(arrays["labels"], digits.test_labels[:count])


def test_they_are_taken_where_they_are_enough() -> None:
    network = load_network(Path("digits_small_cnn"))
    few, all_of_them = choose_images(network, None, 16), choose_images(network, None, None)
    assert few.about.name == all_of_them.about.name
    assert few.about.split == all_of_them.about.split
    assert np.array_equal(few.images, all_of_them.images[:16])
    assert few.labels is not None and all_of_them.labels is not None
    assert np.array_equal(few.labels, all_of_them.labels[:16])
    more = choose_images(network, None, 17)
    assert np.array_equal(more.images, all_of_them.images[:17])


@pytest.mark.parametrize("name", shipped.networks())
def test_each_network_runs_without_a_set_of_images(name: str) -> None:
    network = load_network(Path(name))
    batch = choose_images(network, None, 2)
    assert batch.images.shape == (2, *network.graph.input.shape)
    without_labels = ("cifar10", "")
    assert (batch.labels is None) == (network.graph.dataset in without_labels)


def test_images_in_place_of_a_set_are_not_the_set() -> None:
    network = load_network(Path("cifar10_resnet20_50"))
    assert choose_images(network, None, 2).about.name == "drawn waves in place of cifar10"
    with pytest.raises(DataError, match="must be given a folder"):
        choose_images(network, "cifar10", 2)


def test_a_report_names_what_ships_the_same_everywhere() -> None:
    assert shipped.shown(CONFIGS / "dbpim" / "small.yaml") == "configs/dbpim/small.yaml"
    assert shipped.shown(Path("mine.yaml")) == "mine.yaml"
