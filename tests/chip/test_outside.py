"""The memory outside a chip: one constant for all families, with its range and its source."""

from pathlib import Path

import pytest
import yaml

from hwgen import api
from hwgen.chip.outside import FILE, OutsideMemory, Port, outside_memory
from hwgen.commands.families import families
from hwgen.commands.prices import Prices
from hwgen.dbpim.facts.energy import load_energy as load_dbpim
from hwgen.errors import ConfigError
from hwgen.files.load import load_spec, validate_spec
from hwgen.files.shipped import shipped_folder
from hwgen.mram.facts.energy import load_energy as load_mram

TABLES = {
    "dbpim_45nm": load_dbpim,
    "dbpim_28nm": load_dbpim,
    "mram_45nm": load_mram,
}


def test_the_shipped_constant_is_eight_picojoules_a_bit() -> None:
    memory = outside_memory()
    assert memory.of(1000) == pytest.approx((31_375, 64_000, 162_500))
    assert "LPDDR4" in memory.source and "doi:" in memory.source
    assert load_spec(OutsideMemory, FILE).digest == memory.digest


@pytest.mark.parametrize("name", TABLES)
def test_no_table_that_ships_has_a_second_constant(name: str) -> None:
    assert TABLES[name](shipped_folder() / "energy" / f"{name}.yaml").port is None


def test_a_range_that_leaves_the_figure_out_is_refused() -> None:
    port = {"pj": 512, "bits": 64, "low_pj": 600, "source": "mine"}
    with pytest.raises(ConfigError, match="pj must be from low_pj 600"):
        validate_spec(Port, port, source="mine.yaml")


@pytest.mark.parametrize("family", ["dbpim", "mram"])
def test_a_table_of_a_person_may_have_its_own_memory(family: str, tmp_path: Path) -> None:
    prices = Prices(families()[family])
    assert prices.source is not None
    content = yaml.safe_load(Path(shipped_folder().parent / prices.source.file).read_text("utf-8"))
    content |= {"name": "mine", "port": {"pj": 20, "bits": 1, "source": "a data sheet"}}
    file = tmp_path / "mine.yaml"
    file.write_text(yaml.safe_dump(content), encoding="utf-8")
    found = Prices(families()[family], file).outside(100)
    assert (found.low_uj, found.uj, found.high_uj) == pytest.approx((0.016, 0.016, 0.016))
    assert (found.memory.name, found.pj_a_bit) == ("mine", 20)
    assert prices.outside(100).memory.name == "lpddr4"


# By hand: an image of digits has 64 pixels of a byte, and an answer 10 sums of 32 bits. The
# crossbar packs both; mram/paper fills up the channels of a pixel to whole blocks of 8.
BYTES = {
    ("digits_small_cnn", "crossbar/digits_small_cnn"): 64 + 40,
    ("cadnn_digits", "mram/paper"): 64 * 8 + 16 * 4,
}


@pytest.mark.promise(
    "hwgen model and run tell the energy of an image on the chip and with the memory outside, by"
    " which table, and what is counted, for all three families"
)
@pytest.mark.parametrize(("network", "chip"), BYTES)
def test_what_a_chip_keeps_is_not_loaded_with_each_image(
    network: str, chip: str, tmp_path: Path
) -> None:
    context = api.Context(work=tmp_path, console=None)
    one = api.model(network, chip, images=1, context=context).energy
    assert one is not None
    two = api.simulate(network, chip, images=2, engine="model", context=context).image_energy
    assert two is not None
    for each in (one, two):
        assert each.outside.bytes == BYTES[network, chip]
        assert each.outside.uj == pytest.approx(8 * 8 * BYTES[network, chip] / 1e6)
        assert each.with_outside_uj == pytest.approx(each.image_uj + each.outside.uj)
        assert each.image_uj == pytest.approx(each.image_nj / 1000) and each.counted


def test_a_dbpim_chip_loads_its_weights_with_each_run(tmp_path: Path) -> None:
    context = api.Context(work=tmp_path, console=None)
    alone, many = (
        api.model("digits_small_cnn", "dbpim/small", images=8, batch=batch, context=context).energy
        for batch in (1, 8)
    )
    assert alone is not None and many is not None
    assert alone.outside.bytes > many.outside.bytes > 64
