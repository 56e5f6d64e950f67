"""What each difference between `paper` and the structure of its paper costs, by the model.

    python -m hwgen_studies.dbpim_paper.differences

prints the tables of docs/dbpim-differences.md. Predictions are kept in the work folder.

Tests: `studies/tests/dbpim_paper/test_differences.py`.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from hwgen.commands.clocks import timed
from hwgen.commands.context import Context
from hwgen.commands.families import load_architecture
from hwgen.commands.images import choose_images
from hwgen.commands.points import REFUSED, Point, run_points
from hwgen.commands.prices import Prices
from hwgen.commands.subject import Subject
from hwgen.commands.sweep import changed
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.storage import storage
from hwgen.files.shipped import tables
from hwgen.network.file import load_network
from hwgen.report.sheet import Sheet
from hwgen.report.sweep import Value
from hwgen.report.tables import number
from hwgen_studies.dbpim_paper.published import AREA_MM2, MEMORY_KB
from hwgen_studies.dbpim_paper.race_networks import CONFIGS

NETWORK = "cifar10_resnet20_50"
OURS, LANES, PUBLISHED = "dbpim/paper", "dbpim/paper_lanes", "dbpim/paper_published"
SQUARE_UM = 1e6
"""In a square millimetre."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What the paper has and a chip has not; keys: of the chip, with which it has it."""

    what: str
    place: str
    keys: Mapping[str, Value]


SHARED = Difference(
    what="one stream of inputs for all switches, one input side, one SIMD core",
    place="V-A, V-B",
    keys={"input_streams": "shared", "buffer_bytes": 262144},
)
PAIRS = Difference(
    what="16 filters side by side where phi_th is 1", place="VI-E", keys={"one_digit": "paired"}
)
OTHERS = (
    Difference(
        what="no lanes that take turns at a requantizer: the SIMD core quantizes",
        place="V-A",
        keys={"lanes_per_requantizer": 1},
    ),
    Difference(
        what="a switch that takes the inputs one after the other, each the leading one of the mask",
        place="V-B",
        keys={"switch_rate": 1},
    ),
    Difference(what="no queue of groups before a macro", place="V-B", keys={"queue_depth": 1}),
    Difference(
        what="signs and indices as bits of their own from memory on",
        place="III",
        keys={"packed_weights": False},
    ),
)
DENSE = Difference(what="nothing is skipped", place="VI-A", keys={"sparsity": "none"})
UNNAMED = (
    Difference(what="a port of twice the width", place="-", keys={"port_bits": 512}),
    Difference(what="a memory that answers at once", place="-", keys={"memory_latency_cycles": 1}),
)
"""What the paper does not describe at all, and what more of it would bring."""


@dataclass(frozen=True, kw_only=True)
class Chip:
    """One chip and ResNet20 on it, one image.

    cycles: by the model; energy_uj: on the chip, its time at the clock at which `hwgen model`
        prices the chip that ships; area_mm2: by the table of 45 nm
    """

    name: str
    arch: Arch
    cycles: int
    energy_uj: float
    area_mm2: float


def chips(
    context: Context, name: str, differences: Sequence[Difference], *, workers: int = 1
) -> list[Chip]:
    """Return a chip that ships, and that chip with each difference alone."""
    subject = subject_of(name)
    archs = [subject.arch, *(changed(subject, each.keys) for each in differences)]
    batch = choose_images(subject.network, None, 1)
    points = [Point(subject=replace(subject, arch=arch), batch=batch) for arch in archs]
    prices = Prices(subject.family)
    mhz = timed(subject.family, subject.arch, subject.arch_file).arch.clock_mhz
    found = []
    for arch, result in zip(archs, run_points(context, points, workers=workers), strict=True):
        if REFUSED in result:
            raise ValueError(result[REFUSED])
        energy = prices.image(
            result["events"],
            result["cycles"],
            subject.family.family.at_clock(arch, mhz),
            images=1,
            outside_bytes=result["outside_bytes"],
        )
        assert energy is not None
        found.append(
            Chip(
                name=arch.name,
                arch=cast(Arch, arch),
                cycles=result["cycles"],
                energy_uj=energy.image_uj,
                area_mm2=sum(prices.area_um2(arch).values()) / SQUARE_UM,
            )
        )
    return found


def subject_of(name: str) -> Subject:
    """Return ResNet20 on a chip that ships."""
    family, arch = load_architecture(Path(name))
    file = CONFIGS / "networks" / f"{NETWORK}.npz"
    return Subject(
        network=load_network(file),
        network_file=file,
        family=family,
        arch=arch,
        arch_file=tables("dbpim")[name],
    )


def difference_lines(found: Sequence[Chip], differences: Sequence[Difference]) -> Iterator[str]:
    """Yield a row for a chip and one for each difference from it."""
    first = found[0]
    titles = [(f"`{first.name}`", "", ""), *map(told, differences)]
    rows = [
        [
            *title,
            number(each.cycles),
            f"{each.cycles / first.cycles:.3f}",
            f"{each.energy_uj:.1f}",
            f"{each.area_mm2:.3f}",
            f"{each.area_mm2 - first.area_mm2:+.3f}" if each is not first else "",
        ]
        for title, each in zip(titles, found, strict=True)
    ]
    heads = ["with what the paper has", "where", f"keys of `{first.name}`", "cycles", "times"]
    yield from Sheet([*heads, "uJ", "mm2", "more mm2"], rows).markdown()


def told(each: Difference) -> tuple[str, str, str]:
    """Return the texts of a difference."""
    keys = ", ".join(f"`{key}: {shown(value)}`" for key, value in each.keys.items())
    return each.what, each.place, keys


def shown(value: Value) -> str:
    """Return a value as YAML has it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def structure_lines(found: Sequence[tuple[Chip, Chip]]) -> Iterator[str]:
    """Yield each structure as a whole, beside what the paper prints.

    found: pairs of a chip and of the same chip that skips nothing
    """
    small = Prices(subject_of(OURS).family, CONFIGS / "energy" / "dbpim_28nm.yaml")
    rows = [
        [
            f"`{each.name}`",
            number(each.cycles),
            f"{number(dense.cycles)}: {dense.cycles / each.cycles:.2f}x",
            f"{each.energy_uj:.1f}",
            f"{each.area_mm2:.3f}",
            f"{sum(small.area_um2(each.arch).values()) / SQUARE_UM:.3f}",
            f"{kilobytes(each.arch):.1f}",
        ]
        for each, dense in found
    ]
    rows.append(["the paper", "-", "-", "-", "-", str(AREA_MM2), str(MEMORY_KB)])
    heads = ["chip", "cycles", "nothing skipped", "uJ", "mm2 at 45 nm", "mm2 at 28 nm"]
    yield from Sheet([*heads, "KB beside the cells"], rows).markdown()


def kilobytes(arch: Arch) -> float:
    """Return the memories of a chip that are no cells, in KB of 1024 bytes."""
    return sum(each.bits for each in storage(arch) if not each.cells) / 8192


def page_tables(context: Context, *, workers: int = 1) -> dict[str, list[str]]:
    """Return the tables of the page by title."""
    from_ours = [SHARED, *OTHERS[:1], PAIRS, *OTHERS[1:]]
    ours = chips(context, OURS, from_ours, workers=workers)
    published = chips(context, PUBLISHED, OTHERS[1:], workers=workers)
    ports = chips(context, PUBLISHED, UNNAMED, workers=workers)
    wholes = [
        (each, dense)
        for name in (OURS, LANES, PUBLISHED)
        for each, dense in [chips(context, name, [DENSE], workers=workers)]
    ]
    return {
        "The structures": list(structure_lines(wholes)),
        "One difference at a time": list(difference_lines(ours, from_ours)),
        "From the shared stream on": list(difference_lines(published, OTHERS[1:])),
        "The memory port": list(difference_lines(ports, UNNAMED)),
    }


def main() -> int:
    """Print the tables."""
    for title, lines in page_tables(Context(console=None)).items():
        print("\n".join([f"## {title}", "", *lines, ""]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
