"""From an architecture and a network to firmware that runs it: `scripts/soc ARCH NETWORK`.

Writes the chip, the network and the firmware below a folder, puts the chip into a LiteX system,
simulates it with Verilator, and ends with 0 when the firmware says PASS, with 1 when it does not,
and with 2 when a tool is missing.
"""

import argparse
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

from hwgen import api
from hwgen.chip.sim.toolchain import find_verilator
from hwgen.errors import HwgenError

HERE = Path(__file__).parent
GCC = "riscv64-unknown-elf-gcc"
DEBIAN = "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"


class MissingError(Exception):
    """A tool is not on this machine."""


def run(*command: object, cwd: Path | None = None) -> str:
    """Run a command; return what it said, or raise with it."""
    done = subprocess.run(
        [str(each) for each in command],
        cwd=cwd,
        env=find_verilator().environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}:\n{done.stdout[-4000:]}")
    return done.stdout


def check_tools() -> None:
    """Refuse a machine without compiler or LiteX."""
    if shutil.which(GCC) is None:
        raise MissingError(f"{GCC} is needed: apt-get install {DEBIAN}")
    if importlib.util.find_spec("litex") is None:
        raise MissingError("LiteX is needed: pip install 'hwgen[soc]'")


def write(arguments: argparse.Namespace, out: Path) -> tuple[Path, Path]:
    """Write chip and network; return their folders."""
    chip, network = out / "chip", out / "network"
    print(f"chip: {chip}", flush=True)
    api.build(arguments.arch, chip)
    print(f"network: {network}", flush=True)
    modes = api.info(arguments.network).network.modes
    mode = arguments.mode or (modes[0] if len(modes) > 1 else None)
    api.export(
        arguments.network,
        arguments.arch,
        network,
        images=arguments.images,
        mode=mode,
        firmware=True,
    )
    if arguments.wrong_answer:
        expected = bytearray((network / "expected.bin").read_bytes())
        expected[len(expected) // 2] ^= 1
        (network / "expected.bin").write_bytes(expected)
    return chip, network


def simulate(chip: Path, network: Path, out: Path) -> str:
    """Return what the firmware prints; refuse warnings of the chip's Verilog."""
    firmware, system = out / "firmware", out / "system"
    places = (f"CHIP={chip}", f"NETWORK={network}", f"OUT={firmware}")
    run("make", "-B", "-s", "-f", HERE / "firmware/Makefile", *places)
    run(sys.executable, HERE / "soc.py", chip, firmware / "firmware.bin", system)
    print("simulator: a minute or more", flush=True)
    said = run(
        *("verilator", "--binary", "--timing", "-j", 2, "-Wall", "-Wno-fatal", "--quiet-build"),
        *("--top-module", "tb", "-Mdir", "obj", "-o", "tb"),
        *(chip / "waivers.vlt", "-f", chip / "files.f", "-f", "sources.f", HERE / "tb.v"),
        cwd=system,
    )
    warnings = [line for line in said.splitlines() if "%Warning" in line]
    own = [line for line in warnings if str(chip) in line]
    print(f"warnings: {len(own)} of the chip, {len(warnings) - len(own)} of others", flush=True)
    if own:
        raise RuntimeError("\n".join(own))
    return run(system / "obj/tb", cwd=system)


def main() -> int:
    """Run all steps; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/soc", description=__doc__.partition("\n")[0])
    parser.add_argument("arch", help="an architecture: a file, or a name that ships")
    parser.add_argument("network", help="a quantized network: a file, or a name that ships")
    parser.add_argument("--images", type=int, default=4, help="how many (default 4)")
    parser.add_argument("--mode", help="of a network with several; default: the widest")
    parser.add_argument("--out", type=Path, help="folder (default: one below build/soc)")
    parser.add_argument("--wrong-answer", action="store_true", help="spoil a byte: it must FAIL")
    arguments = parser.parse_args()
    name = f"{Path(arguments.arch).stem}-{Path(arguments.network).stem}"
    out = (arguments.out or Path("build/soc") / name).resolve()
    try:
        check_tools()
        chip, network = write(arguments, out)
        said = simulate(chip, network, out)
    except (MissingError, HwgenError) as error:
        print(f"soc: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"soc: {error}", file=sys.stderr)
        return 1
    lines = [line for line in said.splitlines() if not line.startswith("- ")]
    print("\n".join(lines))
    return 0 if lines[-1:] == ["PASS"] else 1


if __name__ == "__main__":
    sys.exit(main())
