"""The report of `hwgen compare`: a network file against the file it was imported from."""

from typing import Annotated, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from hwgen.files.load import EXACT
from hwgen.network.verdict import Verdict
from hwgen.report.types import Count, Fraction, Images, Source


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Differences:
    """Elements of a map over all images, in steps of the map.

    equal: fraction of equal elements, of an answer in real numbers; one_step: elements that differ
    by up to one step, as ties do that round another way; larger: those that differ by more;
    largest: difference
    """

    elements: Count
    equal: Fraction
    one_step: Count
    larger: Count
    largest: Count


@dataclass(frozen=True, kw_only=True, config=EXACT)
class LayerAgreement:
    """A layer of the network and the map of the file that it holds.

    source: name of the map in the file
    same_inputs: where the layer is given the runtime's inputs; end_to_end: those of golden
    """

    name: str
    kind: str
    source: str
    same_inputs: Differences
    end_to_end: Differences


@dataclass(frozen=True, kw_only=True, config=EXACT)
class FirstElement:
    """The first element that differs: in the first layer that differs, of the first image.

    golden, runtime: in steps of the network's map; a real number of the runtime that the map does
    not have lies between two of them
    """

    layer: str
    image: Count
    y: Count
    x: Count
    channel: Count
    golden: int
    runtime: int | float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class AgreementReport:
    """How golden and the runtime of a file agree; null: not measured.

    exact: whether every element must be equal, as where the network rounds as the runtime does
    first: the first element that differs, if every one must be equal
    agrees: whether nothing differs that must not: of functions behind the network a step may
    announced: where one does, the lines of the import that say by how much a layer may differ; null
        where the network does not compute with these kernels
    layers: those whose map the runtime was asked for and shows
    output: all outputs of the file, or the map of the answer by kernels that the network has not
    top_class: fraction of images with the same largest element of the answer, heads of the file
        included
    accuracy_*: fraction of images whose largest element is the label's
    largest_step: largest difference of a layer on the same inputs, of calls that of an output
    judged: by the file in a session, of one that rounds half up in a plain one
    """

    format: Literal["hwgen.report.compare"]
    version: Literal[1]
    network: Source
    file: Source
    kind: str
    runtime: str
    data: Images
    exact: bool
    first: FirstElement | None
    agrees: bool
    announced: list[str] | None = None
    layers: list[LayerAgreement]
    output: Differences | None
    top_class: Fraction | None
    accuracy_golden: Fraction | None
    accuracy_runtime: Fraction | None
    largest_step: Annotated[int, Field(ge=0)] | None
    versions: dict[str, str]
    judged: Verdict
