"""The best chip of each kind, by steps of every key: what is found, and why it goes no further.

Every kind begins with the best of the same sizes. Then one key at a time is doubled or halved, and
what is better stays, until no step of any key is better or as many chips are predicted as a kind
may have. Each step of the chip that is left is told: worse, or refused by a line of the generator.
`race_limits` is the command.

Tests: `studies/tests/dbpim_paper/test_race_search.py`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hwgen.commands.context import Context
from hwgen.commands.families import load_architecture
from hwgen.commands.prices import Prices
from hwgen.commands.subject import configuration_of
from hwgen.commands.sweep import changed_keys, leaves
from hwgen.dbpim.facts import arch as generator
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.axes import AXES
from hwgen.errors import HwgenError
from hwgen.files.load import validate_spec
from hwgen.jobs.executors import Executor
from hwgen_studies.dbpim_paper.six_kinds import (
    KINDS,
    SQUARE_UM,
    STARTS,
    TRAINED,
    KindOfChip,
    Measured,
)

POINTS = 64
TABLES = ("latches", "density")
"""Of `array_prices`."""
ALL_KINDS = (
    *KINDS,
    KindOfChip(
        name="masks_alone",
        what="int8, masks, no zero planes",
        network=TRAINED,
        keys={"sparsity.weight_bits": False, "sparsity.input_bits": False, "packed_weights": False},
    ),
    KindOfChip(
        name="planes_alone",
        what="int8, zero planes, no masks",
        network=TRAINED,
        keys={
            "sparsity.weight_bits": False,
            "sparsity.weight_values": False,
            "packed_weights": False,
        },
    ),
)
"""The six kinds, and masks and zero planes each without the other."""
WIDE: Mapping[str, Any] = {
    **STARTS[0],
    "macro.columns": 128,
    "macro.rows": 2,
    "tile_rows": 1,
    "lanes_per_requantizer": 4,
    "port_bits": 256,
}
"""What was found by hand to be good for a dense chip of 16 filters a macro."""
OF_SPARSE_PARTS = ("mask_bytes", "queue_depth", "switch_rate", "word_channels")
"""Keys that change nothing of a dense chip, or that it cannot have."""
STEPS = {"down": 0.5, "up": 2.0}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One key of a chip one step on.

    products: kilocycles x mm2 by table; empty: the step is refused
    refused: by what; line: of the generator's architecture that says so
    """

    key: str
    value: float
    products: dict[str, float] = field(default_factory=dict)
    refused: str | None = None
    line: str | None = None


@dataclass(kw_only=True)
class Best:
    """What a search found of a kind, by the first table.

    areas_mm2: by table
    values: of the keys that vary; predicted: chips; steps: those of the last chip that were tried
    chip_uj, energy_uj: of an image, on the chip, and with the memory outside
    """

    name: str
    what: str
    network: str
    values: dict[str, Any]
    cycles: int
    areas_mm2: dict[str, float]
    predicted: int
    chip_uj: float
    energy_uj: float
    steps: list[Step] = field(default_factory=list)

    def product(self, table: str = TABLES[0]) -> float:
        """Return thousands of cycles times mm2."""
        return self.cycles * self.areas_mm2[table] / 1000


class SpentError(Exception):
    """A kind has had as many predictions as it may."""


class StepSearch:
    """Searches chips of one kind.

    prices: by table, of which the first leads; points: chips to predict
    cycles: by digest of what is predicted, None: refused
    """

    def __init__(self, measured: Measured, prices: Mapping[str, Prices], points: int) -> None:
        self.measured, self.prices, self.points = measured, prices, points
        self.cycles: dict[str, int | None] = {}
        self.turn = 0

    def product(self, arch: Arch, table: str = TABLES[0]) -> float | None:
        """Return kilocycles x mm2 of a chip; None: it does not run the network."""
        if arch.digest not in self.cycles:
            if len(self.cycles) >= self.points:
                raise SpentError
            found = self.measured.found(arch)
            self.cycles[arch.digest] = None if found is None else found.cycles
        cycles = self.cycles[arch.digest]
        return None if cycles is None else cycles * self.area_mm2(arch, table) / 1000

    def area_mm2(self, arch: Arch, table: str = TABLES[0]) -> float:
        """Return the area of a chip."""
        return sum(self.prices[table].area_um2(arch).values()) / SQUARE_UM

    def energy_uj(self, arch: Arch, result: Mapping[str, Any]) -> tuple[float, float]:
        """Return the energy of an image on the chip, and with the memory outside."""
        told = self.prices[TABLES[0]].image(
            result["events"],
            result["cycles"],
            arch,
            images=1,
            outside_bytes=result["outside_bytes"],
        )
        assert told is not None and told.with_outside_uj is not None
        return told.image_uj, told.with_outside_uj

    def run(self) -> Best:
        """Return the chip that is left, with the steps around it that were tried."""
        first = {arch.digest: arch for arch in map(self.measured.arch, (*STARTS, WIDE))}
        ran = [
            (found, arch) for arch in first.values() if (found := self.product(arch)) is not None
        ]
        if not ran:
            raise HwgenError(f"no chip of {len(first)} runs {self.measured.kind.network}")
        best, arch = min(ran, key=lambda each: each[0])
        try:
            while (better := self.better(arch, best)) is not None:
                best, arch = better
        except SpentError:
            pass
        kind = self.measured.kind
        result = self.measured.predicted(arch)
        chip_uj, energy_uj = self.energy_uj(arch, result)
        return Best(
            name=kind.name,
            what=kind.what,
            network=kind.network,
            values=sizes(arch),
            cycles=result["cycles"],
            areas_mm2={table: self.area_mm2(arch, table) for table in TABLES},
            predicted=len(self.cycles),
            chip_uj=chip_uj,
            energy_uj=energy_uj,
            steps=list(self.around(arch)),
        )

    def better(self, arch: Arch, best: float) -> tuple[float, Arch] | None:
        """Return the first better step, behind the last one that was; None: there is none."""
        steps = [near for _, _, near in neighbours(self.measured, arch)]
        for place in range(len(steps)):
            near = steps[(self.turn + place) % len(steps)]
            if isinstance(near, Arch):
                found = self.product(near)
                if found is not None and found < best:
                    self.turn += place
                    return found, near
        return None

    def around(self, arch: Arch) -> Iterator[Step]:
        """Yield what each step of a chip gives, as far as it was predicted."""
        for key, value, near in neighbours(self.measured, arch):
            if isinstance(near, str):
                yield Step(key=key, value=value, refused=near, line=line_of(near))
            elif near.digest in self.cycles:
                found = {table: self.product(near, table) for table in TABLES}
                products = {table: each for table, each in found.items() if each is not None}
                refused = None if products else "the network does not fit its memories"
                yield Step(key=key, value=value, products=products, refused=refused)


def sizes(arch: Arch) -> dict[str, Any]:
    """Return the keys that a search varies, with the values of a chip."""
    own = leaves(configuration_of(arch))
    idle = () if arch.sparse_parts else OF_SPARSE_PARTS
    return {key: own.get(key, arch.word) for key in AXES if key not in idle}


def neighbours(measured: Measured, arch: Arch) -> Iterator[tuple[str, float, Arch | str]]:
    """Yield each key a step down and up, with the chip, or why there is none.

    Rows go with the rows of a tile, which are as many as half of them; other sizes follow as
    `hwgen explore` lets them.
    """
    own = sizes(arch)
    for key, now in own.items():
        for factor in STEPS.values():
            value = now * factor
            changed = {**own, key: int(value)}
            if key == "macro.rows" and own["tile_rows"] == now // 2:
                changed["tile_rows"] = int(value) // 2
            yield key, value, stepped(measured, arch, key, changed)


def stepped(measured: Measured, arch: Arch, key: str, changed: Mapping[str, Any]) -> Arch | str:
    """Return the chip of a step, or the sentence that refuses it."""
    try:
        near = measured.arch(changed)
        if sizes(near)[key] == changed[key] and near.digest != arch.digest:
            return near
        content = changed_keys(configuration_of(arch), {key: changed[key]})
        validate_spec(Arch, content, source="a step")
    except HwgenError as error:
        return str(error).removesuffix(" (a step)").removesuffix(f" ({measured.kind.name})")
    return "the step changes nothing"


def line_of(refused: str) -> str:
    """Return file and line of the rule that refuses a step: of a field, or of sizes together."""
    key, _, allowed = refused.partition(" must be ")
    together = rf'\s+"{re.escape(key)}": \('
    if " with " in allowed:
        together = rf'\s+raise FieldError\("{re.escape(key)}"'
    of_field = rf"    {key.rpartition('.')[2]}: (Annotated|Literal)"
    wanted = together if re.search(r"at (most|least) .*[a-z_]", allowed) else of_field
    lines = Path(generator.__file__).read_text(encoding="utf-8").splitlines()
    found = next(n for n, text in enumerate(lines, 1) if re.match(wanted, text))
    return f"hwgen/dbpim/facts/arch.py:{found}"


def searches(
    context: Context, tables: Path, points: int, executor: Executor
) -> Iterator[StepSearch]:
    """Yield the search of each kind, with the tables of a folder."""
    family, _ = load_architecture(Path("dbpim/paper"))
    prices = {name: Prices(family, tables / f"{name}.yaml") for name in TABLES}
    for kind in ALL_KINDS:
        yield StepSearch(Measured(context, kind, executor), prices, points)
