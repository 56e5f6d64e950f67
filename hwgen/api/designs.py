"""From a network and a power budget to an accelerator."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from rich.console import RenderableType

from hwgen.api.arguments import Count, File, Real, Seed, Work, checked, path_of, quiet
from hwgen.commands.pages import SynthesisRequest
from hwgen.commands.synthesis import synthesis_for


@dataclass(frozen=True, kw_only=True)
class SynthesizedChip:
    """Result of a synthesis.

    folder: that holds `files`; report: as `docs/schema/synthesize.schema.json` describes it
    within_budget: whether the chip needs no more than the power budget
    table: the report for a terminal
    """

    folder: Path
    files: tuple[str, ...]
    report: Any
    within_budget: bool
    table: RenderableType


@checked
def synthesize(
    network: File,
    power_w: Real,
    *,
    components: File | None = None,
    rules: Literal["strict", "published"] = "strict",
    seed: Seed = 1,
    method: Literal["bounded", "text", "code"] = "bounded",
    evaluations: Count | None = None,
    workers: Count = 2,
    scheduler: str | None = None,
    time_limit_s: Annotated[Real, Field(ge=0)] | None = None,
    out: File | None = None,
    html: File | None = None,
    image_size: tuple[Count, ...] | None = None,
    objective: Literal["image", "stream"] = "image",
    identical: bool = False,
    context: Work = None,
) -> SynthesizedChip:
    """Find the most efficient accelerator for a network within a power budget.

    network: the name of one that ships, such as `vgg16`, or an ONNX file
    power_w: peak power of the whole chip at most, in watts
    components: power, latency and area of the parts (.yaml); None: the table of the family
    rules, method: how designs are judged and searched
    evaluations: designs to try; None: by the method
    workers: processes; scheduler: address of a Dask scheduler instead; they change no result
    time_limit_s: the best design found until then is the answer
    out: folder to write; None: one in the work folder; html: page with pictures, written as well
    image_size: sides of the image in the order of the file, where it leaves some open
    objective: whether the efficiency of one image alone counts, or of one in a stream
    identical: whether every macro has as many of each component as the one that needs most
    """
    synthesis = synthesis_for(path_of(components))
    made = synthesis.synthesize_network(
        quiet(context),
        SynthesisRequest(
            network=os.fspath(network),
            power_w=power_w,
            components=path_of(components),
            rules=rules,
            seed=seed,
            method=method,
            evaluations=evaluations,
            workers=workers,
            scheduler=scheduler,
            time_limit_s=time_limit_s,
            out=path_of(out),
            image_size=image_size,
            objective=objective,
            identical=identical,
        ),
    )
    if html is not None:
        synthesis.write_page(made, Path(html))
    return SynthesizedChip(
        folder=made.folder,
        files=tuple(synthesis.FILES),
        report=made.report,
        within_budget=made.within_budget,
        table=synthesis.synthesis_table(made.report),
    )
