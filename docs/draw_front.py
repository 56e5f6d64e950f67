"""Draw docs/front.svg: three families of chips, and what the idea of each saves.

    python docs/draw_front.py

The figures of DB-PIM and mram are those of `hwgen model` on a small chip, those of crossbars the
searches of studies/results/crossbar-chip.json.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from hwgen import api

DOCS = Path(__file__).parent
PICTURE = DOCS / "front.svg"
SEARCHES = DOCS.parent / "studies/results/crossbar-chip.json"
IMAGES = 4
WIDTH, HEIGHT, PANEL, LONGEST, STEP = 1040, 376, 346, 190, 40
NAMES = {
    "none": "nothing skipped",
    "input_bits": "zero bits of inputs",
    "weight_values": "pruned weights",
    "weight_bits": "zero digits of weights",
    "all": "all three",
}
"""Switches of the DB-PIM chip in the order of the picture, and what each of them skips."""


class Bar(NamedTuple):
    """A bar: what it is of, its length, the text at its end, whether it is the one to beat."""

    words: str
    value: float
    text: str
    beaten: bool = False


class Panel(NamedTuple):
    """A family: name, sentences, boxes of its chip, network and chip of its bars, their title."""

    name: str
    sentences: tuple[str, str]
    boxes: tuple[str, str, str]
    of: str
    title: str
    bars: Sequence[Bar]


STYLE = """
  .page { fill: #ffffff; } .ink { fill: #16202c; } .soft { fill: #566374; font-size: 12.4px; }
  .mid { text-anchor: middle; }
  .box { fill: #ffffff; stroke: #445; } .store { fill: #e3eefb; stroke: #445; }
  .work { fill: #fdeed8; stroke: #445; } .block { fill: #f5f7fa; stroke: #9aa5b4; }
  .wire { fill: none; stroke: #445; stroke-width: 1.6; } .tip { fill: #445; }
  .dense { fill: #94a7bf; } .sparse { fill: #2563a8; } .equal { fill: #2f855a; }
  @media (prefers-color-scheme: dark) {
    .page { fill: #12161c; } .ink { fill: #e4e9f0; } .soft { fill: #9aa8ba; }
    .box { fill: #1a2029; stroke: #8a97a8; } .store { fill: #203349; stroke: #8a97a8; }
    .work { fill: #46341c; stroke: #8a97a8; } .block { fill: #171c24; stroke: #566374; }
    .wire { stroke: #8a97a8; } .tip { fill: #8a97a8; }
    .dense { fill: #5d6f87; } .sparse { fill: #5b9be0; } .equal { fill: #68c08d; }
  }
"""


def panels() -> Iterator[Panel]:
    """Yield the families."""
    report = api.model(
        "digits_small_cnn", api.load_architecture("dbpim/small"), images=IMAGES, speedup=True
    )
    assert report.speedup is not None
    cycles = {each.sparsity: each.cycles for each in report.speedup.variants}
    yield Panel(
        "DB-PIM",
        ("Digital SRAM cells hold two digits", "of a weight; zeros are skipped."),
        ("switch", "SRAM macros", "SIMD"),
        "digits_small_cnn on dbpim/small",
        f"cycles of {IMAGES} images by what is skipped",
        [Bar(w, cycles[n], f"{cycles[n]:,}", n == "none") for n, w in NAMES.items()],
    )
    widths = api.model("cadnn_digits", api.load_architecture("mram/small"))
    yield Panel(
        "mram",
        ("SOT-MRAM keeps all weights; each", "image has a width of its own."),
        ("former", "MRAM arrays", "DPU"),
        "cadnn_digits on mram/small",
        "cycles of an image by width",
        [
            Bar(
                f"{each.name} of the channels",
                each.cycles_model,
                f"{each.cycles_model:,}",
                place == 0,
            )
            for place, each in enumerate(widths.modes)
        ],
    )
    rows = json.loads(SEARCHES.read_text(encoding="utf-8"))["rows"]
    found = [row for row in rows if row["network"] == "digits_small_cnn"][:2]
    yield Panel(
        "crossbar",
        ("A search finds the ReRAM chip of a", "power budget, and bounds all others."),
        ("budget", "search", "ReRAM chip"),
        "digits_small_cnn on chips made by a search",
        "GOPS/W within a budget",
        [
            bar
            for row in found
            for bar in (
                Bar(f"bound within {row['power_w']:g} W", row["bound_gops_per_w"], "", True),
                Bar(f"found within {row['power_w']:g} W", row["gops_per_w"], ""),
            )
        ],
    )


def drawn(panel: Panel, left: int) -> str:
    """Return a family as SVG."""
    lines = [
        f'<rect class="block" x="{left}" y="8" width="{PANEL - 16}" height="328" rx="6"/>',
        f'<text class="ink" x="{left + 14}" y="32" font-weight="bold">{panel.name}</text>',
    ]
    for row, sentence in enumerate(panel.sentences):
        lines.append(f'<text class="soft" x="{left + 92}" y="{26 + 15 * row}">{sentence}</text>')
    for place, words in enumerate(panel.boxes):
        x, kind = left + 14 + 102 * place, ("box", "work", "store")[place]
        lines.append(f'<rect class="{kind}" x="{x}" y="52" width="92" height="30" rx="5"/>')
        lines.append(f'<text class="soft mid" x="{x + 46}" y="71">{words}</text>')
        if place:
            lines.append(f'<path class="tip" d="M{x - 9} 62 l8 5 l-8 5 z"/>')
    lines.append(f'<text class="soft" x="{left + 14}" y="100">{panel.of}</text>')
    lines.append(f'<text class="ink" x="{left + 14}" y="116" font-size="13">{panel.title}</text>')
    most = max(each.value for each in panel.bars)
    for place, bar in enumerate(panel.bars):
        y, width = 136 + STEP * place, LONGEST * bar.value / most
        kind = "dense" if bar.beaten else "sparse"
        text = bar.text or f"{bar.value:.0f}"
        lines.append(f'<text class="soft" x="{left + 14}" y="{y}">{bar.words}</text>')
        lines.append(
            f'<rect class="{kind}" x="{left + 14}" y="{y + 5}" width="{width:.1f}" height="14"/>'
        )
        lines.append(
            f'<text class="ink" x="{left + 20 + width:.1f}" y="{y + 17}" font-size="13">'
            f"{text}</text>"
        )
    return "".join(f"  {line}\n" for line in lines)


def picture() -> str:
    """Return the SVG."""
    drawings = (drawn(panel, 8 + PANEL * place) for place, panel in enumerate(panels()))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}"'
        ' font-family="Helvetica, Arial, DejaVu Sans, sans-serif" font-size="14">\n'
        "  <title>Three families of chips, and what the idea of each saves</title>\n"
        f"  <style>{STYLE}  </style>\n"
        f'  <rect class="page" width="{WIDTH}" height="{HEIGHT}"/>\n'
        f"{''.join(drawings)}"
        f'  <text class="equal" x="16" y="{HEIGHT - 14}" font-weight="bold">'
        "Every element of every map equals the NumPy reference, every clock cycle the model."
        "</text>\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
