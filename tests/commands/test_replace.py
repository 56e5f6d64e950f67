"""--replace: memories of a chip that others stand for, from the file to the simulation."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hwgen import api
from hwgen.chip.replacement import known_replacements, load_replacement
from hwgen.cli import main
from hwgen.errors import ConfigError
from hwgen.files.shipped import shipped_folder

SRAM = shipped_folder() / "replacements/sram_256x32.yaml"
LATCHES = shipped_folder() / "replacements/latches_16x32.yaml"
TINY = shipped_folder() / "dbpim/tiny.yaml"
EXAMPLES = Path(__file__).parents[2] / "docs/examples"
ARRAY = EXAMPLES / "my_array/my_array.yaml"
SUB_ARRAY = Path(__file__).parents[1] / "arrays/sub_array.yaml"
CHIPS = {
    SRAM: (TINY, "activation_bank"),
    LATCHES: (TINY, "psum_array"),
    ARRAY: (EXAMPLES / "my_array/chip.yaml", "dots"),
    SUB_ARRAY: (shipped_folder() / "mram/tiny.yaml", "sub_array"),
}
DIGITS = shipped_folder() / "networks/digits_small_cnn.npz"


def changed(folder: Path, of: Path = SRAM, **keys: Any) -> Path:
    """Return a copy of a replacement with other keys, its Verilog beside it."""
    content = yaml.safe_load(of.read_text())
    content.update(keys)
    verilog = of.with_suffix(".v").read_text()
    (folder / of.with_suffix(".v").name).write_text(verilog)
    file = folder / "mine.yaml"
    file.write_text(yaml.safe_dump(content))
    return file


def ports(of: Path = SRAM) -> list[dict[str, Any]]:
    """Return the ports of a replacement."""
    found: list[dict[str, Any]] = yaml.safe_load(of.read_text())["ports"]
    return found


def renamed(file: Path, old: str, new: str) -> None:
    """Give a module of a replacement another name, in both files."""
    for one in (file, file.parent / "sram_256x32.v"):
        one.write_text(one.read_text().replace(old, new))


@pytest.mark.promise(
    "replacements are built, listed and told, and the page about them is true to the letter"
)
def test_what_ships_is_read() -> None:
    for name in known_replacements():
        assert load_replacement(Path(name)).spec.name == name


@pytest.mark.promise("a replacement that does not fit is one sentence, and nothing is written")
@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"ports": [ports()[0], {**ports()[1], "address": "addr0"}]}, "different names, got addr0"),
        ({"files": {"verilog": ["none.v"]}}, "must be a file beside the replacement, got"),
        ({"files": {"verilog": ["sram_256x32.v"], "lef": "none.lef"}}, "got none.lef"),
        ({"module": "other"}, "got other, which none of them defines"),
        ({"mask_bits": 5}, "mask_bits must be a divisor of 32 bits, got 5"),
        ({"mask_bits": None}, "mask must be left out without mask_bits"),
        ({"read_cycles": 0}, "read_cycles must be at least 1 for a read at a rising edge"),
        ({"ports": [{**ports()[0], "write": None}]}, "write must be given for a port of the kind"),
        ({"ports": [{**ports()[1], "data_in": "d"}]}, "data_in must be left out for a port of"),
        ({"words": 1}, "words must be greater than or equal to 2"),
        ({"colour": "red"}, "colour must be a known key"),
    ],
)
def test_a_wrong_file_is_one_sentence(tmp_path: Path, keys: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError) as told:
        load_replacement(changed(tmp_path, **keys))
    assert sentence in str(told.value)
    assert "mine.yaml" in str(told.value)


@pytest.mark.parametrize(
    ("part", "of", "keys", "sentence"),
    [
        ("activation_bank", SRAM, {"read_cycles": 2}, "read_cycles must be at most 1"),
        ("cell_array", SRAM, {}, "read_cycles must be at most 0"),
        ("activation_bank", SRAM, {"ports": ports()[:1]}, "one that writes and another one that"),
        (
            "activation_bank",
            SRAM,
            {"mask_bits": None, "ports": [{**ports()[0], "mask": None}, ports()[1]]},
            "mask_bits must be a divisor of 8: the part writes slices of 8 bits alone, got no mask",
        ),
        ("activation_bank", SRAM, {"words": 200}, "words must be a power of two, or at least"),
    ],
)
def test_a_memory_that_does_not_fit_is_one_sentence(
    tmp_path: Path, part: str, of: Path, keys: dict[str, Any], sentence: str
) -> None:
    file, out = changed(tmp_path, of, **keys), tmp_path / "chip"
    with pytest.raises(ConfigError) as told:
        api.build(TINY, out=out, replace=[f"{part}={file}"])
    assert sentence in str(told.value)
    assert not out.exists()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["activation_bonk=sram_256x32"], "got activation_bonk: did you mean activation_bank?"),
        (["activation_bank"], "must be PART=FILE, such as"),
        (["activation_bank=nothing"], "the replacement must be a file or one of latches_16x32"),
        (["psum_array=latches_16x32", "psum_array=sram_256x32"], "got two of psum_array"),
        (["register_file=latches_16x32", "register_file_64x64=latches_16x32"], "got two of"),
    ],
)
def test_a_wrong_option_is_one_sentence(tmp_path: Path, given: list[str], sentence: str) -> None:
    with pytest.raises(ConfigError) as told:
        api.build(TINY, out=tmp_path / "chip", replace=given)
    assert sentence in str(told.value)


@pytest.mark.promise("an option that lists things adds them up where it is given again")
def test_an_option_that_is_given_again_adds_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = ("activation_bank=sram_256x32", "psum_array=latches_16x32")
    given = [f"--replace={part}" for part in parts]
    assert main(["build", "dbpim/tiny", "--out", str(tmp_path / "chip"), *given]) == 0
    shown = capsys.readouterr().out
    assert "activation_bank: 4 of sram_1rw1r_256x32_8" in shown
    assert "psum_array: 4 of latches_16x32" in shown


@pytest.mark.promise(
    "the Verilog of a replacement has the ports, directions, widths and parameters that its"
    " file names, in build as in run"
)
@pytest.mark.parametrize(
    ("of", "old", "new", "sentence"),
    [
        (SRAM, "csb1", "csb9", "ports.1.select must be a port of sram_1rw1r_256x32_8: clk0, "),
        (SRAM, "words: 256", "words: 1024", "address must be an input of 10 bits for 1,024 words"),
        (SRAM, "bits: 32", "bits: 16", "ports.0.data_in must be an input of 16 bits, got din0, an"),
        (
            SRAM,
            "mask_bits: 8",
            "mask_bits: 16",
            "mask must be an input of 2 bits, got wmask0, an i",
        ),
        (
            SRAM,
            "address: addr1\n    data_out: dout1",
            "address: dout1\n    data_out: addr1",
            "ports.1.address must be an input of 8 bits for 256 words, got dout1, an output of 32",
        ),
        (LATCHES, "raddr", "rdat", "got rdat: did you mean rdata?"),
        (
            ARRAY,
            "inputs: 4",
            "inputs: 8",
            "pins.x must be an input of 8 bits, got X, an input of 4",
        ),
        (ARRAY, "sums: Y", "sums: Z", "pins.sums must be a port of my_array: CK, X, A, WEB, D, Y,"),
        (SUB_ARRAY, "ROWS: rows", "ROWZ: rows", "ROWZ must be a parameter of their_sub_array, got"),
    ],
)
def test_the_verilog_has_the_ports_that_the_file_names(
    tmp_path: Path, of: Path, old: str, new: str, sentence: str
) -> None:
    """In `build` as in `run`, by the name of the file and of the pin; nothing is written."""
    text = of.read_text()
    assert text.count(old) >= 1
    (tmp_path / "mine.yaml").write_text(text.replace(old, new, 1))
    verilog = of.with_suffix(".v")
    (tmp_path / verilog.name).write_text(verilog.read_text())
    arch, part = CHIPS[of]
    replace = [f"{part}={tmp_path / 'mine.yaml'}"]
    for call in (
        lambda: api.build(arch, out=tmp_path / "chip", replace=replace),
        lambda: api.simulate(DIGITS, arch, replace=replace),
    ):
        with pytest.raises(ConfigError) as told:
            call()
        assert sentence in str(told.value)
        assert "mine.yaml" in str(told.value)
    assert not (tmp_path / "chip").exists()


def test_replacements_are_for_simulations() -> None:
    network = shipped_folder() / "networks/digits_small_cnn.npz"
    given = ["activation_bank=sram_256x32"]
    with pytest.raises(ConfigError, match="engine must be rtl, a simulation, for replace, got"):
        api.simulate(network, TINY, replace=given, engine="model")


@pytest.mark.dear
def test_accesses_take_the_energy_of_the_file(tmp_path: Path) -> None:
    """Reads of words, and of words written in slices their share; without figures nothing."""
    figures = {"source": "test", "read_pj": 3.0, "write_pj": 5.0}
    banks = changed(tmp_path, figures=figures)
    given = [f"activation_bank={banks}", f"psum_array={LATCHES}"]
    report = api.simulate(DIGITS, TINY, replace=given)
    events = report.runs[0].events_rtl
    assert events is not None and report.equal
    reads = events["bank_reads"] + events["residual_sums"]
    first, second = sorted(report.replaced, key=lambda one: one.part)
    assert (first.part, first.banks, first.columns) == ("activation_bank", 4, 1)
    assert first.energy_pj == pytest.approx(reads * 3.0 + events["bank_bytes"] * 5.0 / 4)
    # CACTI's SRAM of 16 KB: 10.8 pJ a read of 16 bytes, 23.2 a write of as many.
    assert first.table_pj == pytest.approx(reads * 10.8 * 4 / 16 + events["bank_bytes"] * 23.2 / 16)
    assert (second.energy_pj, second.table_pj) == (None, None)


def test_a_module_of_the_chip_has_its_name(tmp_path: Path) -> None:
    file = changed(tmp_path)
    renamed(file, "sram_1rw1r_256x32_8", "dbpim_walker")
    with pytest.raises(ConfigError, match="a name that no other module of the chip has, got"):
        api.build(TINY, out=tmp_path / "chip", replace=[f"activation_bank={file}"])


@pytest.mark.dear
def test_build_writes_the_wrapper_and_what_it_places(tmp_path: Path) -> None:
    out = tmp_path / "chip"
    report = api.build(TINY, out=out, replace=["activation_bank=sram_256x32"])
    (part,) = report.replaced
    assert (part.banks, part.columns, part.copies) == (4, 1, 1)
    assert report.modules["sram_1rw1r_256x32_8"] == 4 * report.modules["dbpim_activation_bank"]
    assert "sram_256x32.v" in (out / "files.f").read_text()
    assert (out / "sram_256x32.v").read_text() == SRAM.with_suffix(".v").read_text()
    assert "sram_256x32.v" in json.loads((out / "manifest.json").read_text())["files"]


def test_info_lists_what_each_memory_needs() -> None:
    memories = {one.name: one for one in api.info(TINY, parts=True).memories or ()}
    bank, sums = memories["activation_bank"], memories["psum_array"]
    assert (bank.words, bank.bits, bank.slice_bits, bank.read_cycles) == (1024, 32, 8, 1)
    assert (bank.one_address, bank.reads_what_it_writes) == (False, False)
    assert (sums.one_address, sums.reads_what_it_writes, sums.read_cycles) == (True, True, 0)


def whole(arch: str, network: str) -> None:
    """Run a network on a chip whose every memory is another one's."""
    file = shipped_folder() / f"{arch}.yaml"
    kinds = {0: "latches_16x32", 1: "sram_256x32"}
    memories = api.info(file, parts=True).memories or []
    given = [f"{one.name}={kinds[one.read_cycles]}" for one in memories]
    report = api.simulate(shipped_folder() / f"networks/{network}.npz", file, replace=given)
    assert report.equal
    assert report.in_time
    assert len(report.replaced) == len(given) > 0


@pytest.mark.promise(
    "a network runs where every memory of its chip is replaced, each element and cycle equal"
)
def test_a_network_runs_where_every_memory_is_replaced() -> None:
    """Every element, cycle and event of digits on DB-PIM is golden's and the model's."""
    whole("dbpim/tiny", "digits_small_cnn")


@pytest.mark.long
@pytest.mark.parametrize(
    ("arch", "network"),
    [
        ("mram/small", "cadnn_digits"),
        ("crossbar/digits_small_cnn", "digits_small_cnn"),
        ("dbpim/small_rows", "digits_vit"),
    ],
)
def test_a_network_of_each_family_runs_where_every_memory_is_replaced(
    arch: str, network: str
) -> None:
    whole(arch, network)
