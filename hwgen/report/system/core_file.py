"""`<name>.core`: the chip as a package of FuseSoC (CAPI 2)."""

from collections.abc import Iterable, Sequence

from hwgen.chip.interface import ChipInterface

TEXT = """\
CAPI=2:
# SPDX-License-Identifier: Apache-2.0
name: hwgen:{prefix}:{name}:{version}
description: The {what}, with AXI4 and AXI4-Lite ports

filesets:
  rtl:
    files:
{rtl}
    file_type: verilogSource
  bench:
    files:
      - {bench}
    file_type: systemVerilogSource
  waivers:
    files:
      - {waivers}
    file_type: vlt
  timing:
    files:
{timing}

targets:
  default: &default
    filesets: [rtl]
    toplevel: {top}
  lint:
    <<: *default
    description: Verilator's lint with all warnings
    filesets: [waivers, rtl]
    flow: lint
    flow_options:
      tool: verilator
      verilator_options: [-Wall]
  sim: &sim
    <<: *default
    description: Bench of the wrapper under Icarus
    filesets: [rtl, bench]
    toplevel: {bench_top}
    flow: sim
    flow_options:
      tool: icarus
      iverilog_options: [-g2012]
  sim_verilator:
    <<: *sim
    description: Bench of the wrapper under Verilator
    flow_options:
      tool: verilator
      mode: binary
      verilator_options: [--timing]
  synth:
    <<: *default
    description: Synthesis by Yosys for ECP5
    filesets: [rtl]
    flow: generic
    flow_options:
      tool: yosys
      arch: ecp5
"""
TYPES = {"sdc": "SDC", "xdc": "xdc"}


def core_file(
    of: ChipInterface,
    modules: Sequence[str],
    *,
    bench: str,
    waivers: str,
    constraints: Iterable[str],
    version: str,
) -> str:
    """Return the core; modules: its Verilog, the wrapper last."""
    return TEXT.format(
        prefix=of.prefix,
        name=of.identifier,
        version=version,
        what=of.what,
        rtl="\n".join(f"      - {name}" for name in modules),
        bench=bench,
        bench_top=bench.partition(".")[0],
        waivers=waivers,
        timing="\n".join(
            f"      - {name}: {{file_type: {TYPES[name.rpartition('.')[2]]}}}"
            for name in constraints
        ),
        top=f"{of.prefix}_axi",
    )
