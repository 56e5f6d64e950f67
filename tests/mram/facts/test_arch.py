"""Architectures: the shipped configs, what follows from them, and every refused size."""

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
import yaml

from hwgen.errors import ConfigError
from hwgen.mram.facts.arch import MOST_MODES, Arch, load_arch, most_modes
from hwgen.mram.facts.storage import storage

CONFIGS = sorted(Path("configs/mram").glob("*.yaml"))
PAPER = Path("configs/mram/paper.yaml")
IN_ARRAY = {"accumulate": "in_array", "write_back": True, "input_rows": 64}
OPTIONS = {each.name: each.default for each in fields(Arch) if each.default is not MISSING}
"""Keys that a file may leave out, and what a chip without the option has."""
USED: dict[str, dict[str, Any]] = {
    "kernels": {"kernels": "any"},
    "bank_arrays": {"bank_arrays": 2},
    "kernel_copies": {"kernel_copies": 2},
    "reset": {"reset": "control"},
    "accumulate": {"accumulate": "in_array", "write_back": True, "input_rows": 53},
}
"""Keys that use an option, of those that are more than one boolean."""


def changed(folder: Path, **values: Any) -> Path:
    """Return a copy of paper.yaml with other values; rows and columns are those of the array."""
    plain = yaml.safe_load(PAPER.read_text())
    for key, value in values.items():
        (plain["array"] if key in ("rows", "columns") else plain)[key] = value
    path = folder / "changed.yaml"
    path.write_text(yaml.safe_dump(plain))
    return path


@pytest.mark.promise(
    "an MRAM architecture file is complete, and each size that cannot be built is refused in"
    " one sentence"
)
@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_is_complete_and_named_like_its_file(path: Path) -> None:
    arch = load_arch(path)
    assert arch.name == path.stem
    # A pixel fits a row of a bank, and a kernel over it fits two row sets.
    assert arch.row_blocks <= 2 * arch.segments
    assert arch.input_columns <= arch.array.columns


def test_the_paper_chip_has_the_sizes_of_the_seed() -> None:
    arch = load_arch(PAPER)
    assert (arch.octets, arch.segment_columns, arch.segments) == (8, 72, 7)
    assert (arch.input_columns, arch.count_bits) == (504, 7)
    assert (arch.row_bytes, arch.row_blocks, arch.bank_bytes) == (64, 8, 16384)
    assert (arch.weight_rows, arch.row_beats, arch.answer_bits) == (240, 2, 32)


def test_storage_names_every_cell() -> None:
    arch = load_arch(PAPER)
    cells = sum(memory.bits for memory in storage(arch) if memory.cells)
    assert cells == (64 + 4) * 256 * 512


@pytest.mark.promise(
    "closed streams, missing memory of Yosys, a clock of 1e-320 MHz and images that are none"
    " are no faults"
)
@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sub_arrays": 48}, "sub_arrays must be a power of two, got 48"),
        ({"sub_arrays": 8192}, "sub_arrays must be less than or equal to 4096, got 8192"),
        ({"rows": 2048}, "array.rows must be less than or equal to 1024, got 2048"),
        ({"columns": 4096}, "array.columns must be less than or equal to 2048, got 4096"),
        ({"block": 6}, "block must be a power of two, got 6"),
        ({"rows": 200}, "array.rows must be a power of two, got 200"),
        ({"columns": 500}, "array.columns must be a power of two, got 500"),
        ({"answer_entries": 100}, "answer_entries must be a power of two, got 100"),
        ({"sub_arrays": 4}, r"block must be at most sub_arrays \(4\), got 8"),
        ({"rows": 32, "input_rows": 17}, r"input_rows must be at most array.rows / 2 \(16\)"),
        ({"port_bits": 512, "columns": 256}, r"port_bits must be at most array.columns \(256\)"),
        ({"columns": 64, "port_bits": 64}, r"array.columns must be at least 9 \* block \(72\)"),
        ({"columns": 2048}, r"array.columns must be at most 16 segments a row, got 2048 \(28\)"),
        ({"input_rows": 7}, r"input_rows must be at least element_bits \(8\), got 7"),
        ({"element_bits": 4}, "element_bits must be 8 or 16, got 4"),
        ({"clock_mhz": 0.0}, "clock_mhz must be greater than or equal to 0.001"),
        ({"clock_mhz": 1e-320}, "clock_mhz must be greater than or equal to 0.001"),
        ({"format": "hwgen.dbpim.architecture"}, "format must be 'hwgen.mram.architecture'"),
        (
            {"write_back": True, "input_rows": 8},
            r"at least element_bits \+ 1 \(9\) with write_back",
        ),
        ({"write_back": True, "overlap": True}, "overlap must be false with write_back"),
        ({"kernel_copies": 3}, "kernel_copies must be a power of two, got 3"),
        ({"kernel_copies": 16}, r"kernel_copies must be at most sub_arrays / block \(8\), got 16"),
        ({"kernel_copies": -2}, "kernel_copies must be greater than or equal to 0, got -2"),
        ({"accumulate": "rows"}, "accumulate must be 'digital' or 'in_array', got 'rows'"),
        (
            {"accumulate": "in_array", "input_rows": 53},
            "write_back must be true with accumulate: in_array, got False",
        ),
        (
            {"accumulate": "in_array", "write_back": True, "input_rows": 44},
            r"at least element_bits \+ 37 \(45\) with accumulate: in_array, got 44",
        ),
        ({**IN_ARRAY, "adder": False}, "adder must be true with accumulate: in_array, got False"),
        ({**IN_ARRAY, "twins": True}, "twins must be false with accumulate: in_array, got True"),
        ({**IN_ARRAY, "element_bits": 16}, "element_bits must be 8 with accumulate: in_array"),
        ({"twins": 1}, "twins must be a valid boolean, got 1"),
        ({"lanes": 8}, "a known key, got the unknown key lanes"),
    ],
)
def test_each_refused_size_is_one_sentence(
    tmp_path: Path, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_arch(changed(tmp_path, **values))


def test_the_digest_covers_what_decides_the_verilog(tmp_path: Path) -> None:
    paper = load_arch(PAPER)
    same = load_arch(changed(tmp_path, name="x", clock_mhz=1.0, memory_latency_cycles=3))
    assert same.digest == paper.digest
    other = load_arch(changed(tmp_path, record_entries=255))
    assert other.digest != paper.digest
    for option, unused in OPTIONS.items():
        values = USED.get(option, {option: not unused})
        used = load_arch(changed(tmp_path, **values))
        assert used.digest != paper.digest
        assert load_arch(changed(tmp_path, **{option: unused})).digest == paper.digest
    assert paper.id_word == int(paper.digest[:8], 16)


def test_modes_are_limited_by_the_mode_table_and_the_records(tmp_path: Path) -> None:
    assert most_modes(load_arch(PAPER)) == MOST_MODES
    few: Arch = load_arch(changed(tmp_path, record_entries=4))
    assert most_modes(few) == 4
