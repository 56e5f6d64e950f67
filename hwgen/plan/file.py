"""The plan file, `hwgen.plan`: steps for chip and host in one archive, each piece a file.

The archive is a `.npz` without pickle. `plan` is JSON; `<piece>` holds the bytes of the quantized
network file of a piece on the chip, or of the ONNX file of one on the host; `<piece>.<tensor>` the
numbers of the elements of a border that lies in its map in no order of axes.

Tests: `tests/plan/test_cut.py`.
"""

import itertools
import json
import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass as plain_dataclass
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from hwgen.errors import FormatError
from hwgen.files.digests import digest_of_array
from hwgen.files.json_text import check_header, plain_json
from hwgen.files.load import EXACT, first_mistake
from hwgen.files.npz import read_npz, write_npz
from hwgen.network import INPUT, QuantizedNetwork
from hwgen.network.file import PLAN_KEY, load_network, save_network

FORMAT, VERSION = "hwgen.plan", 1
Count = Annotated[int, Field(ge=0)]
Sides = tuple[Annotated[int, Field(ge=1)], ...]


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Place:
    """Where a border lies in the image or in the map of a layer.

    layer: `input` for the image; offset: what is added to the integers of the file
    axes: order in which the axes of (batch, rows, columns, channels) give the border
    numbers: of each element of the border in (batch, rows, columns, channels), int32, which the
        archive holds as an array; None: by axes
    """

    tensor: str
    layer: str
    offset: int
    axes: tuple[int, ...] | None
    numbers: Any = None

    def taken(self, maps: NDArray[Any], sides: Sides) -> NDArray[np.int64]:
        """Return the integers of the border, of its sides, from maps (batch, ..)."""
        found = maps.reshape(-1)[self.numbers] if self.axes is None else maps.transpose(self.axes)
        return found.reshape(sides).astype(np.int64) - self.offset

    def put(self, border: NDArray[Any], images: NDArray[Any]) -> None:
        """Write the integers of the border into images, (batch, rows, columns, channels)."""
        integers = border.astype(np.int64) + self.offset
        if self.axes is None:
            images.reshape(-1)[self.numbers] = integers.reshape(np.shape(self.numbers))
        else:
            view = images.transpose(self.axes)
            view[...] = integers.reshape(view.shape)


def in_axes(places: NDArray[np.int64], shape: tuple[int, int, int]) -> tuple[int, ...] | None:
    """Return the order of axes of (batch, *shape) that places are; None: they are none."""
    if places.size % math.prod(shape):
        return None
    whole = np.arange(places.size).reshape(-1, *shape)
    flat = places.reshape(-1)
    for rest in itertools.permutations((1, 2, 3)):
        if np.array_equal(whole.transpose(0, *rest).reshape(-1), flat):
            return (0, *rest)
    return None


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PlanTensor:
    """A tensor between steps, or at an end of the file.

    type: its name in numpy; scale, zero_point: of a border; null: of a tensor that is none
    layout: of an image at the input: `planes` has channels first; else empty
    """

    name: str
    type: str
    sides: Sides
    scale: float | None
    zero_point: int | None
    layout: Literal["", "planes", "rows", "tokens"] = ""

    @property
    def bytes(self) -> int:
        """Bytes of a call."""
        return math.prod(self.sides) * np.dtype(self.type).itemsize


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PlanStep:
    """A piece.

    inputs, outputs: tensors; nodes: of the user's file, as names; operators: with their number
    products: multiply-accumulates of a call; reasons: why its products stay on the host
    batch, image, maps: of a piece on the chip, see `ChipPiece`
    real: borders that a piece on the host reads and writes as the numbers that they stand for
    steps: by which a border differs at most from the runtime, on the inputs that were tried
    digest: of the file of the piece
    """

    name: str
    where: Literal["chip", "host"]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    nodes: tuple[str, ...]
    operators: dict[str, Count]
    products: Count
    reasons: tuple[str, ...] = ()
    batch: Count = 1
    image: tuple[Place, ...] = ()
    maps: tuple[Place, ...] = ()
    real: tuple[str, ...] = ()
    steps: Count = 0
    digest: str


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Seen:
    """What a check of the whole plan found; elements: of all outputs, of which `equal` are.

    runtime: with its version; images: played; largest: in units of the output
    """

    runtime: str
    images: Count
    elements: Count
    equal: Count
    largest: float


@dataclass(frozen=True, kw_only=True, config=EXACT)
class PlanGraph:
    """The steps in order, and the tensors between them.

    chip: name of the chip, or golden; architecture: its digest, empty for golden
    exact: whether the chip rounds as the runtime does
    runtime, setting: that chose the cut and that host pieces need; empty: nothing was judged
    products: of the whole file; seen: null where nothing was judged
    lines: what the cut says besides: which units differ from the runtime
    probe: digest of each tensor of one drawn call, by which another runtime is held against this
    """

    format: Literal["hwgen.plan"]
    version: Literal[1]
    name: Annotated[str, Field(min_length=1)]
    kind: Literal["ONNX", "TFLite"]
    chip: str
    architecture: str
    exact: bool
    runtime: str
    setting: str
    products: Count
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    tensors: tuple[PlanTensor, ...]
    steps: tuple[PlanStep, ...]
    lines: tuple[str, ...] = ()
    seen: Seen | None = None
    probe: dict[str, str] = Field(default_factory=dict)

    @property
    def chip_steps(self) -> list[PlanStep]:
        """The pieces on the chip."""
        return [step for step in self.steps if step.where == "chip"]

    @property
    def host_steps(self) -> list[PlanStep]:
        """The pieces on the host."""
        return [step for step in self.steps if step.where == "host"]

    @property
    def chip_products(self) -> int:
        """Multiply-accumulates on the chip."""
        return sum(step.products for step in self.chip_steps)

    @property
    def by_name(self) -> dict[str, PlanTensor]:
        """The tensors by name."""
        return {tensor.name: tensor for tensor in self.tensors}

    @property
    def crossing_bytes(self) -> int:
        """Bytes of a call that cross between chip and host."""
        tensors = self.by_name
        ends = [name for step in self.chip_steps for name in (*step.inputs, *step.outputs)]
        return sum(tensors[name].bytes for name in ends)


@plain_dataclass(frozen=True, kw_only=True)
class Plan:
    """A plan with its pieces: networks by name, files of the host by name as bytes."""

    graph: PlanGraph
    networks: Mapping[str, QuantizedNetwork]
    files: Mapping[str, bytes]

    @property
    def digest(self) -> str:
        """sha256 over the plan; it names the digests of all pieces."""
        return digest_of_array(np.frombuffer(text_of(self.graph), np.uint8))


@cache
def adapter() -> TypeAdapter[PlanGraph]:
    """Return what checks the plan."""
    return TypeAdapter(PlanGraph)


def text_of(graph: PlanGraph) -> bytes:
    """Return the JSON of a plan, without the numbers of its places."""
    bare = [
        replace(
            step,
            image=tuple(replace(each, numbers=None) for each in step.image),
            maps=tuple(replace(each, numbers=None) for each in step.maps),
        )
        for step in graph.steps
    ]
    plain = adapter().dump_python(replace(graph, steps=tuple(bare)), mode="json")
    return json.dumps(plain, indent=1).encode()


def save_plan(plan: Plan, path: Path) -> None:
    """Write a plan; the file is whole or absent."""
    arrays: dict[str, NDArray[Any]] = {PLAN_KEY: np.frombuffer(text_of(plan.graph), np.uint8)}
    with tempfile.TemporaryDirectory() as folder:
        for name, network in plan.networks.items():
            file = Path(folder) / "piece.npz"
            save_network(network, file)
            arrays[name] = np.frombuffer(file.read_bytes(), np.uint8)
    for name, content in plan.files.items():
        arrays[name] = np.frombuffer(content, np.uint8)
    for step in plan.graph.steps:
        for each in (*step.image, *step.maps):
            if each.numbers is not None:
                arrays[key_of(step, each)] = each.numbers
    write_npz(path, arrays, what="plan")


def key_of(step: PlanStep, place: Place) -> str:
    """Return the name of the numbers of a place in the archive."""
    ends = step.inputs if place.layer == INPUT and place.tensor in step.inputs else step.outputs
    side = "in" if ends is step.inputs else "out"
    return f"{step.name}.{side}{ends.index(place.tensor)}"


def is_plan(path: Path) -> bool:
    """Return whether a file is an archive with a plan."""
    import zipfile

    try:
        with zipfile.ZipFile(path) as archive:
            return f"{PLAN_KEY}.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False


def load_plan(path: Path) -> Plan:
    """Return the plan in a file; every mistake in it is one sentence."""
    source, allowed = str(path), f"a whole {FORMAT} file (.npz)"
    arrays = read_npz(path, what="plan", allowed=allowed)
    if PLAN_KEY not in arrays:
        raise FormatError(field="the plan", allowed=allowed, given="none inside", source=source)
    plain = plain_json(arrays.pop(PLAN_KEY).tobytes(), field=PLAN_KEY, source=source)
    check_header(plain, file_format=FORMAT, versions=[VERSION], source=source)
    try:
        graph = adapter().validate_json(json.dumps(plain))
    except ValidationError as error:
        raise first_mistake(error, source, FormatError) from None
    check_plan(graph, source)
    networks, files = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        for step in graph.steps:
            content = taken(arrays, step.name, source).tobytes()
            if digest_of_array(np.frombuffer(content, np.uint8)) != step.digest:
                raise FormatError(
                    field=f"the piece {step.name}",
                    allowed="of the digest that the plan names",
                    given="another",
                    source=source,
                )
            if step.where == "host":
                files[step.name] = content
                continue
            file = Path(folder) / f"{step.name}.npz"
            file.write_bytes(content)
            networks[step.name] = load_network(file)
    steps = tuple(with_numbers(step, arrays, source) for step in graph.steps)
    return Plan(graph=replace(graph, steps=steps), networks=networks, files=files)


def with_numbers(step: PlanStep, arrays: dict[str, NDArray[Any]], source: str) -> PlanStep:
    """Return a step whose places have their numbers."""

    def whole(place: Place) -> Place:
        if place.axes is not None:
            return place
        return replace(place, numbers=taken(arrays, key_of(step, place), source))

    return replace(step, image=tuple(map(whole, step.image)), maps=tuple(map(whole, step.maps)))


def taken(arrays: dict[str, NDArray[Any]], name: str, source: str) -> NDArray[Any]:
    """Return an array of the archive."""
    if name not in arrays:
        raise FormatError(field=name, allowed="an array", given="nothing", source=source)
    return arrays[name]


def check_plan(graph: PlanGraph, source: str) -> None:
    """Refuse a plan whose steps read what nothing has written."""
    known, tensors = set(graph.inputs), graph.by_name
    for step in graph.steps:
        for name in step.inputs:
            if name not in known:
                raise FormatError(
                    field=f"input {name} of {step.name}",
                    allowed="an input of the file, or written by a step before",
                    given="neither",
                    source=source,
                )
        known.update(step.outputs)
    lost = [name for name in (*graph.outputs, *sorted(known)) if name not in tensors]
    lost += [name for name in graph.outputs if name not in known]
    if lost:
        raise FormatError(
            field=f"tensor {lost[0]}", allowed="listed and written", given="not", source=source
        )
