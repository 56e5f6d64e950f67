"""Small parts of a macro, each alone, in one executable."""

from pathlib import Path

import pytest

from verif.crossbar.small_parts import alone, settings, small_parts
from verif.runner import Waves, build, run


def run_part(name: str, folder: Path, simulator: str, waves: Waves | None = None) -> None:
    """Run the bench of one part."""
    bench = build(small_parts(), simulator=simulator, waves=waves)
    run(bench, module=f"verif.crossbar.bench_{name}", folder=folder)


@pytest.mark.promise(
    "a packer puts chunks of any length behind each other, from any place of a word on"
)
def test_packer(icarus: str, tmp_path: Path) -> None:
    run_part("packer", tmp_path, icarus)


@pytest.mark.promise(
    "the port of a scratchpad serves the first of those that ask, each as often as an access allows"
)
def test_pad(icarus: str, tmp_path: Path) -> None:
    run_part("pad", tmp_path, icarus)


@pytest.mark.promise("a requantizer gives golden's elements, in their order and in a known clock")
def test_requantizer(icarus: str, tmp_path: Path) -> None:
    run_part("requantizer", tmp_path, icarus)


def test_requantizer_of_raw_sums(icarus: str, tmp_path: Path) -> None:
    bench = build(alone("requantizer", raw=True), simulator=icarus)
    module, settings_of = "verif.crossbar.bench_requantizer", settings(raw=True)
    run(bench, module=module, folder=tmp_path, settings=settings_of)


@pytest.mark.promise(
    "a block reader keeps the elements of two blocks in their order, from any place of a ring,"
    " also where one begins right behind the other"
)
def test_block_reader(icarus: str, tmp_path: Path) -> None:
    run_part("block_reader", tmp_path, icarus)


@pytest.mark.promise(
    "a window counter gives what each block of a layer needs of its input map, image after image"
)
def test_window_counter(icarus: str, tmp_path: Path) -> None:
    run_part("window_counter", tmp_path, icarus)


@pytest.mark.promise(
    "each macro of a chain hands on golden's sums, in the clock in which a flit must leave"
)
def test_chain(icarus: str, tmp_path: Path) -> None:
    run_part("chain", tmp_path, icarus)


@pytest.mark.promise(
    "a receiver writes the elements of its travel, and no others, behind each other into the"
    " ring of every reader"
)
def test_receiver(icarus: str, tmp_path: Path) -> None:
    run_part("receiver", tmp_path, icarus)


@pytest.mark.promise(
    "packets of any sources are gathered in their places, the header of one right behind the"
    " last flit of another"
)
def test_gather(icarus: str, tmp_path: Path) -> None:
    run_part("gather", tmp_path, icarus)


@pytest.mark.promise(
    "every result reaches memory whatever the order of their ends, and an image retires with"
    " the last of them"
)
@pytest.mark.promise("every result leaves a crossbar chip once, at its place, whatever ends first")
def test_result_collector(icarus: str, tmp_path: Path) -> None:
    run_part("result_collector", tmp_path, icarus)


NAMES = ["packer", "pad", "requantizer", "chain", "receiver", "gather", "result_collector"]
NAMES += ["block_reader", "window_counter"]


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_under_verilator(name: str, tmp_path: Path, waves: Waves | None) -> None:
    run_part(name, tmp_path, "verilator", waves)
