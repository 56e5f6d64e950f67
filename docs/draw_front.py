"""Draw docs/front.svg: the DB-PIM chip, and what sparsity saves on a network that ships.

    python docs/draw_front.py

The figures are those of `hwgen model digits_small_cnn dbpim/small --images 4 --speedup`.
"""

from pathlib import Path

from hwgen import api

PICTURE = Path(__file__).parent / "front.svg"
IMAGES = 4
NAMES = {
    "none": "dense: nothing skipped",
    "input_bits": "zero bit planes of inputs",
    "weight_values": "pruned blocks of weights",
    "weight_bits": "zero digits of weights",
    "all": "all three",
}
"""Switches of the chip in the order of the picture, and what each of them skips."""
LEFT, LONGEST, TOP, STEP = 690, 250, 92, 44
STYLE = """
  .page { fill: #ffffff; } .ink { fill: #16202c; } .soft { fill: #566374; font-size: 12px; }
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
CHIP = """
  <rect class="store" x="16" y="92" width="92" height="168" rx="5"/>
  <text class="ink mid" x="62" y="150">memory</text>
  <text class="soft mid" x="62" y="174">program,</text>
  <text class="soft mid" x="62" y="190">images,</text>
  <text class="soft mid" x="62" y="206">answers</text>
  <rect class="block" x="142" y="56" width="470" height="240" rx="6"/>
  <text class="ink" x="156" y="78" font-weight="bold">chip: Verilog from one YAML file</text>
  <rect class="box" x="158" y="100" width="96" height="44" rx="5"/>
  <text class="ink mid" x="206" y="126">loader</text>
  <rect class="store" x="158" y="206" width="96" height="62" rx="5"/>
  <text class="ink mid" x="206" y="232">maps</text>
  <text class="soft mid" x="206" y="250">in the cores</text>
  <rect class="work" x="290" y="206" width="96" height="62" rx="5"/>
  <text class="ink mid" x="338" y="232">switch</text>
  <text class="soft mid" x="338" y="250">unpruned inputs</text>
  <rect class="work" x="438" y="92" width="150" height="104" rx="5"/>
  <rect class="work" x="430" y="100" width="150" height="104" rx="5"/>
  <text class="ink mid" x="505" y="124">macros</text>
  <text class="soft mid" x="505" y="144">SRAM cells that multiply</text>
  <text class="soft mid" x="505" y="162">non-zero bit planes by</text>
  <text class="soft mid" x="505" y="180">2 digits of a weight at a time</text>
  <rect class="work" x="430" y="228" width="150" height="40" rx="5"/>
  <text class="ink mid" x="505" y="253">requantize, SIMD</text>
  <path class="wire" d="M108 122 H152"/><path class="tip" d="M150 117 l8 5 l-8 5 z"/>
  <path class="wire" d="M254 122 H424"/><path class="tip" d="M422 117 l8 5 l-8 5 z"/>
  <text class="soft mid" x="338" y="116">weights</text>
  <path class="wire" d="M206 144 V200"/><path class="tip" d="M201 198 l5 8 l5 -8 z"/>
  <path class="wire" d="M254 237 H284"/><path class="tip" d="M282 232 l8 5 l-8 5 z"/>
  <path class="wire" d="M386 237 H404 V176 H424"/><path class="tip" d="M422 171 l8 5 l-8 5 z"/>
  <path class="wire" d="M505 204 V222"/><path class="tip" d="M500 220 l5 8 l5 -8 z"/>
  <path class="wire" d="M505 268 V284 H206 V274"/><path class="tip" d="M201 276 l5 -8 l5 8 z"/>
  <path class="wire" d="M158 250 H114"/><path class="tip" d="M116 245 l-8 5 l8 5 z"/>
"""


def picture() -> str:
    """Return the SVG."""
    chip = api.load_architecture("dbpim/small")
    report = api.model("digits_small_cnn", chip, images=IMAGES, speedup=True)
    assert report.speedup is not None
    cycles = {each.sparsity: each.cycles for each in report.speedup.variants}
    most = max(cycles.values())
    rows = []
    for place, (name, words) in enumerate(NAMES.items()):
        y, width = TOP + STEP * place, LONGEST * cycles[name] / most
        kind = "dense" if name == "none" else "sparse"
        rows.append(
            f'  <text class="soft" x="{LEFT}" y="{y}">{words}</text>\n'
            f'  <rect class="{kind}" x="{LEFT}" y="{y + 6}" width="{width:.1f}" height="15"/>\n'
            f'  <text class="ink" x="{LEFT + width + 8:.1f}" y="{y + 19}" font-size="13">'
            f"{cycles[name]:,}</text>\n"
        )
    times = report.speedup.end_to_end["all"]
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1040 340"'
        ' font-family="Helvetica, Arial, DejaVu Sans, sans-serif" font-size="14">\n'
        "  <title>The DB-PIM chip, and the cycles that each kind of sparsity saves</title>\n"
        f"  <style>{STYLE}  </style>\n"
        '  <rect class="page" width="1040" height="340"/>\n'
        f"{CHIP.strip(chr(10))}\n"
        f'  <text class="ink" x="{LEFT}" y="52" font-weight="bold">'
        f"cycles of {IMAGES} images: {times:.2f}x fewer</text>\n"
        f"{''.join(rows)}"
        '  <text class="equal" x="16" y="326" font-weight="bold">'
        "Every element of every map equals the NumPy reference, every clock cycle the model."
        "</text>\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), encoding="utf-8")
