"""Durations of architecture files: golden's and the pipeline's are those of files, no others."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from hwgen.cli import main
from hwgen.crossbar.facts import arch as facts
from hwgen.crossbar.facts.arch import Arch, arch_text, chip_of, choice_of
from hwgen.crossbar.facts.arch_fabric import ArchFabric, Operation
from hwgen.crossbar.facts.layout import floorplan
from hwgen.crossbar.facts.operations import OPERATIONS
from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.record import make_arch
from hwgen.crossbar.pages.architectures import check_durations, load_arch
from hwgen.errors import ConfigError
from tests.crossbar.model.conducted import random_design
from tests.synthesis import ROOT, confirmed
from verif.reference.crossbar.durations import operations_of

DIGITS = ROOT / "configs/crossbar/digits_small_cnn.yaml"
NETWORK = ROOT / "configs/networks/digits_small_cnn.npz"
NUMBERS = [each.name for each in fields(Operation) if each.name != "name"]


@pytest.fixture(scope="module")
def arch() -> Arch:
    """Blocks of its layers go through every operation there is under strict rules."""
    return make_arch(confirmed(), "small")


def fabric_of(arch: Arch) -> ArchFabric:
    assert arch.fabric is not None
    return arch.fabric


def in_golden(arch: Arch) -> list[tuple[Operation, ...]]:
    """Return the operations of all layers as golden has them."""
    network = arch.whole_network
    plan = floorplan(network, arch, arch.point, STRICT, choice_of(arch))
    return operations_of(chip_of(arch, network, plan))


def with_operations(arch: Arch, place: int, operations: tuple[Operation, ...]) -> Arch:
    """Return the architecture with other operations of a layer; all else is as it was."""
    layers = list(fabric_of(arch).layers)
    layers[place] = replace(layers[place], operations=operations)
    return replace(arch, fabric=replace(fabric_of(arch), layers=tuple(layers)))


def changed(arch: Arch, name: str, **values: Any) -> tuple[Arch, str]:
    """Return the architecture with another value of the first operation of a name, and where."""
    for place, layer in enumerate(fabric_of(arch).layers):
        for k, operation in enumerate(layer.operations):
            if operation.name == name:
                spoilt = list(layer.operations)
                spoilt[k] = replace(operation, **values)
                where = f"fabric.layers.{place}.operations.{k}"
                return with_operations(arch, place, tuple(spoilt)), where
    raise AssertionError(f"no layer has the operation {name}")


@pytest.mark.promise(
    "the durations of an architecture file are those of the compiled evaluator and of golden;"
    " every command that reads a file refuses the first that differs"
)
@pytest.mark.parametrize("seed", range(8))
def test_a_file_has_the_durations_of_golden(seed: int) -> None:
    found = random_design(seed)
    if found is not None:
        made = make_arch(found, "random")
        assert [layer.operations for layer in fabric_of(made).layers] == in_golden(made)


def test_a_shipped_chip_has_the_durations_of_golden() -> None:
    shipped = load_arch(DIGITS)
    assert [layer.operations for layer in fabric_of(shipped).layers] == in_golden(shipped)


@pytest.mark.dear("eltwise-steps")
@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", [each for each in OPERATIONS if each != "merge"])
def test_a_wrong_duration_is_refused(arch: Arch, tmp_path: Path, name: str, number: str) -> None:
    """The digest is that of the changed file, so that nothing else in it is wrong."""
    first = next(
        operation
        for layer in fabric_of(arch).layers
        for operation in layer.operations
        if operation.name == name
    )
    wanted = getattr(first, number)
    spoilt, where = changed(arch, name, **{number: wanted + 1})
    file = tmp_path / "arch.yaml"
    file.write_text(arch_text(spoilt), encoding="utf-8")
    assert facts.load_arch(file) == spoilt
    with pytest.raises(ConfigError) as error:
        load_arch(file)
    said = f"{where}.{number} must be as planned ({wanted}), got {wanted + 1}"
    assert str(error.value) == f"{said} ({file})"


def test_the_operations_of_a_layer_are_those_that_it_needs(arch: Arch) -> None:
    operations = fabric_of(arch).layers[0].operations
    for given, said in (
        (operations[1:], r"number of fabric\.layers\.0\.operations"),
        ((*operations, operations[-1]), r"number of fabric\.layers\.0\.operations"),
        ((operations[1], operations[0], *operations[2:]), r"operations\.0\.name"),
    ):
        with pytest.raises(ConfigError, match=said):
            check_durations(with_operations(arch, 0, given), "arch.yaml")


def test_a_layer_that_is_missing_is_refused(arch: Arch) -> None:
    fabric = fabric_of(arch)
    with pytest.raises(ValueError, match=r"number of fabric\.layers"):
        replace(arch, fabric=replace(fabric, layers=fabric.layers[1:]))


def test_parts_that_no_table_has_are_refused(arch: Arch) -> None:
    constants = fabric_of(arch).constants
    odd = replace(constants, scratchpad=replace(constants.scratchpad, kilobytes=48))
    strange = replace(
        arch,
        scratchpad=replace(arch.scratchpad, kilobytes=48),
        fabric=replace(fabric_of(arch), constants=odd),
    )
    with pytest.raises(ConfigError, match=r"scratchpads\.capacities must be powers of two"):
        check_durations(strange, "arch.yaml")


@pytest.mark.parametrize("command", ["build", "run", "model", "info"])
def test_commands_refuse_a_wrong_duration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    spoilt, where = changed(facts.load_arch(DIGITS), "store", period=999)
    file = tmp_path / "arch.yaml"
    file.write_text(arch_text(spoilt), encoding="utf-8")
    out = ["--out", str(tmp_path / "chip")] if command == "build" else []
    network = [str(NETWORK)] if command in ("run", "model") else []
    assert main([command, *network, str(file), *out, "--work", str(tmp_path / "work")]) == 2
    assert f"{where}.period must be as planned" in capsys.readouterr().err
