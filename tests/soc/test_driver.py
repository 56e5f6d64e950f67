"""The driver: strict C99 without a library, words of 32 bits, and every code that it returns."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
RISC_V = "riscv64-unknown-elf-gcc"


def test_the_driver_is_strict_and_needs_no_library(
    chips: dict[str, Path], family: str, tmp_path: Path
) -> None:
    source, out = chips[family] / "hwgen.c", tmp_path / "hwgen.o"
    command = ["gcc", *STRICT, "-ffreestanding", "-c", source, "-o", out]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout + done.stderr == ""
    symbols = subprocess.run(["nm", out], capture_output=True, text=True, check=True).stdout
    kinds = {line.split()[-2] for line in symbols.splitlines()}
    assert kinds <= {"T", "t"}, "functions alone: no libc, no globals"


def test_families_share_the_driver(chips: dict[str, Path]) -> None:
    texts = {(folder / name).read_bytes() for folder in chips.values() for name in ("hwgen.c",)}
    assert len(texts) == 1


def test_every_code_is_returned(chips: dict[str, Path], family: str, tmp_path: Path) -> None:
    folder, out = chips[family], tmp_path / "driver"
    flags = [f"-I{folder}", f'-DCHIP_HEADER="hwgen_{family}.h"', f"-DCHIP_MAP=hwgen_{family}"]
    subprocess.run(
        ["gcc", *STRICT, *flags, folder / "hwgen.c", HERE / "driver.c", "-o", out], check=True
    )
    done = subprocess.run([out], capture_output=True, text=True, check=False)
    # The register of a map without scratch space, mode or images is nowhere: nothing is written.
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.long
def test_registers_are_accessed_as_words(chips: dict[str, Path], tmp_path: Path) -> None:
    """In the assembly for RISC-V: `lw` and `sw`, no shorter store and no load of a byte."""
    assert shutil.which(RISC_V), "apt-get install gcc-riscv64-unknown-elf"
    command = [RISC_V, *STRICT, "-ffreestanding", "-march=rv32im", "-mabi=ilp32", "-O2", "-S"]
    out = tmp_path / "hwgen.s"
    subprocess.run([*command, chips["dbpim"] / "hwgen.c", "-o", out], check=True)
    text = out.read_text(encoding="utf-8")
    loads_of_offsets = re.findall(r"\tl(?:bu?|h)\t", text)
    assert not re.findall(r"\ts[bh]\t", text) and not loads_of_offsets
    assert "\tlw\t" in text and "\tsw\t" in text
