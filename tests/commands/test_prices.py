"""`--energy`: a table of a person takes the place of the family's, and is named in the report."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from hwgen import api
from hwgen.cli import main
from hwgen.commands.families import families
from hwgen.commands.netlists import Synthesized, told_of_table
from hwgen.commands.prices import Prices
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.facts.energy import TABLE, load_energy
from hwgen.physical.read_library import default_library, load_library
from tests.cli.given import NETWORK, TINY

CHIPS = {"dbpim": TINY, "mram": "mram/tiny"}


def twice(value: Any) -> Any:
    """Return a table all of whose pJ are doubled, and all of whose powers and areas."""
    if isinstance(value, list):
        return [twice(each) for each in value]
    if isinstance(value, dict):
        doubled = ("pj", "mw", "uw")
        return {
            key: 2 * each if key in doubled and not isinstance(each, dict) else twice(each)
            for key, each in value.items()
        }
    return value


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Path]:
    """Write the DB-PIM table under another name, changed by a function."""

    def write(change: Callable[[Any], Any] = lambda content: content) -> Path:
        content = change(yaml.safe_load(TABLE.read_text(encoding="utf-8"))) | {"name": "mine"}
        file = tmp_path / "mine.yaml"
        file.write_text(yaml.safe_dump(content), encoding="utf-8")
        return file

    return write


def doubled(content: Any) -> Any:
    """Double every energy and every power of a table."""
    ranges = {"control_pj": {k: 2 * v for k, v in content["control_pj"].items() if k != "source"}}
    ranges["control_pj"]["source"] = content["control_pj"]["source"]
    return twice(content) | ranges


@pytest.mark.promise(
    "a table of energies and areas of a person takes the place of the family's in model, run,"
    " sweep and cost, is whole, and is named"
)
def test_a_doubled_table_doubles_the_energy_and_is_named(
    table: Callable[..., Path], tmp_path: Path
) -> None:
    context = api.Context(work=tmp_path / "work", console=None)
    file = table(doubled)
    given = {"images": 2, "context": context}
    own = api.model(NETWORK, TINY, **given)
    ours = api.model(NETWORK, TINY, energy=file, **given)
    assert own.energy is not None and ours.energy is not None
    assert ours.energy.image_nj == pytest.approx(2 * own.energy.image_nj, rel=1e-9)
    assert ours.energy.time_nj == pytest.approx(2 * own.energy.time_nj, rel=1e-9)
    named = ours.energy.table
    assert named is not None and (named.name, named.file) == ("mine", str(file))
    assert named.digest == load_energy(file).digest != load_energy(TABLE).digest
    assert own.energy.table is not None and own.energy.table.name == "dbpim_45nm"
    ran = api.simulate(NETWORK, TINY, engine="model", energy=file, **given)
    assert ran.image_energy == ours.energy
    assert api.simulate(NETWORK, TINY, engine="golden", **given).image_energy is None


def test_a_sweep_takes_energies_and_areas_of_the_table(
    table: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = api.Context(work=tmp_path / "work", console=None)

    def larger(content: Any) -> Any:
        areas = [each | {"um2": 3 * each["um2"]} for each in content["area"]]
        return doubled(content) | {"area": areas}

    given = {"images": 1, "workers": 1, "context": context}
    keys = {"queue_depth": [1]}
    own = api.sweep(NETWORK, TINY, keys, **given)
    ours = api.sweep(NETWORK, TINY, keys, energy=table(larger), **given)
    for before, after in zip(own.points, ours.points, strict=True):
        assert before.energy_uj and before.area_mm2 and after.energy_uj and after.area_mm2
        assert after.energy_uj > 1.9 * before.energy_uj
        assert after.area_mm2 == pytest.approx(3 * before.area_mm2, rel=1e-9)
    assert ours.energy_table is not None and ours.energy_table.name == "mine"


def test_a_table_must_be_whole(
    table: Callable[..., Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def without(content: Any) -> Any:
        del content["events"]["groups"]
        return content

    file = table(without)
    given = ["model", str(NETWORK), str(TINY), "--work", str(tmp_path / "work")]
    assert main([*given, "--energy", str(file)]) == 2
    assert "events.groups must be present, got nothing" in capsys.readouterr().err


def without_dense(content: Any) -> Any:
    """Leave out what a chip without weight_bits takes in trees."""
    costs = content["events"]["column_planes"]
    content["events"]["column_planes"] = [each for each in costs if each["design"] == "sparse"]
    return content


def without_area(content: Any) -> Any:
    """Leave out the trees of dense chips."""
    content["area"] = [
        each for each in content["area"] if (each["part"], each.get("design")) != ("trees", "dense")
    ]
    return content


def absurd(content: Any) -> Any:
    """Give an event more energy than there is."""
    content["events"]["groups"][0]["pj"] = 1e300
    return content


@pytest.mark.promise(
    "a table of energies without one of the two designs, or with an absurd figure, is refused in a"
    " sentence"
)
@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            without_dense,
            "events.column_planes must be an entry that chips of design: dense take, got those of"
            " the other design",
        ),
        (without_area, "area of trees must be an entry that chips of design: dense take"),
        (absurd, "must be less than or equal to 1000000000, got 1e+300"),
    ],
)
def test_a_table_that_prices_too_little_or_too_much(
    table: Callable[..., Path], capsys: pytest.CaptureFixture[str], change: Any, said: str
) -> None:
    assert main(["model", str(NETWORK), str(TINY), "--energy", str(table(change))]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_family_without_tables_refuses_one(table: Callable[..., Path]) -> None:
    with pytest.raises(api.HwgenError, match="the family crossbar cannot take --energy yet"):
        Prices(families()["crossbar"], table())


@pytest.mark.parametrize("family", CHIPS)
def test_the_table_to_start_from_is_the_familys(
    family: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "new" / "mine.yaml"
    assert main(["energy", family, "--out", str(out)]) == 0
    assert main(["energy", family, "--out", str(out)]) == 2, "a table of a person stays"
    assert main(["energy", "crossbar", "--out", str(out)]) == 2
    said = capsys.readouterr()
    assert f"{out}: energies and areas of {family}" in said.out
    assert "one of dbpim, mram, got crossbar" in said.err
    own = Prices(families()[family])
    assert own.table is not None and own.source is not None
    assert Prices(families()[family], out).table == own.table


@pytest.mark.parametrize(
    ("library", "said"),
    [
        (None, "the table mine is of the cells of no library: its figures are left out"),
        ("sg13g2_stdcell_typ_1p20V_25C", "the table is mine"),
    ],
)
def test_a_table_stands_beside_netlists_of_its_own_cells_alone(
    library: str | None, said: str, table: Callable[..., Path]
) -> None:
    file = table(lambda content: content | ({"library": library} if library else {}))
    family = families()["dbpim"]
    chip = Synthesized(
        family=family,
        arch=load_arch(TINY),
        library=load_library(default_library())[0],
        manifest={},
        top="",
        modules=None,  # type: ignore[arg-type]
        costs={},
        counts={},
        prices=Prices(family, file),
    )
    (sentence,) = told_of_table(chip)
    assert sentence.startswith(said)
    assert chip.is_of_tables is (library is not None)
