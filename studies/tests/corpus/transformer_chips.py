"""The shipped transformers on their DB-PIM chips, in RTL: a section of their page of results."""

import contextlib
import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.cli import main
from hwgen.dbpim.facts.arch import load_arch, with_sparsity
from hwgen.dbpim.model import parts_pj

CONFIGS = Path(__file__).parents[3] / "configs"
CHIPS = {"digits_vit": "small_rows", "cifar10_cct": "paper_rows"}
UNITS = {"products": ("matmul",), "softmax": ("softmax",), "norms": ("layer_norm",)}
PJ_IN_UJ = 1e6
TEXT = """## On their chips

`hwgen run NETWORK CHIP --images 1`: the Verilog under Verilator, every element, step, cycle
and event compared with golden and the model. Dense: the same chip with all switches off, by the
model. Shares are of the sparse chip's cycles, waits for loads among them; energy is on the chip at
45 nm, by the events that were counted, leakage of logic among it (docs/howto/energy.md)."""
COLUMNS = (
    "network", "chip", "RTL", "cycles (RTL)", "cycles (model)", "dense (model)", "dense / sparse",
    *UNITS, "all other layers", "energy (uJ)", "row units (uJ)", "dense energy (uJ)",
)  # fmt: skip


@dataclass(frozen=True)
class ChipRow:
    """One image of a network on a chip; `shares` of its cycles (0 to 1) sum to 1."""

    network: str
    chip: str
    digest: str
    program_digest: str
    equal: bool
    in_time: bool
    cycles_rtl: int
    cycles_model: int
    dense_cycles_model: int
    shares: Mapping[str, float]
    energy_uj: Mapping[str, float]
    dense_energy_uj: Mapping[str, float]


def chip_row(name: str) -> ChipRow:
    """Simulate an image, and let the model run the dense chip."""
    sparse, dense = run(name, "rtl", "all"), run(name, "model", "none")
    setting = sparse["setting"]
    return ChipRow(
        network=name,
        chip=f"dbpim/{CHIPS[name]}",
        digest=setting["architecture"]["digest"],
        program_digest=setting["program_digest"],
        equal=sparse["equal"],
        in_time=sparse["in_time"],
        cycles_rtl=sparse["cycles_rtl"],
        cycles_model=sparse["cycles_model"],
        dense_cycles_model=dense["cycles_model"],
        shares=shares(sparse["layers"]),
        energy_uj=energy_uj(name, sparse["runs"][0]["events_rtl"], sparse["cycles_rtl"], "all"),
        dense_energy_uj=energy_uj(
            name, dense["runs"][0]["events_model"], dense["cycles_model"], "none"
        ),
    )


def run(name: str, engine: str, switches: str) -> Any:
    """Return the report of `hwgen run` with the first image that ships."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "run.json"
        given = ["run", name, f"dbpim/{CHIPS[name]}", "--engine", engine, "--sparsity", switches]
        given += ["--images", "1", "--json", str(report)]
        with contextlib.redirect_stdout(io.StringIO()):
            main(given)
        return json.loads(report.read_text())


def shares(layers: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return the share of the cycles of each kind of layer, and of all others."""
    spent: Counter[str] = Counter()
    for layer in layers:
        units = (unit for unit, kinds in UNITS.items() if layer["kind"] in kinds)
        spent[next(units, "others")] += layer["cycles_rtl"] or 0  # None: within the layer before
    return {unit: spent[unit] / spent.total() for unit in (*UNITS, "others")}


def energy_uj(name: str, events: Mapping[str, int], cycles: int, switches: str) -> dict[str, float]:
    """Return the energy of each part of the chip."""
    arch = with_sparsity(load_arch(CONFIGS / "dbpim" / f"{CHIPS[name]}.yaml"), switches)
    return {part: pj / PJ_IN_UJ for part, pj in parts_pj(events, cycles, arch).items()}


def chip_table(rows: Sequence[ChipRow]) -> Iterator[str]:
    """Yield the lines of the section."""
    yield from TEXT.splitlines()
    yield ""
    yield f"| {' | '.join(COLUMNS)} |"
    yield "|" + " --- |" * len(COLUMNS)
    for row in rows:
        cells = (
            f"`{row.network}`",
            f"`{row.chip}`",
            "equal" if row.equal and row.in_time else "DIFFERS",
            *(f"{n:,}" for n in (row.cycles_rtl, row.cycles_model, row.dense_cycles_model)),
            f"{row.dense_cycles_model / row.cycles_rtl:.2f}x",
            *(f"{share:.1%}" for share in row.shares.values()),
            f"{sum(row.energy_uj.values()):.1f}",
            f"{row.energy_uj['rows']:.1f}",
            f"{sum(row.dense_energy_uj.values()):.1f}",
        )
        yield f"| {' | '.join(cells)} |"
