"""Calls of a network with states by the driver in C, on registers that are plain memory."""

import subprocess
from pathlib import Path

import pytest

DRIVER = Path(__file__).parents[2] / "hwgen" / "chip" / "driver"

TEST = """
#include <stdio.h>
#include "hwgen.h"

static uint32_t registers[64];
static uint8_t scratch[64];
static const uint8_t first[] = {7, 8};
static const uint32_t offsets[] = {0};
static const struct hwgen_output output = {1, 1, 1, 8, 8, 1, 1, 1, offsets};
static const struct hwgen_state states[] = {{0, 2, first, 0}, {4, 3, NULL, 9}};
static const struct hwgen_network network = {
    .images = 1, .answer_offsets = offsets, .outputs = 1, .output = &output,
    .states = 2, .state = states, .positions = 2, .position_bytes = 32};

int main(void)
{
    struct hwgen_map map;
    struct hwgen_chip chip;
    struct hwgen_stream stream = {4096, scratch, 0, 0};
    uint16_t *places = (uint16_t *)&map;

    for (unsigned n = 0; n < sizeof map / sizeof *places; n++)
        places[n] = HWGEN_ABSENT;
    map.id = 0, map.status = 4, map.interrupt = 8, map.control = 12;
    map.position = 16, map.position_bytes = 20, map.scratch_address = 24;
    registers[0] = 1, registers[1] = 2, registers[2] = 1;
    printf("%d\\n", hwgen_open(&chip, (uintptr_t)registers, &map));
    for (int call = 0; call < 3; call++) {
        int code = hwgen_step(&chip, &network, &stream, 0, 0, 1);

        printf("%d %u %u %u %d %d\\n", code, registers[4], registers[5], registers[6],
               scratch[1], scratch[6]);
        scratch[1] = 0;
    }
    hwgen_reset(&network, &stream);
    printf("%u %d %d\\n", stream.position, scratch[0], scratch[1]);
    return 0;
}
"""


@pytest.mark.promise("the driver counts positions, refuses one outside, and resets a stream")
def test_calls_of_a_stream(tmp_path: Path) -> None:
    (tmp_path / "test.c").write_text(TEST, encoding="utf-8")
    program = tmp_path / "test"
    files = [tmp_path / "test.c", DRIVER / "hwgen.c"]
    flags = ["-std=c99", "-Wall", "-Wextra", "-Werror", f"-I{DRIVER}"]
    subprocess.run(["gcc", *flags, *files, "-o", program], check=True)
    found = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    assert found.splitlines() == [
        "0",
        "0 0 0 4096 8 9",
        "0 1 32 4096 0 9",
        "-7 1 32 4096 0 9",
        "0 7 8",
    ]
