"""The driver: strict C99 without a library, words of 32 bits, and every code that it returns."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from hwgen.report.system import DRIVER
from hwgen.report.system.c_header import ROLES

HERE = Path(__file__).parent
STRICT = ["-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"]
RISC_V = "riscv64-unknown-elf-gcc"


@pytest.mark.dear("crossbar", "mram")
@pytest.mark.promise(
    "the driver is strict freestanding C99 without a library, the same for all families,"
    " returns each of its codes, and C++17 takes its headers"
)
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


CPP = """
#include "hwgen_FAMILY.h"
#include "hwgen.h"

int main()
{
    static std::uint32_t registers[1024];
    hwgen_chip chip;
    const hwgen_map &map = hwgen_FAMILY;
    int code = hwgen_open(&chip, reinterpret_cast<std::uintptr_t>(registers), &map);

    return code == HWGEN_NO_CHIP && map.id == HWGEN_PREFIX_ID ? 0 : 1;
}
"""


def test_cpp_takes_the_headers_and_links_with_the_driver(
    chips: dict[str, Path], family: str, tmp_path: Path
) -> None:
    """As C++17 without a word; the driver itself is compiled as C."""
    folder, source = chips[family], tmp_path / "host.cpp"
    text = CPP.replace("FAMILY", family).replace("PREFIX", family.upper())
    source.write_text(f"#include <cstdint>\n{text}", encoding="utf-8")
    strict = ["-std=c++17", *STRICT[1:]]
    compiled = [tmp_path / "host.o", tmp_path / "hwgen.o"]
    for command in (
        ["g++", *strict, f"-I{folder}", "-c", source, "-o", compiled[0]],
        ["gcc", *STRICT, "-c", folder / "hwgen.c", "-o", compiled[1]],
        ["g++", *compiled, "-o", tmp_path / "host"],
        [tmp_path / "host"],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout + done.stderr) == (0, ""), command


def test_the_map_is_written_in_the_order_of_its_struct() -> None:
    text = (DRIVER / "hwgen.h").read_text(encoding="utf-8")
    (body,) = re.findall(r"struct hwgen_map \{(.*?)\}", text, re.S)
    assert re.findall(r"(\w+)[,;]", body) == list(ROLES)


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
