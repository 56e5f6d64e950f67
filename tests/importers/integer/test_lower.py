"""The common graph: what is folded, exact offsets, factors, notes, names."""

from dataclasses import replace

import numpy as np
import pytest

from golden.network import infer
from hwgen.importers.integer import (
    IntegerGraph,
    Lowered,
    Note,
    QuantizedMap,
    RefusedNetworkError,
    Unsupported,
    folded,
    lower,
    quantized_map,
    raw_sums,
    weights_of,
)
from hwgen.importers.integer.factors import factor_of, pair_of
from hwgen.importers.integer.nodes import (
    Addition,
    Convolution,
    FullyConnected,
    Head,
    Lookup,
    MaxPooling,
    Multiplication,
    Node,
    Padding,
    PerChannel,
    Requantization,
    Selection,
    Subsampling,
    View,
)
from hwgen.network import Conv

Names = tuple[str, ...]


def signed(*shape: int, scale: float = 0.05, zero_point: int = -3) -> QuantizedMap:
    height, width, channels = shape
    return quantized_map((height, width, channels), signed=True, scale=scale, zero_point=zero_point)


def graph(maps: dict[str, QuantizedMap], *nodes: Node, outputs: Names = ("y",)) -> IntegerGraph:
    return IntegerGraph(
        name="small",
        source="small.file",
        format="none",
        input="x",
        outputs=outputs,
        maps=maps,
        nodes=nodes,
    )


def base(inputs: str = "x", output: str = "y", name: str = "node") -> dict[str, object]:
    return {"name": name, "operator": "Op", "inputs": tuple(inputs.split()), "output": output}


def answer(lowered: Lowered, images: np.ndarray) -> np.ndarray:
    return infer(lowered.network, images)[lowered.network.answer].astype(np.int64)


def every_byte(channels: int = 1) -> np.ndarray:
    """Return an image of 256 pixels with each byte once, in every channel."""
    column = np.arange(256, dtype=np.uint8).reshape(1, 256, 1, 1)
    return np.repeat(column, channels, axis=3)


def real(values: QuantizedMap, integers: np.ndarray) -> np.ndarray:
    return values.scale * (integers - values.offset - values.zero_point)


@pytest.mark.promise("signed maps become unsigned exactly, and what moves integers is exact")
def test_signed_maps_become_unsigned_exactly() -> None:
    found = signed(2, 3, 4, zero_point=-128).clipped(0.0, 6.0).feature_map()
    values = found.quantization[0]
    assert (values.zero_point, values.low, values.high) == (0, 0, 120)
    unsigned = quantized_map((1, 1, 1), signed=False, scale=0.1, zero_point=9).feature_map()
    assert (unsigned.quantization[0].zero_point, unsigned.quantization[0].high) == (9, 255)


def test_bias_holds_the_zero_point() -> None:
    weights = np.array([[1, 2], [-3, 127]], np.int8)
    maps = {"x": signed(1, 1, 2), "y": signed(1, 1, 2, scale=1.0)}
    given = weights_of(weights, scales=[0.1, 0.2], bias=[10, -10])
    network = lower(graph(maps, FullyConnected(weights=given, **base()))).network
    zero_point = 128 - 3
    bias = network.parameters["node"].bias
    assert bias.tolist() == [[10 - zero_point * 3, -10 - zero_point * 124]]
    assert network.parameters["node"].weight_scale.tolist() == pytest.approx([0.1, 0.2])


@pytest.mark.promise("factors have 16 bits; what is not exact is noted with its largest effect")
@pytest.mark.parametrize("value", [1.0, 0.3, 2**-31, 1.9999999 * 2**-20, 32767.0])
def test_a_factor_has_sixteen_bits(value: float) -> None:
    factor = factor_of(value)
    assert 1 << 15 <= factor.multiplier < 1 << 16 and 1 <= factor.shift <= 47
    assert factor.error == abs(factor.multiplier / 2**factor.shift - value)
    assert factor.error <= value * 2**-16


def test_a_factor_below_the_smallest_changes_nothing() -> None:
    factor = factor_of(2**-40)
    assert (factor.multiplier, factor.shift, factor.error) == (1 << 15, 47, 0.0)


def test_two_factors_share_a_shift() -> None:
    one, other = pair_of(0.001, 0.9)
    assert one.shift == other.shift and other.multiplier >= 1 << 15
    assert one.multiplier == round(0.001 * 2**one.shift)
    assert [each.multiplier for each in pair_of(0.9, 0.001)] == [other.multiplier, one.multiplier]


def test_what_is_not_exact_is_noted_with_its_effect() -> None:
    maps = {"x": signed(1, 1, 1), "y": signed(1, 1, 1, scale=0.05 * 3)}
    lowered = lower(
        replace(graph(maps, Requantization(**base())), notes=(Note(node="a", what="b", steps=0.5),))
    )
    assert lowered.notes[0].steps == 0.5
    (multiplier,), shift = vars(lowered.network.layers[0].requantization[0]).values()
    assert lowered.notes[1].steps == pytest.approx(abs(multiplier / 2**shift - 1 / 3) * 130)
    assert lowered.largest_effect == 0.5


def test_an_exact_factor_is_not_noted() -> None:
    maps = {"x": signed(1, 1, 1), "y": signed(1, 1, 1, scale=0.1)}
    assert lower(graph(maps, Requantization(**base()))).notes == ()


def test_a_table_is_the_function_rounded_once() -> None:
    maps = {"x": signed(256, 1, 1), "y": signed(256, 1, 1, scale=0.02, zero_point=-128)}
    lowered = lower(graph(maps, Lookup(function=np.exp, **base())))
    given = answer(lowered, every_byte()).reshape(-1)
    wanted = np.exp(0.05 * (np.arange(256) - 125)) / 0.02
    assert np.abs(given - wanted.clip(0, 255)).max() <= 0.5


def test_constants_by_channel_are_exact_to_a_step() -> None:
    maps = {"x": signed(256, 1, 3), "y": signed(256, 1, 3, scale=0.07)}
    node = PerChannel(
        factor=np.array([1.5, -0.3, 0.0]), offset=np.array([0.0, 1.0, -2.0]), **base()
    )
    lowered = lower(graph(maps, node))
    given = answer(lowered, every_byte(3))[0, :, 0]
    wanted = np.arange(256)[:, None] * 0.05 * [1.5, -0.3, 0] - [0, -1, 2]
    wanted -= 125 * 0.05 * np.array([1.5, -0.3, 0])
    steps = (wanted / 0.07 + 125).clip(0, 255)
    assert np.abs(given - steps).max() <= 0.51


def test_selected_channels_are_exact() -> None:
    maps = {"x": signed(2, 2, 4), "y": signed(2, 2, 3)}
    image = np.random.default_rng(1).integers(0, 256, (1, 2, 2, 4), dtype=np.uint8)
    for channels, op in (((3, 0, 1), "conv"), ((0, 1, 2), "shortcut")):
        lowered = lower(graph(maps, Selection(channels=channels, **base())))
        assert lowered.network.layers[0].op == op
        assert (answer(lowered, image) == image[..., list(channels)]).all()


def test_subsampling_is_exact() -> None:
    maps = {"x": signed(5, 4, 2), "y": signed(3, 2, 2)}
    image = np.random.default_rng(1).integers(0, 256, (1, 5, 4, 2), dtype=np.uint8)
    lowered = lower(graph(maps, Subsampling(stride=(2, 3), **base())))
    assert (answer(lowered, image) == image[:, ::2, ::3]).all()


def test_dilation_is_a_kernel_with_zeros() -> None:
    maps = {"x": signed(7, 7, 1), "y": signed(3, 5, 1, scale=1.0)}
    kernel = np.arange(1, 7, dtype=np.int8).reshape(1, 3, 2, 1)
    node = Convolution(
        weights=weights_of(kernel, scales=0.1),
        stride=(1, 1),
        padding=(0, 0, 0, 0),
        dilation=(2, 2),
        **base(),
    )
    network = lower(graph(maps, node)).network
    layer = network.layers[0]
    assert isinstance(layer, Conv) and layer.kernel == (5, 3)
    weights = network.parameters["node"].weights[0, :, :, 0]
    assert weights[::2, ::2].tolist() == kernel[0, :, :, 0].tolist()
    assert weights.sum() == kernel.sum()


@pytest.mark.promise(
    "paddings, reshapings, activations and heads are folded where that changes nothing"
)
def test_a_product_puts_the_small_map_second() -> None:
    maps = {"x": signed(4, 4, 2), "p": signed(1, 1, 2), "y": signed(4, 4, 2)}
    pool = MaxPooling(
        kernel=(4, 4), stride=(1, 1), padding=(0, 0, 0, 0), **base(output="p", name="p")
    )
    network = lower(graph(maps, pool, Multiplication(**base("p x")))).network
    assert network.layers[-1].inputs == ("input", "p")


def test_an_activation_of_a_map_with_two_readers_stays() -> None:
    maps = {
        "x": signed(2, 2, 1),
        "a": signed(2, 2, 1, scale=0.1),
        "r": signed(2, 2, 1, scale=0.1),
        "y": signed(2, 2, 1),
    }
    maps["r"] = maps["r"].clipped(0.0, None)
    first = Requantization(**base(output="a", name="a"))
    relu = Requantization(**base("a", "r", "r"))
    both = lower(graph(maps, first, relu, Addition(**base("a r"))))
    assert [layer.name for layer in both.network.layers] == ["a", "r", "node"]
    alone = folded(graph(maps, first, relu, outputs=("r",)))
    assert [node.output for node in alone.nodes] == ["r"]
    assert alone.maps["r"].low == -3


def test_padding_stays_before_a_maximum_of_negative_values() -> None:
    maps = {"x": signed(2, 2, 1), "p": signed(3, 2, 1), "y": signed(1, 1, 1)}
    pad = Padding(sides=(1, 0, 0, 0), **base(output="p", name="p"))
    pool = MaxPooling(kernel=(3, 2), stride=(1, 1), padding=(0, 0, 0, 0), **base("p"))
    lowered = lower(graph(maps, pad, pool))
    assert [layer.op for layer in lowered.network.layers] == ["conv", "max_pool"]
    image = np.full((1, 2, 2, 1), 7, np.uint8)
    assert answer(lowered, image).item() == 125, "a real zero wins"
    maps["x"] = maps["x"].clipped(0.0, None)
    maps["p"] = maps["p"].clipped(0.0, None)
    assert [layer.op for layer in lower(graph(maps, pad, pool)).network.layers] == ["max_pool"]


def test_reshaping_there_and_back_is_folded() -> None:
    maps = {
        "x": signed(2, 2, 3),
        "a": signed(2, 2, 3, scale=0.1),
        "v": signed(1, 1, 12, scale=0.1),
        "w": signed(2, 2, 3, scale=0.1),
        "y": signed(2, 2, 3),
    }
    lowered = lower(graph(
        maps,
        Requantization(**base(output="a", name="a")),
        View(**base("a", "v", "v")),
        View(**base("v", "w", "w")),
        Requantization(**base("w")),
    ))  # fmt: skip
    assert [layer.name for layer in lowered.network.layers] == ["a", "node"]


def test_an_image_takes_the_shape_in_which_it_is_read() -> None:
    maps = {"x": signed(1, 1, 12), "v": signed(2, 2, 3), "y": signed(2, 2, 3, scale=0.1)}
    nodes = (View(**base(output="v", name="v")), Requantization(**base("v")))
    network = lower(graph(maps, *nodes)).network
    assert network.graph.input.shape == (2, 2, 3)
    assert network.layers[0].inputs == ("input",)


def test_heads_and_reshapings_behind_the_answer_are_dropped() -> None:
    maps = {name: signed(1, 1, 4, scale=0.1) for name in "ysv"} | {"x": signed(1, 1, 4)}
    nodes = (Requantization(**base()), View(**base("y", "v", "v")), Head(**base("v", "s", "s")))
    network = lower(graph(maps, *nodes, outputs=("s",))).network
    assert network.graph.outputs == ("node",)
    assert [layer.op for layer in network.layers] == ["rescale"]


def test_names_become_valid_and_differ() -> None:
    maps = {"x": signed(1, 1, 1)} | {
        name: signed(1, 1, 1, scale=scale)
        for name, scale in (("a/b", 0.1), ("a:b", 0.2), ("y", 0.3))
    }
    network = lower(graph(
        maps,
        Requantization(**base(output="a/b", name="a/b")),
        Requantization(**base("a/b", "a:b", "a:b")),
        Requantization(**base("a:b", "y", "input")),
        outputs=("a/b", "a:b", "y"),
    )).network  # fmt: skip
    assert [layer.name for layer in network.layers] == ["a_b", "a_b_2", "input_2"]
    assert [layer.source for layer in network.layers] == ["a/b", "a:b", "y"]


@pytest.mark.promise(
    "all nodes that cannot be imported are listed at once, one sentence each, before anything"
    " is computed"
)
def test_raw_sums_keep_the_scales_of_their_filters() -> None:
    maps = {"x": signed(1, 1, 2), "y": raw_sums((1, 1, 2), scale=0.005)}
    weights = np.array([[1, 2], [3, 4]], np.int8)
    raw = FullyConnected(weights=weights_of(weights, scales=0.1), **base())
    network = lower(graph(maps, raw)).network
    assert network.layers[0].output.bits == 32 and network.parameters["node"].multiplier.size == 0
    several = FullyConnected(weights=weights_of(weights, scales=[0.1, 0.2]), **base())
    network = lower(graph(maps, several)).network
    assert network.scores(np.array([[[[3, 2]]]])).tolist() == [pytest.approx([0.3, 0.4])]
    one = FullyConnected(weights=weights_of(weights, scales=[0.1, 0.0]), **base())
    with pytest.raises(RefusedNetworkError, match="must be positive numbers, as no quantization"):
        lower(graph(maps, one))


def test_nodes_behind_a_refused_one_are_not_repeated() -> None:
    maps = {"x": signed(1, 1, 1), "b": signed(1, 1, 1), "y": signed(1, 1, 1)}
    wrong = {"what": "the operator", "allowed": "another", "given": "Op"}
    nodes = (
        Unsupported(**base(output="a", name="first"), **wrong),
        Requantization(**base("a", "b", "second")),
        Unsupported(**base("b", "c", "third"), **wrong),
        Unsupported(**base("c", "d", "fourth"), **wrong, dependent=True),
        Addition(**base("d x")),
    )
    with pytest.raises(RefusedNetworkError) as caught:
        lower(graph(maps, *nodes))
    assert [refusal.node for refusal in caught.value.refusals] == ["first", "third"]
    assert str(caught.value).splitlines()[0] == "2 nodes cannot be imported (small.file):"


def test_a_network_without_layers_is_refused() -> None:
    with pytest.raises(Exception, match="one whose outputs are computed from a quantized image"):
        lower(graph({"x": signed(1, 1, 1)}, outputs=("x",)))


def test_weights_minus_zero_point_have_as_many_bits_as_they_need() -> None:
    maps = {"x": signed(1, 1, 2), "y": signed(1, 1, 1)}
    for integers, zero, bits in (([0, 255], 128, 8), ([0, 255], 100, 9), ([-8, 7], 0, 4)):
        given = weights_of(np.array([integers]), scales=0.1, zero_points=zero, bits=4)
        network = lower(graph(maps, FullyConnected(weights=given, **base()))).network
        assert network.layers[0].weight_bits == bits
        assert network.parameters["node"].weights.tolist() == [[each - zero for each in integers]]
