"""A network on a whole chip between cocotbext-axi's host and memory, with pauses everywhere."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from hwgen import api
from hwgen.dbpim.facts.arch import load_arch as load_dbpim
from hwgen.dbpim.facts.instructions import ErrorCode as DbpimError
from hwgen.dbpim.facts.registers import OFFSETS as DBPIM_OFFSETS
from hwgen.dbpim.rtl.chip import Chip as DbpimChip
from hwgen.mram.facts.arch import load_arch as load_mram
from hwgen.mram.facts.registers import OFFSETS as MRAM_OFFSETS
from hwgen.mram.facts.registers import ErrorCode as MramError
from hwgen.mram.rtl.chip import Chip as MramChip
from hwgen.network import INPUT
from hwgen.network.file import save_network
from verif.axi_adapter import axi_harness
from verif.dbpim.network_builder import NetworkBuilder, draw_images
from verif.dbpim.random_weights import draw_weights
from verif.runner import Waves, build, run

CONFIGS = Path(__file__).parents[2] / "configs"
PROGRAM, IMAGE, ANSWERS, SCRATCH = 0x1000, 0x10000, 0x20000, 0x30000
MEMORY_BYTES = 1 << 20
SHAPE = (6, 6, 2)
"""Of the image of the network that this module makes."""

# A payload holds while it waits; a burst is whole beats that end in their page.
RULES = """
reg aw_waits = 0, w_waits = 0, ar_waits = 0;
reg [ADDRESS-1:0] aw_before, ar_before;
reg [DATA-1:0] w_before;
wire [ADDRESS-1:0] aw_now = {memory__awid, memory__awaddr, memory__awlen,
                             memory__awsize, memory__awburst};
wire [ADDRESS-1:0] ar_now = {memory__arid, memory__araddr, memory__arlen,
                             memory__arsize, memory__arburst};
wire [DATA-1:0] w_now = {memory__wdata, memory__wstrb, memory__wlast};
task whole(input [63:0] address, input [7:0] length, input [2:0] size);
  if (8 << size != PORT || address % (PORT / 8) != 0
      || address[63:12] != (address + length * (PORT / 8)) >> 12)
    $fatal(1, "burst at %h, length %0d, size %0d", address, length, size);
endtask
always @(posedge clk) if (rst) begin
  {aw_waits, w_waits, ar_waits} <= 0;
end else begin
  if (aw_waits && (!memory__awvalid || aw_now !== aw_before)) $fatal(1, "AW changed");
  if (ar_waits && (!memory__arvalid || ar_now !== ar_before)) $fatal(1, "AR changed");
  if (w_waits && (!memory__wvalid || w_now !== w_before)) $fatal(1, "W changed");
  if (memory__awvalid) whole(memory__awaddr, memory__awlen, memory__awsize);
  if (memory__arvalid) whole(memory__araddr, memory__arlen, memory__arsize);
  aw_waits <= memory__awvalid && !memory__awready;
  ar_waits <= memory__arvalid && !memory__arready;
  w_waits <= memory__wvalid && !memory__wready;
  aw_before <= aw_now;
  ar_before <= ar_now;
  w_before <= w_now;
end
"""


def run_system(
    chip: DbpimChip | MramChip,
    job: dict[str, object],
    folder: Path,
    *,
    waves: Waves | None,
    simulator: str,
) -> None:
    """Run the bench of systems on a chip."""
    port = next(width for name, _, width in chip.ports() if name == "memory__rdata")
    sizes = {"ADDRESS": 1 + 64 + 8 + 3 + 2, "PORT": port, "DATA": port + port // 8 + 1}
    rules = "".join(f"localparam integer {name} = {size};\n" for name, size in sizes.items())
    harness = axi_harness(chip, {"lite": "registers", "mem": "memory"}) + "\n" + rules + RULES
    bench = build(chip, harness=harness, simulator=simulator, waves=waves)
    path = folder / "job.json"
    path.write_text(json.dumps(job), encoding="utf-8")
    settings = {"SYSTEM_JOB": str(path)}
    run(bench, module="verif.common.bench_system", folder=folder, settings=settings)


def constants(header: Path) -> dict[str, int]:
    found = re.findall(r"^#define HWGEN_NETWORK_(\w+) (\d+)$", header.read_text(), re.M)
    return {name: int(value) for name, value in found}


def job_of(folder: Path, answer: str, offsets: dict[str, int], **more: object) -> dict[str, object]:
    """Return what the bench is told: places in memory, registers, and what to expect."""
    sizes = constants(folder / "hwgen_network.h")
    registers = {"program_address_low": PROGRAM, "image_address_low": IMAGE, answer: ANSWERS}
    return {
        "offsets": offsets,
        "memory_bytes": MEMORY_BYTES,
        "content": [
            (PROGRAM, str(folder / "program.bin")),
            (IMAGE, str(folder / "images.bin")),
        ],
        "answers": ANSWERS,
        "answer_register": answer,
        "registers": registers,
        "expected": str(folder / "expected.bin"),
        "answer_padding": sizes["ANSWER_BYTES"] - (folder / "expected.bin").stat().st_size,
        "loads": False,
        "seeds": 1,
        "slow": False,
        **more,
    }


def two_layers(folder: Path) -> Path:
    """Return the file of a convolution and a head, which run a tenth as long as the digits."""
    net = NetworkBuilder(name="two_layers", shape=SHAPE, seed=1)
    now = net.conv(INPUT, draw_weights(net.rng, phis=[1, 2] * 4, k=9 * 2))
    net.linear(now, draw_weights(net.rng, phis=[2] * 5, k=SHAPE[0] * SHAPE[1] * 8), head=True)
    save_network(net.build(), folder / "network.npz")
    return folder / "network.npz"


def dbpim(
    folder: Path, network: str | Path = "digits_small_cnn", **more: object
) -> tuple[DbpimChip, dict[str, object]]:
    """Return the smallest DB-PIM chip and a job for it."""
    data = draw_images(np.random.default_rng(2), SHAPE, 1) if isinstance(network, Path) else None
    api.export(network, "dbpim/tiny", folder, data=data, firmware=True)
    job = job_of(folder, "logits_address_low", DBPIM_OFFSETS, read_error=DbpimError.READ_ERROR)
    return DbpimChip(arch=load_dbpim(CONFIGS / "dbpim/tiny.yaml")), {**job, **more}


def mram(folder: Path, **more: object) -> tuple[MramChip, dict[str, object]]:
    """Return a small MRAM chip and a job for it, in the smallest mode."""
    api.export("cadnn_digits", "mram/small", folder, mode="0.25x", firmware=True)
    job = job_of(folder, "answer_address_low", MRAM_OFFSETS, read_error=MramError.READ_ERROR)
    job |= {"loads": True}
    registers = {"images": 1, "mode": constants(folder / "hwgen_network.h")["MODE"]}
    job["registers"] = {**job["registers"], **registers}  # type: ignore[dict-item]
    return MramChip(arch=load_mram(CONFIGS / "mram/small.yaml")), {**job, **more}


@pytest.mark.dear
@pytest.mark.promise(
    "the interrupt rises once a run, survives reads, is cleared by 1 while the next run goes"
    " on, and no end is lost"
)
@pytest.mark.promise(
    "between a host and a memory of others, with pauses on all channels, answers are golden's,"
    " at aligned addresses, and errors of the bus stop the run"
)
def test_axi_of_a_dbpim_chip(icarus: str, tmp_path: Path, waves: Waves | None) -> None:
    chip, job = dbpim(tmp_path / "chip", two_layers(tmp_path))
    run_system(chip, job, tmp_path, waves=waves, simulator=icarus)


@pytest.mark.long
@pytest.mark.parametrize("family", ["dbpim", "mram"])
def test_axi_with_more_pauses_slow_and_dead_memories(
    family: str, tmp_path: Path, waves: Waves | None
) -> None:
    chip, job = {"dbpim": dbpim, "mram": mram}[family](tmp_path, seeds=3, slow=True)
    run_system(chip, job, tmp_path, waves=waves, simulator="verilator")
