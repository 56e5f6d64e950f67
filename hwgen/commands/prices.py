"""`--energy`: energies and areas by the table of a family, or by that of a person."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from hwgen.chip.accesses import Access
from hwgen.chip.family import Family
from hwgen.chip.outside import FILE, outside_memory
from hwgen.chip.protocols import Architecture, EnergyTable
from hwgen.chip.runs import Prediction, SimulatedRun
from hwgen.commands.families import InstalledFamily, offering
from hwgen.commands.fields import File
from hwgen.commands.request import OUTPUT_FILE, Request, Says
from hwgen.errors import with_near
from hwgen.files.earlier import TABLES
from hwgen.files.output import write_text
from hwgen.files.shipped import file_of, shown
from hwgen.files.shipped import tables as shipped_tables
from hwgen.report.types import EnergySum, OutsideSum, Source

PJ_IN_UJ = 1e6

EnergyFile = Annotated[
    File | None,
    Says(
        "energies and areas of parts, a name that ships or your file (.yaml; hwgen energy writes"
        " one to start from) [default: the table of the family]",
        metavar="FILE",
    ),
]


def tables() -> dict[str, Path]:
    """Return the table of each family that has one, by the name of the family."""
    able = offering(Family.energy_tables)
    return {family.name: family.need(Family.energy_tables).TABLE for family in able}


def counted_events(runs: Sequence[SimulatedRun] | Sequence[Prediction]) -> Counter[str]:
    """Return the events of all runs."""
    total: Counter[str] = Counter()
    for run in runs:
        total.update(run.events)
    return total


@dataclass(frozen=True)
class Prices:
    """What events, cycles and parts of a family's chips cost; file: a table of a person."""

    family: InstalledFamily
    file: Path | None = None

    def __post_init__(self) -> None:
        """Read the file of a person at once: it may be wrong."""
        if self.file is not None:
            _ = self.table

    @cached_property
    def table(self) -> EnergyTable | None:
        """The table that counts; None: the family keeps its constants in its architectures."""
        if self.file is None and not self.family.offers(Family.energy_tables):
            return None
        reader = self.family.need(Family.energy_tables)
        return reader.load_energy(self.path) if self.path else reader.default_table()

    @property
    def path(self) -> Path | None:
        """The file of a person, or that of a name that ships; ConfigError suggests names."""
        if self.file is None:
            return None
        return file_of(self.file, shipped_tables("energy"), what="the table of energies")

    @property
    def source(self) -> Source | None:
        """Name, file and digest of the table."""
        if self.table is None:
            return None
        file = self.path or self.family.need(Family.energy_tables).TABLE
        return Source(name=self.table.name, file=shown(file), digest=self.table.digest)

    @property
    def _model(self) -> Any:
        """What tells energy; with `_given` as further arguments."""
        capability = Family.energy if self.table is None else Family.energy_tables
        return self.family.need(capability)

    @property
    def _given(self) -> Mapping[str, Any]:
        return {} if self.table is None else {"table": self.table}

    def energy_pj(self, events: Mapping[str, int], arch: Architecture) -> Mapping[str, float]:
        """Return picojoules by event."""
        found: Mapping[str, float] = self._model.energy_pj(events, arch, **self._given)
        return found

    def leakage_pj(self, cycles: int, arch: Architecture) -> float:
        """Return picojoules that some cycles take, whatever a chip does in them."""
        found: float = self._model.leakage_pj(cycles, arch, **self._given)
        return found

    def accesses(self, arch: Architecture) -> Iterable[Access]:
        """Return the accesses to parts that can be replaced."""
        found: Iterable[Access] = self._model.accesses(arch, **self._given)
        return found

    def area_um2(self, arch: Architecture) -> Mapping[str, float]:
        """Return square micrometres by part."""
        if self.table is None:
            return self.family.need(Family.area).area_um2(arch)
        return self.family.need(Family.energy_tables).area_um2(arch, table=self.table)

    def image(
        self,
        events: Mapping[str, int],
        cycles: int,
        arch: Architecture,
        *,
        images: int,
        outside_bytes: int,
    ) -> EnergySum | None:
        """Return the energy of an image on average; None for a family that tells none.

        events, cycles, outside_bytes: of all images
        """
        if not self.family.offers(Family.energy) or not events:
            return None
        waiting = self.leakage_pj(cycles, arch)
        chip_uj = (sum(self.energy_pj(events, arch).values()) + waiting) / images / PJ_IN_UJ
        outside = self.outside(outside_bytes / images)
        return EnergySum(
            table=self.source,
            counted=self.family.need(Family.energy).COUNTED,
            image_nj=chip_uj * 1e3,
            time_nj=waiting / images / 1e3,
            image_uj=chip_uj,
            outside=outside,
            with_outside_uj=chip_uj + outside.uj,
            clock_mhz=arch.clock_mhz,
        )

    def outside(self, size: float) -> OutsideSum:
        """Return what the memory outside takes for the bytes of an image."""
        memory, own = outside_memory(), self.table and self.table.port
        port = own or memory
        low, uj, high = (each / PJ_IN_UJ for each in port.of(size))
        shipped = Source(name=memory.name, file=shown(FILE), digest=memory.digest)
        return OutsideSum(
            memory=self.source if own and self.source else shipped,
            pj_a_bit=port.pj / port.bits,
            bytes=size,
            low_uj=low,
            uj=uj,
            high_uj=high,
        )

    def outside_bytes(
        self, events: Mapping[str, int], arch: Architecture, program: Any, *, images: int
    ) -> int:
        """Return the bytes that images move over the memory port; 0 where nothing is told."""
        if not self.family.offers(Family.energy) or not events:
            return 0
        model = self.family.need(Family.energy)
        return model.outside_bytes(events, arch, program, images=images)


@dataclass(frozen=True)
class Energy(Request, command="energy", example="FAMILY --out mine.yaml"):
    """Write the energies and areas of a family's chips as a file: with units and sources.

    Change it, and give it to `--energy` of model, run, explore and cost. A table must be whole.
    """

    family: Annotated[
        str,
        Says("whose chips", metavar="FAMILY", argument=True, complete=tables),
    ]
    out: Annotated[
        File,
        Says("file to write (.yaml)", metavar="FILE", use=OUTPUT_FILE, replaces=TABLES),
    ]

    def check(self) -> None:
        """Refuse a family without a table, and a file that is there: it may be edited."""
        if self.family not in tables():
            raise self.refusal(
                "family", f"one of {', '.join(tables())}", with_near(self.family, tables())
            )
        if Path(self.out).exists():
            raise self.refusal("out", "a file that is not there yet", self.out)

    def run(self) -> str:
        """Write the file; return what it is."""
        table, out = tables()[self.family], Path(self.out)
        write_text(out, table.read_text(encoding="utf-8"), what="table")
        return f"{out}: energies and areas of {self.family}, {shown(table)}"
