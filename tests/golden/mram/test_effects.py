"""Sums of MRAM sub-arrays whose cells err: exact without effects, and what each effect does."""

from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from golden.mram.effects import ErringArrays, erring
from golden.network import answer, infer
from hwgen.chip.effects import CodePoint, DeviceEffects, load_effects
from hwgen.commands.images import choose_images
from hwgen.errors import ConfigError, FamilyError
from hwgen.files.shipped import tables
from hwgen.mram.compiler import compile_network
from hwgen.mram.facts import Arch, Program
from hwgen.mram.facts.arch import load_arch
from hwgen.mram.facts.records import entry_name
from hwgen.mram.facts.stream import decode_program
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network, network_file
from tests.mram.compiler.executor import Chip
from verif.mram.random_network import OfKernels


@cache
def digits() -> tuple[QuantizedNetwork, Arch, Program]:
    """Return a network of four modes on a small chip, and its program."""
    network = load_network(network_file(Path("cadnn_digits")))
    arch = load_arch(tables("mram")["mram/small"])
    return network, arch, compile_network(network, arch)


def with_effects(**values: float) -> DeviceEffects:
    """Return the effects that ship, with some values and without all others."""
    shipped = load_effects(tables("effects")["effects/sot_mram"])
    none = replace(shipped.cells, failed_writes=0.0, weak_sensing=0.0)
    return replace(shipped, cells=replace(none, **values))


def chips(effects: DeviceEffects, seed: int = 1) -> ErringArrays:
    """Return the sub-arrays of a chip that errs."""
    network, arch, program = digits()
    return ErringArrays(network, arch, effects, seed, program)


def test_a_table_of_codes_is_refused() -> None:
    effects = with_effects()
    table = [CodePoint(code=0, lsb=1.0)]
    bent = replace(effects, converters=replace(effects.converters, nonlinearity=table))
    with pytest.raises(ConfigError, match=r"nonlinearity must be 0, since .*, got a table"):
        chips(bent)


@pytest.mark.promise("without effects of devices every map of an MRAM chip is golden's")
@pytest.mark.parametrize("mode", range(4))
def test_without_effects_maps_are_exact(mode: int) -> None:
    network = digits()[0]
    images = choose_images(network, "digits", 8).images
    found = infer(network, images, mode=mode, sums_by=chips(with_effects()))
    wanted = infer(network, images, mode=mode)
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.parametrize("seed", [24, 64, 72])
def test_without_effects_kernels_of_any_size_are_exact(seed: int) -> None:
    network = OfKernels(seed).build()
    arch = replace(load_arch(tables("mram")["mram/small_any"]), answer_entries=256)
    program = compile_network(network, arch)
    records = decode_program(program.image, arch, source="a test").records
    assert any(record["walk"] and record["kernel_height"] != 3 for record in records)
    arrays = ErringArrays(network, arch, with_effects(), 1, program)
    images = np.random.default_rng(seed).integers(0, 2, (2, *network.graph.input.shape))
    images = images.astype(np.uint8)
    for mode in range(len(network.graph.modes)):
        found = infer(network, images, mode=mode, sums_by=arrays)
        for name, values in infer(network, images, mode=mode).items():
            np.testing.assert_array_equal(found[name], values, err_msg=name)


@pytest.mark.promise("a cell of an MRAM chip whose write failed holds the other bit")
def test_failed_writes_are_cells_that_hold_the_other_bit() -> None:
    """An executor of programs that knows nothing of effects computes the same maps."""
    network, arch, program = digits()
    effects = with_effects(failed_writes=0.01)
    erring_arrays, chip = chips(effects), Chip(program, arch)
    rows = len(erring_arrays._held.cells)
    failed = erring_arrays._held.cells ^ erring_arrays._exact.cells
    assert abs(failed.mean() - 0.01) < 0.001
    chip.cells[:rows] ^= failed
    image = choose_images(network, "digits", 1).images
    for mode in (0, 3):
        wanted, found = (
            chip.run(image[0], mode),
            infer(network, image, mode=mode, sums_by=erring_arrays),
        )
        assert not np.array_equal(
            wanted.maps["conv2"], infer(network, image, mode=mode)["conv2"][0]
        )
        for name, values in wanted.maps.items():
            np.testing.assert_array_equal(found[name][0], values, err_msg=f"{name}, mode {mode}")


def test_weak_cells_turn_each_sensed_bit_over() -> None:
    """AND by AND, as sense amplifiers see them: the definition of a weak cell."""
    network, arch, _ = digits()
    arrays = chips(with_effects(weak_sensing=0.01, failed_writes=0.01))
    image = choose_images(network, "digits", 1).images
    (step,) = arrays._steps("conv2", 0)
    fields = arrays._records[step.record]
    maps = infer(network, image)["conv1"]
    windows = arrays._windows(fields, arrays._stored(fields, step, maps, 0))
    found = arrays._record(fields, windows, arrays._held)
    for position in (0, 5, windows.shape[1] - 1):
        load, place = divmod(position, fields["positions"])
        begin = (load % fields["groups"] << fields["octets_log"]) * arch.block
        kernel = fields["kernels"] - 1
        total = 0
        for row, segment in product(range(1 + fields["two_rows"]), arrays._chain(fields, place)):
            if not fields[entry_name("active", row, segment)]:
                continue
            block = fields[entry_name("block", row, segment)] * arch.block
            seen = windows[0, position, :, :, block : block + arch.block]
            inputs = np.moveaxis(seen, 2, 0).ravel()
            columns = slice(segment * arch.segment_columns, (segment + 1) * arch.segment_columns)
            for plane in range(fields["weight_planes"]):
                here = fields[f"weight_row_{row}"] + plane, begin + kernel, columns
                sign = -1 if plane == fields["weight_planes"] - 1 else 1
                for bit in range(fields["input_planes"]):
                    sensed = (inputs >> bit & 1) & arrays._held.cells[here] ^ arrays._held.weak[
                        here
                    ]
                    total += sign * int(sensed.sum()) << plane + bit
        assert found[0, position, kernel] == total


@pytest.mark.promise("which cell of an MRAM chip errs follows from the file and the seed alone")
def test_a_seed_is_a_chip() -> None:
    network = digits()[0]
    images = choose_images(network, "digits", 6).images
    effects = with_effects(failed_writes=0.01)
    one, same, other = (answer(network, images, sums_by=chips(effects, seed)) for seed in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    assert np.array_equal(answer(network, images[3:], sums_by=chips(effects, 2)), other[3:])


def test_what_is_refused() -> None:
    network, arch, program = digits()
    effects = with_effects()
    with pytest.raises(
        ConfigError, match=r"cells\.drift must be 0, since chips of the family mram"
    ):
        erring(network, arch, replace(effects, cells=replace(effects.cells, drift=0.1)), 1, program)
    with pytest.raises(FamilyError, match="with twins"):
        erring(network, replace(arch, twins=True), effects, 1, program)
