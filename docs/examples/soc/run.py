"""From an architecture and a network to firmware that runs it: `scripts/soc ARCH NETWORK`.

Writes the chip, the network and the firmware below a folder, puts the chip into a LiteX system and
simulates that. Ends with 0 when the firmware says PASS, with 1 when it does not, and with 2 for
what is missing or cannot be.
"""

import argparse
import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from simulate import HERE, run, simulate

from hwgen import api
from hwgen.errors import HwgenError, MissingToolError
from hwgen.plan.file import is_plan

GCC = "riscv64-unknown-elf-gcc"
DEBIAN = "gcc-riscv64-unknown-elf picolibc-riscv64-unknown-elf"


def check_tools() -> None:
    """Refuse a machine without compiler or LiteX."""
    if shutil.which(GCC) is None:
        raise MissingToolError(f"{GCC} is needed: apt-get install {DEBIAN}")
    if importlib.util.find_spec("litex") is None:
        raise MissingToolError("LiteX is needed: pip install 'hwgen[soc]'")


def write(arguments: argparse.Namespace, out: Path) -> tuple[Path, Path]:
    """Write chip and network; return their folders."""
    chip, network = out / "chip", out / "network"
    print(f"chip: {chip}", flush=True)
    api.build(arguments.arch, chip)
    print(f"network: {network}", flush=True)
    if is_plan(Path(arguments.network)):
        modes: Sequence[str] = ()
    else:
        modes = api.info(arguments.network).network.modes
    mode = arguments.mode or (modes[0] if len(modes) > 1 else None)
    files = arguments.network, arguments.arch, network
    api.export(*files, images=arguments.images, mode=mode, firmware=True)
    if arguments.wrong_answer:
        expected = bytearray((network / "expected.bin").read_bytes())
        expected[len(expected) // 2] ^= 1
        (network / "expected.bin").write_bytes(expected)
    return chip, network


def put_together(chip: Path, network: Path, out: Path, host: Path | None) -> Path:
    """Compile the firmware and write the system; return its folder; host: functions of a plan."""
    firmware, system = out / "firmware", out / "system"
    places = (f"CHIP={chip}", f"NETWORK={network}", f"OUT={firmware}", f"HOST={host or ''}")
    run("make", "-B", "-s", "-f", HERE / "firmware/Makefile", *places)
    run(sys.executable, HERE / "soc.py", chip, firmware / "firmware.bin", system)
    return system


def main() -> int:
    """Run all steps; return the exit code."""
    parser = argparse.ArgumentParser(prog="scripts/soc", description=__doc__.partition("\n")[0])
    parser.add_argument("arch", help="an architecture: a file, or a name that ships")
    parser.add_argument("network", help="a quantized network or a plan: a file, or a name")
    parser.add_argument("--images", type=int, default=4, help="how many (default 4)")
    parser.add_argument("--mode", help="of a network with several; default: the widest")
    parser.add_argument("--out", type=Path, help="folder (default: one below build/soc)")
    parser.add_argument("--host", type=Path, help="of a plan: C of what the processor computes")
    parser.add_argument("--wrong-answer", action="store_true", help="spoil a byte: it must FAIL")
    arguments = parser.parse_args()
    name = f"{Path(arguments.arch).stem}-{Path(arguments.network).stem}"
    out = (arguments.out or Path("build/soc") / name).resolve()
    try:
        check_tools()
        chip, network = write(arguments, out)
        system = put_together(chip, network, out, arguments.host)
        print("simulator: a minute or more", flush=True)
        return simulate(chip, system)
    except HwgenError as error:
        print(f"soc: {error}", file=sys.stderr)
        return 2
    except RuntimeError as error:
        print(f"soc: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
