"""Every bench at the sizes of a chip that a person gives: `scripts/test --arch FILE`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from hwgen.chip.replacement import NO_REPLACEMENTS, Replacements
from hwgen.commands.families import load_architecture
from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.chip import Chip, described
from hwgen.crossbar.model.predict import starts_of
from hwgen.errors import HwgenError
from tests.verif.crossbar import test_conductor, test_router
from tests.verif.crossbar.chip_runs import run_whole
from verif.crossbar.array_case import ArrayCase
from verif.crossbar.array_case import settings as array_settings
from verif.crossbar.given_network import network_for
from verif.crossbar.given_sizes import Sizes, array_sizes, different, small_sizes
from verif.crossbar.small_parts import alone, settings
from verif.runner import build, given_replacements, run

IMAGES = 3


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Name a test for each size of an array, and of a small part, of the chip that is given."""
    file = metafunc.config.getoption("--arch")
    if "sizes" not in metafunc.fixturenames:
        return
    found: Mapping[Any, Sizes] = {}
    if file is not None:
        try:
            family, arch = load_architecture(Path(file))
            if family.name == "crossbar":
                of_part = small_sizes if "bench" in metafunc.fixturenames else array_sizes
                found = different(of_part(described(arch)))
        except HwgenError as error:
            raise pytest.UsageError(str(error)) from None
    if "bench" not in metafunc.fixturenames:
        metafunc.parametrize("sizes", found.values(), ids=list(found))
        return
    each = [(bench, sizes) for (bench, _), sizes in found.items()]
    names = [f"{bench}, {where}" for bench, where in found]
    metafunc.parametrize(("bench", "sizes"), each, ids=names)


def run_array(sizes: Sizes, folder: Path) -> None:
    """Run the bench of an array."""
    executable = build(ArrayCase(**sizes).array())
    settings_of = array_settings(**sizes)
    run(executable, module="verif.crossbar.bench_array", folder=folder, settings=settings_of)


def run_small(bench: str, sizes: Sizes, folder: Path) -> None:
    """Run the bench of a small part."""
    executable = build(alone(bench, **sizes))
    module = f"verif.crossbar.bench_{bench}"
    run(executable, module=module, folder=folder, settings=settings(**sizes))


def run_conductor(chip: Chip, folder: Path) -> None:
    """Run the bench of the conductor on one image, and on a stream."""
    streams: list[dict[str, object]] = []
    for images in (1, IMAGES):
        starts, steps = starts_of(chip, images, chip.interval)
        each = [own.tolist() for own in starts.values()]
        facts = {"images": images, "interval": chip.interval, "starts": each, "steps": steps}
        streams.append(dict(facts))
    test_conductor.run_streams(chip, streams, folder)


def run_network(chip: Chip, folder: Path, replacements: Replacements = NO_REPLACEMENTS) -> None:
    """Run a stream of images through a network of random weights: elements, starts, cycles."""
    network = network_for(chip, seed=1)
    whole = run_whole(chip, network, folder, images=2, replacements=replacements)
    whole.compare()
    whole.compare_starts()
    whole.compare_cycles()


@pytest.mark.given_arch
def test_array(sizes: Sizes, tmp_path: Path) -> None:
    run_array(sizes, tmp_path)


@pytest.mark.given_arch
def test_part(bench: str, sizes: Sizes, tmp_path: Path) -> None:
    run_small(bench, sizes, tmp_path)


@pytest.mark.given_arch
def test_router_of_the_mesh(given_arch: Arch, tmp_path: Path) -> None:
    test_router.bench(described(given_arch), tmp_path, "verilator")


@pytest.mark.given_arch
def test_conductor_of_the_chip(given_arch: Arch, tmp_path: Path) -> None:
    run_conductor(described(given_arch), tmp_path)


@pytest.mark.given_arch
def test_network(given_arch: Arch, tmp_path: Path) -> None:
    """Every element, start and cycle of a network of random weights is as predicted."""
    run_network(described(given_arch), tmp_path, given_replacements())
