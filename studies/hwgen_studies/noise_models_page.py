"""The section of docs/device-effects.md that sets devices by level beside aihwkit's noise models.

Tests: `studies/tests/test_noise_models.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

GOLDEN = "golden"
SLOW = "golden, slow noise in its deviations"
CELLS_OF = "golden's crossbars, aihwkit's cells"
HEADING = "### Its noise models: phase-change memory and HfOx"
INTRO = """\
`pip install aihwkit==1.1.0`, in an environment of its own beside hwgen, is all that
`python -m hwgen_studies.noise_models studies/results/noise-models.json` needs; it prints this
section and writes its record. {simulator} and our files of effects took their figures from the same
published fits. Times are aihwkit's: of phase-change memory they begin with the first read, 20 s
after writing, so golden has 21, 3620 and 86420 s.

{cells:,} cells of 2 bits of each level, mean ± deviation, percent of the highest level:
"""
DIFFERENCES = """\
They differ in this, with N a draw and g a conductance as a share of the highest level:

- **Slow noise of reads.** aihwkit adds to the conductance at time t its share q sqrt(ln((t + T) /
  2 T)) N, q = 0.0088 / g^0.65 and at most 0.2, T = 250 ns: noise of 1/f since writing, drawn once
  for all images. `effects/pcm` has none. Put into its deviations it takes golden at 1 s from
  {golden} to {slow} %; with aihwkit's cells the same crossbars have {cells_of} %.
- **Lines.** Between its points a file is on a line, aihwkit on its polynomial: at a third and two
  thirds of the highest level of phase-change memory deviations at the first read are 2.1 and 1.6
  % larger there.
- **Exponents.** aihwkit takes the absolute value of mean + deviation N. Golden keeps the sign: of
  level 0 1.3 % of the cells rise.
- **HfOx, lines.** Both have the polynomial 0.348 + 16.03 x - 43.853 x^2 + 45.393 x^3 -
  16.815 x^4 uS at 1 s, of a conductance that begins at 1 of 40 uS; the file has it at nine
  levels.
- **HfOx, times.** aihwkit draws a cell anew at each time, and has fits for 1 s, 1 day and 2 days
  alone. Golden gives each cell an exponent of time, so it has any time between; what rises gains
  more than what falls loses, so means rise, too.

`{network}`, {images} images, exact {exact}, {seeds} chips each: mean (least to most), deviation
from chip to chip in points, images a second of one thread of a machine that other work shared,
drawing the cells included:
"""
BEHIND = """\
aihwkit's layers are its own way to compute: a weight is one pair of cells of any level, inputs
are whole, there are no converters, and by default outputs are scaled by what a reference read
lost since writing (drift compensation). Golden cuts a weight into four cells of 2 bits, each with
the same deviation, so the cell of its highest bits errs with 64 times the weight of the lowest
one, and no read follows drift. Between the last two kinds of rows and the others lies the way to
compute, not the device."""


def page(record: Mapping[str, Any]) -> str:
    """Return the section of a record."""
    means = {
        row["computed_by"]: f"{100 * row['mean']:.1f}" for row in reversed(record["accuracies"])
    }
    told = {
        "exact": f"{100 * record['exact']:.1f} %",
        "golden": means[GOLDEN],
        "slow": means[SLOW],
        "cells_of": means[CELLS_OF],
    }
    parts = [
        HEADING,
        "",
        INTRO.format(**record),
        *level_table(record),
        "",
        DIFFERENCES.format(**{**record, **told}),
        *accuracy_table(record),
        "",
        BEHIND,
    ]
    return "\n".join(parts)


def level_table(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield the rows of levels: a device and a time each."""
    levels = sorted({row["level"] for row in record["levels"]})
    names = ["0", *(f"{level}/{levels[-1]}" for level in levels[1:-1]), "1"]
    yield f"| device | since writing | by | {' | '.join(f'level {each}' for each in names)} |"
    yield "| --- " * (3 + len(levels)) + "|"
    rows: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in record["levels"]:
        rows.setdefault((row["device"], row["time"]), []).append(row)
    for (device, time), each in rows.items():
        for by in ("golden", "aihwkit"):
            cells = [f"{100 * one[by][0]:.2f} ± {100 * one[by][1]:.2f}" for one in each]
            yield f"| {device} | {time} | {by} | {' | '.join(cells)} |"


def accuracy_table(record: Mapping[str, Any]) -> Iterator[str]:
    """Yield a row for each device, time and way to compute."""
    yield "| device | since writing | computed by | accuracy | deviation | images a second |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in record["accuracies"]:
        mean, least, most = (f"{100 * row[name]:.1f}" for name in ("mean", "least", "most"))
        yield (
            f"| {row['device']} | {row['time']} | {row['computed_by']}"
            f" | {mean} ({least} to {most}) % | {100 * row['deviation']:.1f}"
            f" | {row['images_per_s']} |"
        )
