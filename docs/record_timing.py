"""Record the timing diagrams of the MRAM chip from a simulation: docs/timing/mram-*.json.

.venv/bin/python docs/record_timing.py

The chip `tiny` runs two images of a small network in two modes, and an addition in its arrays. Each
diagram shows some signals around one event. `docs/render_timing.py` then draws the pictures.
"""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hwgen.chip.sim.host import WAVES_FILE, run_chip
from hwgen.chip.sim.waves import Waves
from hwgen.mram.compiler import compile_network
from hwgen.mram.facts import Arch, load_arch
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.stream import NO_KERNEL, Content, encode_program
from hwgen.mram.sim import simulate
from hwgen.mram.sim.chip_run import Job, hosted
from hwgen.network import INPUT
from verif.common.drawing import Drawing, draw_images
from verif.waves import Trace

ROOT = Path(__file__).parents[1]
OUT = ROOT / "docs" / "timing"
CHIP = load_arch(ROOT / "configs" / "mram" / "tiny.yaml")
WINDOW: dict[str, Any] = {"kernel": (3, 3), "padding": (1, 1, 1, 1)}
BITS = 2
"""Of the maps and weights, so that the diagrams are short; of the operands of the addition."""

CLOCK = "host.clk"
DATAPATH = "host.chip.datapath."
OCTET = f"{DATAPATH}octet_0."
ARRAY = f"{OCTET}array_0."
STEPS = f"{OCTET}control."
ADDER_STEPS = f"{OCTET}adder."
CONTROL = "host.chip.control."
RING = f"{DATAPATH}ring."
TREE = f"{DATAPATH}input_tree."
DPU = f"{DATAPATH}dpu."
BANKS = f"{DATAPATH}banks."
POOL = f"{DATAPATH}pool."
FORMER = f"{DATAPATH}former."


@dataclass(frozen=True, kw_only=True)
class Row:
    """One signal of a diagram.

    path: in the waves; shown: a signal that is 1 where the value counts; empty: everywhere
    low: bits that count; 0: all of them; signed: two's complement
    """

    path: str
    shown: str = ""
    low: int = 0
    signed: bool = False


@dataclass(frozen=True, kw_only=True)
class Window:
    """Cycles around the `number`-th cycle in which `path` is 1 and was 0, counted from 0."""

    path: str
    number: int = 0
    before: int = 0
    cycles: int


@dataclass(frozen=True, kw_only=True)
class Diagram:
    """One picture: windows with a gap between them, and signals by what they are called."""

    windows: Sequence[Window]
    rows: dict[str, Row]


def cycles_of(trace: Trace, window: Window) -> range:
    """Return the cycles of a window; numbers count from the first image."""
    first = trace.starts(f"{CONTROL}image_begin")[0]
    start = trace.starts(window.path, after=first)[window.number] - window.before
    return range(start, start + window.cycles)


def drawn(trace: Trace, diagram: Diagram) -> dict[str, list[dict[str, object]]]:
    """Return a diagram as WaveDrom reads it."""
    spans = [list(cycles_of(trace, window)) for window in diagram.windows]
    names = [
        f"{'tuvw'[place]}{f'+{k}' if k else ''}"
        for place, span in enumerate(spans)
        for k in range(len(span))
    ]
    wave = "|".join("2" * len(span) for span in spans)
    signals: list[dict[str, object]] = [{"name": "cycle", "wave": wave, "data": names}]
    for label, row in diagram.rows.items():
        signals.append({"name": label, **row_of(trace, row, spans)})
    return {"signal": signals}


def row_of(trace: Trace, row: Row, spans: Sequence[Sequence[int]]) -> dict[str, object]:
    """Return wave and data of a signal."""
    waves, data = [], []
    bus = row.low != 1
    for span in spans:
        wave, last = "", ""
        for cycle in span:
            there = not row.shown or trace.value(row.shown, cycle)
            now = str(number_of(trace.value(row.path, cycle), row)) if there else "x"
            if now == last:
                wave += "."
            elif bus and now != "x":
                wave += "="
                data.append(now)
            else:
                wave += now
            last = now
        waves.append(wave)
    return {"wave": "|".join(waves)} | ({"data": data} if bus else {})


def number_of(value: int, row: Row) -> int:
    """Return the bits of a value that count, as a number."""
    if not row.low:
        return value
    kept = value & ((1 << row.low) - 1)
    return kept - (1 << row.low) if row.signed and kept >> (row.low - 1) else kept


def bit(path: str) -> Row:
    """Return a signal of one bit."""
    return Row(path=path, low=1)


IMAGES = Diagram(
    windows=(
        Window(path="host.m_arvalid", cycles=3, before=1),
        Window(path="host.m_rvalid", cycles=11, before=1),
        Window(path="host.m_awvalid", cycles=8, before=1),
    ),
    rows={
        "arvalid": bit("host.m_arvalid"),
        "arready": bit("host.m_arready"),
        "arlen": Row(path="host.m_arlen", shown="host.m_arvalid"),
        "rvalid": bit("host.m_rvalid"),
        "rready": bit("host.m_rready"),
        "rlast": bit("host.m_rlast"),
        "bank write": bit(f"{BANKS}write_valid"),
        "awvalid": bit("host.m_awvalid"),
        "awready": bit("host.m_awready"),
        "awlen": Row(path="host.m_awlen", shown="host.m_awvalid"),
        "wvalid": bit("host.m_wvalid"),
        "wready": bit("host.m_wready"),
        "wlast": bit("host.m_wlast"),
        "bvalid": bit("host.m_bvalid"),
        "bready": bit("host.m_bready"),
    },
)
AND = Diagram(
    windows=(Window(path=f"{OCTET}go", number=1, before=2, cycles=11),),
    rows={
        "input_valid": bit(f"{OCTET}input_valid"),
        "input_row": Row(path=f"{OCTET}input_row", shown=f"{OCTET}input_valid"),
        "go": bit(f"{OCTET}go"),
        "free": bit(f"{OCTET}free"),
        "and_en": bit(f"{STEPS}and_en"),
        "row_0 (weights)": Row(path=f"{STEPS}row_0", shown=f"{STEPS}and_en"),
        "row_1 (inputs)": Row(path=f"{STEPS}row_1", shown=f"{STEPS}and_en"),
        "first": bit(f"{STEPS}first"),
        "double": bit(f"{STEPS}double"),
        "subtract": bit(f"{STEPS}subtract"),
        "count 0": Row(path=f"{ARRAY}count_0", shown=f"{ARRAY}in_sums"),
        "accumulator 0": Row(path=f"{ARRAY}accumulators", low=32, signed=True),
    },
)
ADDER = Diagram(
    windows=(Window(path=f"{OCTET}add_go", before=1, cycles=3 * BITS + 4),),
    rows={
        "add_go": bit(f"{OCTET}add_go"),
        "adding": bit(f"{OCTET}adding"),
        "xor_en": bit(f"{ADDER_STEPS}xor_en"),
        "row_0": Row(path=f"{ADDER_STEPS}row_0", shown=f"{ADDER_STEPS}xor_en"),
        "row_1": Row(path=f"{ADDER_STEPS}row_1", shown=f"{ADDER_STEPS}xor_en"),
        "row_2 (carry)": Row(path=f"{ADDER_STEPS}row_2", shown=f"{ADDER_STEPS}xor_en"),
        "write_zeros": bit(f"{ADDER_STEPS}write_zeros"),
        "write_sum": bit(f"{ADDER_STEPS}write_sum"),
        "write_carry": bit(f"{ADDER_STEPS}write_carry"),
        "write_row": Row(path=f"{OCTET}write_row", shown=f"{OCTET}adding"),
    },
)
PLANES = Diagram(
    windows=(Window(path=f"{FORMER}gather.take", before=1, cycles=22),),
    rows={
        "window valid": bit(f"{FORMER}gather.valid"),
        "take": bit(f"{FORMER}gather.take"),
        "gather full": bit(f"{FORMER}gather.full"),
        "pass": bit(f"{FORMER}gather.accept"),
        "sender valid": bit(f"{FORMER}sender.valid"),
        "step_plane": bit(f"{RING}step_plane"),
        "slot": Row(path=f"{RING}slot", shown=f"{RING}busy"),
        "step": Row(path=f"{RING}step", shown=f"{RING}steps"),
        "send_row": Row(path=f"{RING}send_row", shown=f"{RING}send_valid"),
        "octet_valid": Row(path=f"{TREE}octet_valid"),
        "input_row": Row(path=f"{TREE}input_row", shown=f"{OCTET}input_valid"),
        "octet_go": Row(path=f"{TREE}octet_go"),
    },
)
SUMS = Diagram(
    windows=(Window(path=f"{RING}issue_valid", before=1, cycles=14),),
    rows={
        "issue_valid": bit(f"{RING}issue_valid"),
        "octet": Row(path=f"{RING}drain_octet"),
        "segment": Row(path=f"{RING}drain_segment"),
        "output tree": Row(path=f"{DATAPATH}output_tree.chosen", low=32, signed=True),
        "parameter_en": bit(f"{DPU}parameter_en"),
        "bank write": bit(f"{DPU}bank_valid"),
    },
)
BANK = Diagram(
    windows=(Window(path=f"{POOL}tap", before=1, cycles=18),),
    rows={
        "tap register": bit(f"{POOL}tap"),
        "read_en": bit(f"{BANKS}read_en"),
        "read_bank": Row(path=f"{BANKS}read_bank", shown=f"{BANKS}read_en"),
        "read_row": Row(path=f"{BANKS}read_row", shown=f"{BANKS}read_en"),
        "last tap": bit(f"{POOL}last"),
        "result_valid": bit(f"{POOL}result_valid"),
        "write_valid": bit(f"{BANKS}write_valid"),
        "write_en": Row(path=f"{BANKS}bank_0.write_en", shown=f"{BANKS}write_valid"),
    },
)
MODE = Diagram(
    windows=(
        Window(path=f"{CONTROL}image_begin", before=1, cycles=9),
        Window(path=f"{CONTROL}image_begin", number=1, before=3, cycles=8),
    ),
    rows={
        "awvalid": bit("host.awvalid"),
        "wvalid": bit("host.wvalid"),
        "bvalid": bit("host.bvalid"),
        "register `mode`": Row(path=f"{CONTROL}mode"),
        "retire": bit(f"{CONTROL}retire"),
        "image_begin": bit(f"{CONTROL}image_begin"),
        "active_mode": Row(path=f"{CONTROL}active_mode"),
        "record fetch": bit(f"{CONTROL}record_en"),
        "record index": Row(path=f"{CONTROL}record_index", shown=f"{CONTROL}record_en"),
        "go": Row(path=f"{CONTROL}go"),
    },
)
OF_NETWORK = {
    "mram-memory-port": IMAGES,
    "mram-and": AND,
    "mram-planes": PLANES,
    "mram-sums": SUMS,
    "mram-bank": BANK,
    "mram-mode": MODE,
}
OF_ADDITION = {"mram-adder": ADDER}


def network_waves() -> Path:
    """Simulate two images in two modes; return the file of the waves."""
    net = Drawing(1, modes=("1.0x", "0.5x"), shape=(4, 8, 2), bits=BITS)
    now = net.conv(INPUT, (4, 2), bits=BITS, weight_bits=BITS, **WINDOW)
    now = net.max_pool(now, kernel=(2, 2), stride=(2, 2), padding=(0, 0, 0, 0))
    now = net.conv(now, (4, 2), stride=(2, 2), weight_bits=BITS, **WINDOW)
    network = net.build(now)
    program = compile_network(network, CHIP, images=2)
    images = draw_images(network, 2, seed=1)
    (run,) = simulate(CHIP, program, images, modes=[0, 1], waves=Waves(), say=print)
    assert run.waves is not None
    return run.waves


def addition_waves(folder: Path, arch: Arch) -> Path:
    """Simulate the addition of two rows in all sub-arrays; return the file of the waves."""
    every = {"kernels": arch.sub_arrays, "octets_log": arch.octets.bit_length() - 1, "groups": 1}
    add = {"kind": Kind.ADD, "input_planes": BITS, "weight_row_0": 0, "weight_row_1": BITS}
    add |= {"result_row": arch.weight_rows, "carry_row": arch.weight_rows + 8, **every}
    image, store = {"kind": Kind.IMAGE, "loads": 1}, {"kind": Kind.ANSWER, "loads": 2, "last": 1}
    content = Content(
        network=0,
        records=[image, add, store],
        first_records=[0],
        parameters=[[NO_KERNEL] * arch.block],
        weights=np.zeros((2 * BITS, arch.sub_arrays, arch.array.columns), bool),
        image_stride=64,
        answer_stride=64,
    )
    job = Job(
        program=encode_program(content, arch).tobytes(),
        images=[bytes(arch.port_bytes)],
        modes=[0],
        run_images=1,
        image_stride=64,
        answer_stride=64,
        answer_bytes=8,
        latency=arch.memory_latency_cycles,
    )
    run_chip(job.work(), hosted(arch), folder, waves=Waves(), say=print)
    return folder / WAVES_FILE


def recorded() -> dict[str, str]:
    """Return the text of every diagram by name."""
    trace = Trace(network_waves(), clock=CLOCK)
    found = {name: drawn(trace, each) for name, each in OF_NETWORK.items()}
    with tempfile.TemporaryDirectory() as scratch:
        trace = Trace(addition_waves(Path(scratch), CHIP), clock=CLOCK)
        found |= {name: drawn(trace, each) for name, each in OF_ADDITION.items()}
    return {name: text_of(each) for name, each in found.items()}


def text_of(diagram: dict[str, list[dict[str, object]]]) -> str:
    """Return a diagram as JSON, a signal a line."""
    lines = ",\n".join(f"    {json.dumps(signal)}" for signal in diagram["signal"])
    return f'{{\n  "signal": [\n{lines}\n  ]\n}}\n'


def main() -> None:
    """Write every diagram."""
    for name, text in recorded().items():
        (OUT / f"{name}.json").write_text(text, encoding="utf-8")
        print(OUT / f"{name}.json")


if __name__ == "__main__":
    main()
