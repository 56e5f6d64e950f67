"""Shapes and densities in place of a network: what decides the cycles of a DB-PIM chip.

A complete YAML file: layers as in the graph of a network, how many of their weights are pruned and
how many digits are left, and how many bits of their maps are zero. `hwgen/network/drawn.py` draws a
network and maps of it. `docs/howto/explore.md` shows one.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, model_validator
from pydantic.dataclasses import dataclass

from hwgen.errors import FieldError, FormatError
from hwgen.files.load import EXACT, load_spec, validate_spec
from hwgen.files.output import write_text
from hwgen.network.csd import BLOCKS, phi
from hwgen.network.graph import INPUT, KINDS, Graph, QuantizedNetwork, version_of
from hwgen.network.maps import BYTE_BITS, FeatureMap, byte_map
from hwgen.network.sparsity import ALPHA, PHI_LIMIT

FORMAT = "hwgen.densities"
GROUP = 16
"""Channels of a pixel that `zero_planes` are counted in."""
DIGIT_LIMITS = BLOCKS + 1
"""Groups of filters have weights of at most 0, 1, 2, 3 or 4 digits."""
MOST_BLOCK = 64
SHARES_ERROR = 1e-6

Share = Annotated[float, Field(ge=0, le=1)]
Planes = Annotated[tuple[Share, ...], Field(min_length=BYTE_BITS, max_length=BYTE_BITS)]
Limits = Annotated[tuple[Share, ...], Field(min_length=DIGIT_LIMITS, max_length=DIGIT_LIMITS)]

ALL_TWO: Limits = (0.0, 0.0, 1.0, 0.0, 0.0)
HALF: Planes = (0.5,) * BYTE_BITS
NONE: Planes = (0.0,) * BYTE_BITS


@dataclass(frozen=True, kw_only=True, config=EXACT)
class MapDensities:
    """Of the elements of a map, by bit from 1 to 128.

    ones: share of elements with a one in this bit
    zero_planes: share of groups of 16 channels of a pixel without a one in this bit
    """

    ones: Planes = HALF
    zero_planes: Planes = NONE


@dataclass(frozen=True, kw_only=True, config=EXACT)
class WeightDensities:
    """Of the weights of a layer with int8 weights and one group of channels.

    block_filters: filters that are pruned together: 8, or several groups of 8 with one mask
    digits: share of the groups of 8 filters whose weights have at most 0, 1, 2, 3, 4 CSD digits,
        and one weight has so many; their sum is 1
    pruned_blocks: share of the blocks, of one input each, that are zero in all filters; groups
        without digits do not count
    exact: whether all weights of a filter that are not zero have equally many digits, up to 2, as
        training makes them: their rows are packed
    more_than_two: share of the blocks that are not pruned, in groups of 3 or 4 digits, in which a
        weight has more than 2 digits: those that a chip walks twice
    """

    block_filters: Annotated[int, Field(ge=ALPHA, le=MOST_BLOCK, multiple_of=ALPHA)] = ALPHA
    pruned_blocks: Share = 0.0
    digits: Limits = ALL_TWO
    exact: bool = True
    more_than_two: Share = 1.0

    @model_validator(mode="after")
    def check(self) -> Self:
        """Check the sum; |-separated message."""
        if abs(sum(self.digits) - 1) > SHARES_ERROR:
            raise FieldError("digits", "shares whose sum is 1", list(self.digits))
        return self


@dataclass(frozen=True, kw_only=True, config=EXACT)
class DensityFile:
    """The file; layers as they stand in it, see `Densities`.

    input: keys of the map, and `densities` of it
    """

    format: Literal["hwgen.densities"]
    version: Literal[1]
    name: Annotated[str, Field(min_length=1)]
    input: dict[str, Any]
    layers: Annotated[list[dict[str, Any]], Field(min_length=1)]
    outputs: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, config=EXACT)
class Densities:
    """Layers, and densities of weights and maps by the name of the layer; `input` is the image."""

    graph: Graph
    weights: dict[str, WeightDensities]
    maps: dict[str, MapDensities]


def load_densities(path: Path) -> Densities:
    """Return the content of a file; every mistake is one sentence."""
    given, source = load_spec(DensityFile, path), str(path)
    image, of_image = parts_of(given.input, ("densities",))
    maps = {INPUT: validated(MapDensities, of_image.get("densities", {}), INPUT, source)}
    shapes = {INPUT: map_of(image, source)}
    layers, weights, last = [], {}, INPUT
    for number, each in enumerate(given.layers):
        plain, extra = parts_of(each, ("densities", "weights"))
        layer = layer_of(plain, number, last, shapes, source)
        layers.append(layer)
        last, shapes[layer.name] = layer.name, layer.output
        maps[layer.name] = validated(MapDensities, extra.get("densities", {}), last, source)
        if "weights" in extra:
            weights[layer.name] = validated(WeightDensities, extra["weights"], last, source)
    graph = Graph(
        format="hwgen.network",
        version=version_of(layers),
        name=given.name,
        dataset="",
        class_names=[],
        preprocessing="",
        input=shapes[INPUT],
        modes=("1.0x",),
        layers=layers,
        outputs=given.outputs or (last,),
    )
    return Densities(graph=graph, weights=weights, maps=maps)


def parts_of(
    given: Mapping[str, Any], keys: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a mapping without some keys, and these."""
    rest = {key: value for key, value in given.items() if key not in keys}
    return rest, {key: given[key] for key in keys if key in given}


def validated(spec: type[Any], given: object, name: str, source: str) -> Any:
    """Return densities from plain values; name: of the layer that they are of."""
    where = f"{source}, {name}"
    if not isinstance(given, dict):
        raise FormatError(field="densities", allowed="a mapping", given=given, source=where)
    return validate_spec(spec, given, source=where)


def map_of(given: Mapping[str, Any], source: str) -> FeatureMap:
    """Return a map from its keys; without a quantization the elements are bytes from 0 to 255."""
    plain = {**plain_map((0, 0, 0)), **given}
    feature: FeatureMap = validate_spec(FeatureMap, plain, source=f"{source}, {INPUT}")
    return feature


def plain_map(shape: tuple[int, int, int]) -> dict[str, Any]:
    """Return the keys of a map of bytes from 0 to 255."""
    of_one = TypeAdapter(FeatureMap).dump_python(
        byte_map((1, 1, 1), scale=1.0, zero_point=0, low=0, high=255)
    )
    return {**of_one, "height": shape[0], "width": shape[1], "channels": shape[2]}


def layer_of(
    given: Mapping[str, Any],
    number: int,
    last: str,
    shapes: Mapping[str, FeatureMap],
    source: str,
) -> Any:
    """Return a layer from its keys; those left out are the usual ones.

    number: of the layer in the file; last: name of the layer before; shapes: of all maps before
    """
    op = given.get("op")
    if op not in KINDS:
        raise FormatError(
            field=f"layers.{number}.op",
            allowed=f"one of {', '.join(KINDS)}",
            given=op,
            source=source,
        )
    kind, where = KINDS[op], f"{source}, {given.get('name', f'layers.{number}')}"
    named: dict[str, Any] = {"name": f"layer{number}", "inputs": [last], **given}
    missing = [name for name in named["inputs"] if name not in shapes]
    if missing:
        raise FormatError(
            field="inputs", allowed=f"among {', '.join(shapes)}", given=missing[0], source=where
        )
    sources = [shapes[name] for name in named["inputs"]]
    channels = named.pop("channels", sources[0].channels if sources else 1)
    known = usual_values(kind, len(sources)) | named
    if "output" not in known:
        known["output"] = plain_map((1, 1, channels))
        shape = validate_spec(kind, known, source=where).output_shape(sources)
        if shape is None:
            raise FormatError(
                field="kernel",
                allowed=f"inside its input {sources[0].shape}",
                given="a larger one",
                source=where,
            )
        known["output"] = plain_map(shape)
    return validate_spec(kind, known, source=where)


def usual_values(kind: Any, inputs: int) -> dict[str, Any]:
    """Return values of the keys that a layer of a kind may leave out; inputs: how many it has."""
    usual = {
        "source": "",
        "weight_bits": BYTE_BITS,
        "weight_grid": "integer",
        "rounding": "half_up",
        "groups": 1,
        "stride": [1, 1],
        "padding": [0, 0, 0, 0],
        "operand_shifts": [],
        "requantization": [
            {"multipliers": [1 << 15] * (inputs if kind is KINDS["add"] else 1), "shift": 16}
        ],
        "divisor": "window",
        "center": None,
        "fill": "repeat",
        "factor": 256,
        "order": "eight",
    }
    if kind is KINDS["upsample"]:
        del usual["factor"]
    return {key: value for key, value in usual.items() if key in kind.__dataclass_fields__}


def save_densities(densities: Densities, path: Path) -> None:
    """Write the file: a layer a line, keys with usual values left out."""
    graph, places = densities.graph, TypeAdapter(MapDensities)
    image = TypeAdapter(FeatureMap).dump_python(graph.input, mode="json")
    head = {"format": FORMAT, "version": 1, "name": graph.name}
    lines = [yaml.safe_dump(head, sort_keys=False)]
    of_image = image | {"densities": places.dump_python(densities.maps[INPUT], mode="json")}
    lines += [f"input: {flow(of_image)}\n", "layers:\n"]
    for layer in graph.layers:
        kind = type(layer)
        plain = TypeAdapter(kind).dump_python(layer, mode="json")
        usual = usual_values(kind, len(layer.inputs))
        given = {key: value for key, value in plain.items() if usual.get(key, object()) != value}
        if layer.name in densities.weights:
            of_layer = TypeAdapter(WeightDensities)
            given["weights"] = of_layer.dump_python(densities.weights[layer.name], mode="json")
        given["densities"] = places.dump_python(densities.maps[layer.name], mode="json")
        lines.append(f"- {flow(given)}\n")
    lines.append(f"outputs: {flow(list(graph.outputs))}\n")
    write_text(path, "".join(lines), what="densities")


def flow(value: object) -> str:
    """Return a value on one line of YAML."""
    text: str = yaml.safe_dump(
        value, sort_keys=False, default_flow_style=True, width=1 << 20, allow_unicode=True
    )
    return text.strip().removesuffix("...").strip()


def densities_of(network: QuantizedNetwork, maps: Mapping[str, NDArray[Any]]) -> Densities:
    """Return what a network and its maps have; maps: as golden computes them, by name.

    Raises FormatError for a network of several modes.
    """
    if len(network.graph.modes) > 1:
        raise FormatError(
            field="modes",
            allowed="one for densities",
            given=list(network.graph.modes),
            source=network.graph.name,
        )
    counted = {
        layer.name: weights_counted(network.parameters[layer.name].weights)
        for layer in network.layers
        if has_blocks(layer)
    }
    features = network.graph.maps
    return Densities(
        graph=network.graph,
        weights=counted,
        maps={name: map_counted(maps[name], features[name]) for name in features},
    )


def has_blocks(layer: Any) -> bool:
    """Return whether a layer has int8 weights and one group of channels: blocks can be pruned."""
    integers = getattr(layer, "weight_grid", None) == "integer" and layer.weight_bits <= BYTE_BITS
    return integers and getattr(layer, "groups", 1) == 1


def map_counted(found: NDArray[Any], feature: FeatureMap) -> MapDensities:
    """Return the densities of a map of any images; those of a raw or a wide one are not needed."""
    if feature.bits > BYTE_BITS:
        return MapDensities()
    pixels = found.reshape(-1, feature.channels)
    padded = np.pad(pixels, ((0, 0), (0, -feature.channels % GROUP)))
    together = np.bitwise_or.reduce(padded.reshape(len(pixels), -1, GROUP), axis=2)
    bits = range(BYTE_BITS)
    return MapDensities(
        ones=tuple(rounded((pixels >> bit & 1).mean()) for bit in bits),
        zero_planes=tuple(rounded(1 - (together >> bit & 1).mean()) for bit in bits),
    )


def weights_counted(weights: NDArray[Any]) -> WeightDensities:
    """Return the densities of weights, (filters, ...)."""
    digits = np.array([phi(value) for value in range(-128, 128)])[
        weights.reshape(len(weights), -1).astype(int) + 128
    ]
    groups = [digits[first : first + ALPHA] for first in range(0, len(digits), ALPHA)]
    limits = np.bincount([int(group.max()) for group in groups], minlength=DIGIT_LIMITS)
    masks = np.array([group.any(axis=0) for group in groups if group.any()])
    most = np.concatenate(
        [group.max(axis=0) for group in groups if group.max() > PHI_LIMIT] or [[]]
    )
    return WeightDensities(
        block_filters=block_filters(masks),
        pruned_blocks=rounded(1 - masks.mean()) if masks.size else 0.0,
        digits=tuple(float(count) / len(groups) for count in limits),
        exact=all(len(set(walked(filter_digits))) <= 1 for filter_digits in digits),
        more_than_two=rounded((most[most > 0] > PHI_LIMIT).mean()) if most.any() else 1.0,
    )


def walked(digits: NDArray[np.int64]) -> list[int]:
    """Return the digits in the first walk of each weight of a filter that is not zero."""
    found: list[int] = np.minimum(digits[digits > 0], PHI_LIMIT).tolist()
    return found


def block_filters(masks: NDArray[np.bool_]) -> int:
    """Return how many filters have one mask; masks: (groups, inputs)."""
    found = ALPHA
    while found < MOST_BLOCK and len(masks) % (2 * found // ALPHA) == 0 and not masks.all():
        together = masks.reshape(-1, 2 * found // ALPHA, masks.shape[1])
        if (together != together[:, :1]).any():
            break
        found *= 2
    return found


def rounded(value: float) -> float:
    """Return a share with four digits."""
    return round(float(value), 4)
