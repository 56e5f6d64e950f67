"""Pictures of the pages as a browser draws them, on a light page and on a dark one."""

import base64
import html
import itertools
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
COLUMN_PX, LEAST_PX, LEAST_CONTRAST = 760, 8.9, 3.0
"""Width of a page's column, least size of a letter in it, least contrast (WCAG: of large text)."""
SCHEMES = {"dark": 0, "light": 1}
LOOK = """
const parts = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
const light = (colour) => {
  const [r, g, b] = parts(colour).slice(0, 3).map((each) => {
    const part = each / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const opaque = (colour) => colour.startsWith("rgb") && (parts(colour)[3] ?? 1) > 0.5;
const inside = (box, x, y) => box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
const behind = (root, text, x, y) => {
  let found = getComputedStyle(document.body).backgroundColor;
  for (const each of root.querySelectorAll("rect, path, text")) {
    if (each === text) break;
    const fill = getComputedStyle(each).fill;
    const placed = each.tagName !== "text" && !each.closest("defs") && opaque(fill);
    if (placed && each.getBoundingClientRect().width > 3
        && inside(each.getBoundingClientRect(), x, y)) found = fill;
  }
  return found;
};
const looked = (root) => {
  const page = root.querySelector("svg").getBoundingClientRect();
  return [...root.querySelectorAll("text")]
    .filter((text) => text.textContent.trim() && text.getBoundingClientRect().width > 0)
    .map((text) => {
      const box = text.getBoundingClientRect(), style = getComputedStyle(text);
      const place = text.getScreenCTM();
      const [one, other] = [style.fill,
        behind(root, text, (box.left + box.right) / 2, (box.top + box.bottom) / 2)].map(light);
      return {
        words: text.textContent.trim(),
        size: parseFloat(style.fontSize) * Math.hypot(place.a, place.b),
        contrast: (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05),
        turned: Math.abs(place.b) > 0.01,
        cut: box.left < page.left - 1 || box.right > page.right + 1
          || box.top < page.top - 1 || box.bottom > page.bottom + 1,
        box: [box.left, box.top, box.right, box.bottom],
      };
    });
};
const answers = {};
for (const host of document.querySelectorAll("[data-name]")) {
  const root = host.attachShadow({mode: "open"});
  root.innerHTML = atob(host.dataset.svg);
  const svg = root.querySelector("svg");
  const natural = svg.getBoundingClientRect().width;
  svg.setAttribute("width", Math.min(natural, COLUMN));
  svg.removeAttribute("height");
  answers[host.dataset.name] = looked(root);
  root.innerHTML = "";
}
document.body.textContent = "ANSWERS" + JSON.stringify(answers) + "END";
"""


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text of a picture as it is shown; the box has left, top, right, bottom, in pixels."""

    words: str
    size: float
    contrast: float
    turned: bool
    cut: bool
    box: tuple[float, float, float, float]

    def covers(self, other: "Text") -> bool:
        """Say if two level texts lie over each other by more than the gaps of their letters."""
        (left, top, right, bottom), (left2, top2, right2, bottom2) = self.box, other.box
        wide, high = min(right, right2) - max(left, left2), min(bottom, bottom2) - max(top, top2)
        return not self.turned and not other.turned and wide > 2 and high > 4


def pictures() -> dict[str, str]:
    return {
        str(each.relative_to(DOCS)): each.read_text(encoding="utf-8")
        for each in sorted(DOCS.rglob("*.svg"))
    }


def seen(drawn: dict[str, str], scheme: str, folder: Path) -> dict[str, list[Text]]:
    """Return the texts of every picture as a browser shows them in a column of a page."""
    hosts = "".join(
        f'<div data-name="{name}" data-svg="{base64.b64encode(svg.encode()).decode()}"></div>'
        for name, svg in drawn.items()
    )
    page = folder / "page.html"
    page.write_text(
        f'<meta charset="utf-8"><body style="margin:0;width:{COLUMN_PX}px;background:'
        f'{"#12161c" if scheme == "dark" else "#ffffff"}">{hosts}<script>'
        f"{LOOK.replace('COLUMN', str(COLUMN_PX))}</script></body>",
        encoding="utf-8",
    )
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    command += [f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", page.as_uri()]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    (answers,) = re.findall(r"ANSWERS(.*?)END", shown, re.S)
    return {
        name: [Text(**each) for each in texts]
        for name, texts in json.loads(html.unescape(answers)).items()
    }


@pytest.mark.skipif(BROWSER is None, reason="no chromium here")
@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_text_of_a_picture_can_be_read(scheme: str, tmp_path: Path) -> None:
    drawn = pictures()
    found = seen(drawn, scheme, tmp_path)
    assert set(found) == set(drawn)
    for name, texts in found.items():
        assert [each for each in texts if each.size < LEAST_PX] == [], name
        assert [each for each in texts if each.contrast < LEAST_CONTRAST] == [], name
        assert [each for each in texts if each.cut] == [], name
        both = itertools.combinations(texts, 2)
        assert [pair for pair in both if pair[0].covers(pair[1])] == [], name


@pytest.mark.skipif(BROWSER is None, reason="no chromium here")
def test_texts_that_cannot_be_read_are_found(tmp_path: Path) -> None:
    """Small ones, faint ones on a dark page alone, texts over texts, and those that are cut."""
    head = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1520 200" width="1520">'
    drawn = {
        "bad": f'{head}<text x="10" y="40" font-size="14">small</text>'
        '<text x="10" y="100" font-size="30">one</text>'
        '<text x="30" y="104" font-size="30">two</text>'
        '<text x="1490" y="150" font-size="30">cut</text></svg>'
    }
    dark, light = (seen(drawn, scheme, tmp_path)["bad"] for scheme in SCHEMES)
    assert [each.size < LEAST_PX for each in light] == [True, False, False, False]
    assert [each.cut for each in light] == [False, False, False, True]
    assert light[1].covers(light[2]) and not light[0].covers(light[1])
    assert all(each.contrast > 15 for each in light)
    assert all(each.contrast < LEAST_CONTRAST for each in dark)
