"""The page of a synthesis: one HTML file with its pictures inside, the same bytes every time."""

import re
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from hwgen.crossbar.facts.arch import Arch
from hwgen.crossbar.facts.rules import MERITS
from hwgen.crossbar.facts.schedule import Schedule
from hwgen.crossbar.pages import synthesis_chip as chip
from hwgen.crossbar.pages import synthesis_plots as plots
from hwgen.crossbar.pages.published_chips import IMAGES, PEAK_TOPS_PER_W, Image
from hwgen.crossbar.pages.synthesis import SynthesisReport
from hwgen.crossbar.pages.synthesis_plots import layer_colours
from hwgen.crossbar.pages.synthesis_table import point_text, short_names

TEMPLATE = "synthesis.html"
THIS_CHIP = "this chip"


def synthesis_page(report: SynthesisReport, arch: Arch, schedule: Schedule) -> str:
    """Return the page; it asks no server for anything."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["words"] = lambda name: name.replace("_", " ")
    text = files("hwgen.crossbar.pages").joinpath(TEMPLATE).read_text(encoding="utf-8")
    pictures = {
        "power": plots.power(report),
        "energy": plots.energy(report),
        "area": plots.area(report),
        "convergence": plots.convergence(report),
        "pareto": plots.pareto(report),
        "points": plots.points(report),
        "mesh": chip.mesh(arch),
        "placement": chip.placement(arch),
        "timeline": chip.timeline(arch, schedule),
    }
    return environment.from_string(text).render(
        report=report,
        merits=MERITS,
        point=point_text(report.point),
        colours=layer_colours(arch),
        names=short_names([layer.name for layer in report.layers]),
        empty_points=sum(
            not (each.bound_gops_per_w or each.best_gops_per_w) for each in report.points
        ),
        places={layer.name: place for place, layer in enumerate(report.layers)},
        peaks=peaks(report),
        image=published_image(report.network.name),
        pictures={name: Markup(with_own_ids(svg, name)) for name, svg in pictures.items()},
    )


def peaks(report: SynthesisReport) -> list[tuple[str, float]]:
    """Return peak efficiencies in TOPS/W, the best first: published ones, and that of this chip."""
    found = [*PEAK_TOPS_PER_W.items(), (THIS_CHIP, report.peak_efficiency_gops_per_w / 1e3)]
    return sorted(found, key=lambda each: -each[1])


def published_image(network: str) -> dict[str, Image]:
    """Return what an image of the network costs on published chips, by their name."""
    return {chip: images[network] for chip, images in IMAGES.items() if network in images}


def with_own_ids(svg: str, name: str) -> str:
    """Return a picture whose names no other picture of the page has."""
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg)
