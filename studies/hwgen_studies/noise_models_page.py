"""The section of docs/device-effects.md that sets devices by level beside aihwkit's noise models.

Tests: `studies/tests/test_noise_models.py`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

HEADING = "### Its noise models: phase-change memory and HfOx"
INTRO = """\
`python -m hwgen_studies.noise_models studies/results/noise-models.json` needs `pip install aihwkit==1.1.0`, in an environment of its
own beside hwgen, and writes this section and its record. {simulator} and the files of effects took their figures from the same
fits. Times are aihwkit's, which counts from the first read of phase-change memory, 20 s after writing: golden has `--time 21s`, 3620 s and 86420 s.

A cell of 2 bits, {cells:,} of each level, mean ± deviation, percent of the highest level:
"""
DIFFERENCES = """\
They differ in this, by formula, with G the share of the highest level that a cell was to hold and N a draw:

- **Slow noise of reads.** aihwkit adds to a level g at time t the share q sqrt(ln((t + T) / 2 T)) N of it, q = 0.0088 / g^0.65, at most
  0.2, with T = 250 ns: noise of 1/f since writing, which it draws once for all images. `effects/pcm` has none ("noise of a read is not in it").
  Put into its deviations, golden's accuracies are those of the row below.
- **Lines.** Between its points a file is on a line, aihwkit on its polynomial: at a third and two thirds of the highest level of
  phase-change memory deviations at the first read are 2.1 and 1.6 % larger there.
- **Exponents.** aihwkit takes the absolute value of mean + deviation N. Golden keeps the sign, so a few of the cells rise: of level 0, 1.3 %.
- **HfOx.** aihwkit draws a cell anew at each time and has a fit for 1 s, 1 day and 2 days alone; golden gives each cell an exponent, so it has any
  time between, and what it loses by rising and falling lifts the mean a little.

`{network}`, {images} images, exact {exact}, {seeds} chips, mean (least to most), deviation of a chip, images a second of one thread:
"""
BEHIND = """\
aihwkit's layers are its own way to compute: a weight is a pair of cells of any level, whole inputs, no converters, and by default the output is scaled
by what a reference read lost since writing (drift compensation). Golden cuts a weight into four cells of 2 bits, of which the highest one
errs with 64 times the weight of the lowest, and follows no drift. So crossbars lose more by the same cells, and cells alone explain the difference of no pair of
the last two kinds of rows.
"""


def page(record: Mapping[str, Any]) -> str:
    """Return the section of a record."""
    exact = f"{100 * record['exact']:.1f} %"
    parts = [
        HEADING,
        "",
        INTRO.format(**record),
        *level_table(record),
        "",
        DIFFERENCES.format(**{**record, "exact": exact}),
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
            f"| {row['device']} | {row['time']} | {row['computed_by']} | {mean} ({least} to {most}) %"
            f" | {100 * row['deviation']:.1f} | {row['images_per_s']} |"
        )
