"""One causal network as programs: all tokens at once, and some tokens a call with what it keeps.

Every layer is token by token but products and causal softmaxes, so that row p of the whole equals
call p, in every element of every map; a call of k tokens equals k calls of one. A constant of all
tokens (learned places, the tables of a rotation) is the host's: its row p are further channels of
the image of position p.

Tests: `tests/network/test_decoding.py`.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from hwgen.errors import ConfigError
from hwgen.network.add import Add
from hwgen.network.append import Append, pixels_of
from hwgen.network.causal_softmax import CausalSoftmax
from hwgen.network.concatenate import Concatenate
from hwgen.network.conv import Conv
from hwgen.network.given_places import constant_keys, with_constants_given
from hwgen.network.graph import INPUT, QuantizedNetwork, version_of
from hwgen.network.layer_norm import LayerNorm
from hwgen.network.maps import FeatureMap
from hwgen.network.matmul import MatMul
from hwgen.network.multiply import Multiply
from hwgen.network.rescale import Rescale
from hwgen.network.selections import ONE_PIXEL
from hwgen.network.state import State
from hwgen.network.table import Table

OF_TOKENS = (Add, CausalSoftmax, Concatenate, Conv, LayerNorm, MatMul, Multiply, Rescale, Table)
OF_ELEMENTS = (Add, Multiply, Rescale, Table)
"""Layers that may stand between scores and their softmax."""


def decode(network: QuantizedNetwork, tokens: int = 1) -> QuantizedNetwork:
    """Return the network of `tokens` tokens a call, of a causal one of all tokens or of a step.

    What a product reads of all tokens becomes a state with a row for each position. A call at
    position p writes rows p, p + 1, ..: what it knows of tokens that turn out wrong is written over
    by a later call at the place of the first of them.
    Raises ConfigError for a layer that is not token by token, and for more tokens than positions.
    """
    network = with_constants_given(network)
    graph = network.graph
    positions = graph.positions or pixels_of(graph.input)
    if not 1 <= tokens <= positions:
        allowed = f"from 1 to the {positions} positions of {graph.name}"
        raise ConfigError(field="tokens", allowed=allowed, given=tokens, source="decode")
    refuse_later_tokens(network)
    layers: list[Any] = []
    held = dict(network.held)
    caches = {each.name: each.name for each in graph.layers if isinstance(each, Append)}
    caches |= {name: name for name in constant_keys(network)}
    kept = {*caches, *(each.inputs[0] for each in graph.layers if isinstance(each, Append))}
    for layer in graph.layers:
        if layer.name in kept:
            layers.append(layer)
            continue
        refuse_others(layer, graph.maps, network.graph.name)
        changes: dict[str, Any] = {"output": with_tokens(layer.output, tokens)}
        if isinstance(layer, CausalSoftmax):
            changes["keys"] = "position"
        if isinstance(layer, MatMul):
            first, second = layer.inputs
            if second not in caches:
                state, append = remembered(second, graph.maps[second])
                layers += [state, append]
                zero = state.output.quantization[0].zero_point
                held[state.name] = {"map": np.full(state.output.shape, zero, np.uint8)}
                caches[second] = append.name
            changes["inputs"] = first, caches[second]
        layers.append(replace(layer, **changes))
    return replace(
        network,
        graph=replace(
            graph,
            version=version_of(layers),
            input=with_tokens(graph.input, tokens),
            layers=layers,
            positions=positions,
        ),
        held=held,
    )


def prefill(network: QuantizedNetwork, tokens: int) -> QuantizedNetwork:
    """Return the network of the first tokens at once, of a step's; arrays are shared.

    Its scores span these tokens alone, and its appends only store.
    Raises ConfigError for a number of tokens beyond the positions, and for another network.
    """
    graph = network.graph
    if not 1 <= tokens <= graph.positions:
        allowed = f"from 1 to the {graph.positions} positions of {graph.name}"
        raise ConfigError(field="tokens", allowed=allowed, given=tokens, source="prefill")
    rows = {layer.name: layer.inputs[1] for layer in graph.layers if isinstance(layer, Append)}
    scores: dict[str, int] = {}
    layers: list[Any] = []
    for layer in graph.layers:
        if isinstance(layer, State | Append):
            layers.append(layer)
            continue
        refuse_others(layer, graph.maps, graph.name)
        if isinstance(layer, MatMul) and layer.transposed:
            scores[layer.name] = layer.groups
        elif not isinstance(layer, MatMul) and layer.inputs[0] in scores:
            scores[layer.name] = scores[layer.inputs[0]]
        output = with_tokens(layer.output, tokens)
        if layer.name in scores:
            output = replace(output, channels=scores[layer.name] * tokens)
        changes: dict[str, Any] = {"output": output}
        if isinstance(layer, CausalSoftmax):
            changes["keys"] = "pixel"
        changes["inputs"] = tuple(rows.get(name, name) for name in layer.inputs)
        layers.append(replace(layer, **changes))
    whole = replace(graph, input=with_tokens(graph.input, tokens), layers=layers)
    return replace(network, graph=whole)


def with_tokens(feature: FeatureMap, tokens: int) -> FeatureMap:
    """Return a map of another number of tokens, one below the other."""
    return replace(feature, height=tokens, width=1)


def remembered(name: str, feature: FeatureMap) -> tuple[State, Append]:
    """Return the state of a map's pixels of all calls, and the append of its new one."""
    state, append = f"{name}.state", f"{name}.append"
    common: dict[str, Any] = {"output": with_tokens(feature, pixels_of(feature)), "source": ""}
    return (
        State(op="state", name=state, inputs=(), next=append, **common),
        Append(op="append", name=append, inputs=(state, name), **common),
    )


def refuse_others(layer: Any, maps: dict[str, FeatureMap], name: str) -> None:
    """Refuse a layer that reads other tokens in another way than a causal softmax allows."""
    for allowed, given in complaints(layer, maps):
        raise ConfigError(
            field=f"layer {layer.name}", allowed=f"{allowed} in a decoder", given=given, source=name
        )


def refuse_later_tokens(network: QuantizedNetwork) -> None:
    """Refuse scores of all tokens that are read otherwise than through causal softmaxes."""
    constants = constant_keys(network)
    scores, shares = set[str](), set[str]()
    for layer in network.layers:
        given = scores.intersection(layer.inputs)
        if isinstance(layer, CausalSoftmax):
            shares.add(layer.name)
            continue
        if isinstance(layer, MatMul) and layer.inputs[1] not in constants:
            wrong = not layer.transposed and layer.inputs[0] not in shares
            if layer.transposed:
                scores.add(layer.name)
        else:
            wrong = bool(given) and not isinstance(layer, OF_ELEMENTS)
            if given:
                scores.add(layer.name)
        if wrong or scores.intersection(network.graph.outputs):
            raise ConfigError(
                field=f"layer {layer.name}",
                allowed="behind a causal mask, where a decoder reads other tokens",
                given=f"{layer.op} of {', '.join(layer.inputs)}",
                source=network.graph.name,
            )


def complaints(layer: Any, maps: dict[str, FeatureMap]) -> Iterator[tuple[str, object]]:
    """Yield what of a layer is not token by token."""
    if not isinstance(layer, OF_TOKENS):
        yield f"one of {', '.join(sorted(each.__name__.lower() for each in OF_TOKENS))}", layer.op
        return
    if isinstance(layer, Conv) and (layer.kernel != ONE_PIXEL or layer.stride != ONE_PIXEL):
        yield "of a kernel of one pixel", list(layer.kernel)
    pixels = {pixels_of(maps[name]) for name in layer.inputs}
    if not isinstance(layer, MatMul) and len(pixels | {pixels_of(maps[INPUT])}) > 1:
        yield f"of {pixels_of(maps[INPUT])} tokens", sorted(pixels)
