"""Layers of the row unit: softmax and layer norms of drawn and extreme pixels, golden's bytes."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from golden.ops import float32
from golden.ops.layer_norm import layer_norm
from golden.ops.softmax import softmax
from hwgen.dbpim.facts.instructions import FLOAT_BITS, PASSES_WITHOUT_MEAN, ROW_PASSES, Operation

WIDTH, FIRST_COLUMN = 3, 5
"""Columns of a map, and the column in which each row of the stimulus begins."""
Bits = NDArray[np.uint32]
Bytes = NDArray[np.uint8]


class RowCase(NamedTuple):
    """A layer: pixels (vectors, positions, groups, channels of a group), bytes that come out.

    body: numbers of the FLOATS packet; scalars: fields of its header
    passes: in which the words of a group are read
    """

    operation: Operation
    inputs: Bytes
    outputs: Bytes
    fields: Mapping[str, int]
    body: Bits
    scalars: Mapping[str, int]
    passes: int = ROW_PASSES


def pixels(rng: np.random.Generator, shape: tuple[int, ...]) -> Bytes:
    """Return pixels: all equal, one above or below all others, two values, drawn ones."""
    drawn = rng.integers(0, 256, shape)
    flat = drawn.reshape(-1, shape[-1])
    for row, kind in zip(flat, rng.integers(0, 7, len(flat)), strict=True):
        if kind == 0:
            row[:] = row[0]
        elif kind == 1:
            row[:], row[rng.integers(0, len(row))] = 0, 255
        elif kind == 2 and len(row) > 1:
            row[:], row[rng.integers(0, len(row))] = row[0], row[1]
        elif kind == 3:
            row[:] = np.clip(rng.normal(128, 3, len(row)), 0, 255)
    return drawn.astype(np.uint8)


def as_bits(values: NDArray[np.float64]) -> Bits:
    """Return float32 bits of numbers."""
    return np.asarray(values, np.float32).view(np.uint32)


def softmax_case(
    rng: np.random.Generator,
    shape: tuple[int, int, int, int],
    *,
    scale: float | None = None,
    largest: int = 255,
) -> RowCase:
    """Return a softmax of bytes up to `largest`; shape: vectors, positions, groups, channels.

    In the first vector the last channel alone has the largest byte; in the second one it is 1, and
    all others are 0.
    """
    step = scale or float(rng.choice([0.01, 0.05, 0.3, 1.0]))
    shift = max(0.0, 83 - np.log(shape[3])) / step
    with np.errstate(under="ignore"):
        table = as_bits(np.exp((shift - np.arange(256)) * step))
    factor = int(rng.choice([255, 256, 200, 100]))
    low, high = sorted(rng.integers(0, 256, 2).tolist()) if rng.random() < 0.3 else (0, 255)
    zero_point = int(rng.integers(0, 30)) if rng.random() < 0.3 else 0
    inputs = pixels(rng, shape).clip(0, largest)
    inputs[0] = inputs[0].clip(0, largest - 1)
    inputs[0, ..., -1] = largest
    inputs[1:2], inputs[1:2, ..., -1] = 0, 1
    fields = {"output_zero_point": zero_point, "output_low": low, "output_high": high}
    return softmax_of(
        inputs,
        table,
        factor=factor,
        fields=fields,
        first_keys=int(rng.integers(0, shape[3] + 1)),
        by_pixel=int(rng.integers(0, 2)),
    )


def softmax_of(
    inputs: Bytes,
    table: Bits,
    *,
    factor: int,
    fields: Mapping[str, int],
    first_keys: int = 0,
    by_pixel: int = 0,
) -> RowCase:
    """Return a softmax of pixels with a table of exponentials; fields: of the output.

    first_keys: channels of a group that count for pixel 0, 0: all; by_pixel: one more a pixel
    """
    _, _, groups, channels = inputs.shape
    maps = inputs.reshape(1, -1, 1, groups * channels)
    vectors, macros = inputs.shape[:2]
    keys = None
    if first_keys:
        number = np.arange(vectors)[:, None] * WIDTH + FIRST_COLUMN + np.arange(macros)
        keys = np.minimum(first_keys + by_pixel * number, channels).ravel()
    whole = softmax(maps, groups=groups, exponentials=table, factor=factor, keys=keys)
    moved = whole + fields["output_zero_point"]
    outputs = moved.clip(fields["output_low"], fields["output_high"]).reshape(inputs.shape)
    fields = {**fields, "first_keys": first_keys, "by_pixel": by_pixel}
    scalars = {"operand": int(float32.from_integers(factor)), "divisor": 0, "count": 0, "least": 1}
    return RowCase(
        operation=Operation.SOFTMAX,
        inputs=inputs,
        outputs=outputs.astype(np.uint8),
        fields=fields,
        body=table,
        scalars={"channels": 0, **scalars},
    )


def zeros_case(rng: np.random.Generator, macros: int, *, channels: int = 2) -> RowCase:
    """Return a softmax of two zeros; another largest byte would make other shares than 127.5.

    channels: of the group; behind two of them none counts, in whole words, too
    """
    inputs = np.zeros((1, macros, 1, channels), np.uint8)
    fields = {"output_zero_point": 0, "output_low": 0, "output_high": 255}
    while True:
        table = as_bits(rng.uniform(1, 2, 256))
        right, wrong = (
            softmax_of(inputs, each, factor=255, fields=fields, first_keys=2)
            for each in (table, np.roll(table, -1))
        )
        if not np.array_equal(right.outputs, wrong.outputs):
            return right


def norm_case(
    rng: np.random.Generator,
    shape: tuple[int, int, int],
    *,
    gain: float = 1.0,
    shift: float = 1.0,
    output: float | None = None,
    zeros: bool = False,
    centred: bool = True,
) -> RowCase:
    """Return a layer norm; shape: vectors, positions, channels; gain, shift: of gamma and beta.

    zeros: all bytes are the one whose value is 0; centred: with a mean
    """
    step, channels = float(rng.choice([1e-4, 0.013, 0.5, 40.0])), shape[2]
    zero = int(rng.integers(0, 256))
    values = as_bits((np.arange(256) - zero) * np.float64(np.float32(step)))
    gamma = as_bits(rng.normal(1, 0.5, channels) * gain)
    beta = as_bits(rng.normal(0, 1, channels) * rng.integers(0, 2, channels) * shift)
    eps = as_bits(np.array([float(rng.choice([1e-5, 1e-12, 1.0]))]))[0]
    drawn = float(rng.choice([0.01, 0.03, 0.2]))
    scale = as_bits(np.array([output or drawn]))[0]
    inputs = np.full(shape, zero, np.uint8) if zeros else pixels(rng, shape)
    whole = layer_norm(
        inputs.reshape(1, -1, 1, channels),
        values=values,
        gamma=gamma,
        beta=beta,
        eps=eps,
        scale=scale,
        centred=centred,
    )
    zero_point = int(rng.integers(0, 256))
    exponents = values[values << np.uint32(1) > 0] >> np.uint32(23) & np.uint32(0xFF)
    pairs = np.stack([gamma, beta], axis=1).ravel()
    return RowCase(
        operation=Operation.NORM,
        inputs=inputs[:, :, np.newaxis],
        outputs=(whole + zero_point).clip(0, 255).reshape(shape).astype(np.uint8)[:, :, np.newaxis],
        fields={"output_zero_point": zero_point, "output_low": 0, "output_high": 255},
        body=np.concatenate([values, pairs]),
        scalars={
            "channels": channels,
            "operand": int(eps),
            "divisor": int(scale),
            "count": int(float32.from_integers(channels)),
            "least": int(exponents.min()),
        },
        passes=ROW_PASSES if centred else PASSES_WITHOUT_MEAN,
    )


def cases(rng: np.random.Generator, *, macros: int, size: int) -> Iterator[RowCase]:
    """Yield layers: one word, several words and groups, a last word that is not full."""
    for channels, groups in ((size, 1), (3 * size, 2), (2 * size + 5, 1), (1, 1), (size // 2, 1)):
        yield softmax_case(rng, (3, macros, groups, channels))
    yield softmax_case(rng, (2, macros, 3, size - 2), scale=1.0)
    yield softmax_case(rng, (2, macros, 1, 2 * size - 1))
    # Beside a larger byte than any of the group, exponentials of all of them would be 0.
    yield softmax_case(rng, (2, macros, 1, size + 3), scale=1.0, largest=40)
    yield zeros_case(rng, macros)
    yield zeros_case(rng, macros, channels=2 * size)
    for channels, vectors in ((8, 3), (16, 3), (24, 3), (256, 1)):
        yield norm_case(rng, (vectors, macros, channels))
        yield norm_case(rng, (vectors, macros, channels), centred=False)
    # A mean that is not exactly 0 would become an end of the range.
    yield norm_case(rng, (1, macros, 8), gain=1e38, shift=0.0, zeros=True)
    # Beyond float32 before the division, in it, and far below its scale.
    yield norm_case(rng, (3, macros, 16), gain=1e38, shift=1e37)
    yield norm_case(rng, (3, macros, 8), gain=1e30, output=2.0**-89)
    yield norm_case(rng, (3, macros, 8), gain=1e38, output=2.0**100)
    yield norm_case(rng, (2, macros, 8), zeros=True, centred=False)
    yield norm_case(rng, (3, macros, 16), gain=1e38, shift=1e37, centred=False)


def beats_of(body: Bits, *, port_bits: int) -> list[int]:
    """Return the beats of a body, zeros behind its last number."""
    count = port_bits // FLOAT_BITS
    padded = np.concatenate([body, np.zeros(-len(body) % count, np.uint32)])
    return [
        int.from_bytes(part.astype("<u4").tobytes(), "little") for part in padded.reshape(-1, count)
    ]
