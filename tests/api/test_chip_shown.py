"""How chips show themselves in Python."""

import pytest

from hwgen import api


@pytest.mark.promise("a chip's `repr` is a line, and in a notebook a table of its parts")
@pytest.mark.parametrize("name", ["dbpim/tiny", "mram/tiny", "crossbar/digits_small_cnn"])
def test_a_chip_is_a_line_and_a_table(name: str) -> None:
    chip = api.load_architecture(name)
    family, line = name.partition("/")[0], repr(chip)
    assert line.startswith(f"<{family} chip {chip.name}, ") and " MHz, " in line
    assert chip.parameters.digest.startswith(line[-17:-1]) and len(line) < 100
    table = chip._repr_html_()
    assert table.startswith("<table><caption>&lt;") and len(table) < 20_000
    assert f"<th>name</th><td>{chip.name}</td>" in table
    assert table.count("<tr>") == len(chip.configuration)
