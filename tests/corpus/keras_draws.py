"""Networks of Keras drawn from a seed, and transformers as Keras writes them."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import keras
from keras import layers

from tests.corpus.draws import Draw, stride_of
from tests.corpus.keras_networks import CLASSES, Build, conv, head


def residual(x: Any, stride: int, act: str) -> Any:
    """Return two convolutions and what they were made of, added."""
    filters = x.shape[-1] * stride
    way = conv(x, filters, 1, stride, None) if stride > 1 else x
    both = layers.Add()([conv(conv(x, filters, 3, stride, act), filters, act=None), way])
    return layers.Activation(act)(both)


def inverted(x: Any, stride: int, act: str) -> Any:
    """Return a wide depthwise convolution between two of 1 x 1."""
    channels = x.shape[-1]
    y = conv(x, 3 * channels, 1, 1, act)
    y = layers.DepthwiseConv2D(3, stride, "same", use_bias=False)(y)
    y = layers.Activation(act)(layers.BatchNormalization()(y))
    y = conv(y, channels, 1, act=None)
    return layers.Add()([x, y]) if stride == 1 else y


def gated(x: Any, stride: int, act: str) -> Any:
    """Return a convolution times a gate a channel."""
    x = conv(x, x.shape[-1], 3, stride, act)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(4, 1, activation="relu")(gate)
    return layers.Multiply()([x, layers.Conv2D(x.shape[-1], 1, activation="sigmoid")(gate)])


def dense(x: Any, stride: int, act: str) -> Any:
    """Return a map beside what a convolution makes of it."""
    return layers.Concatenate()([x, conv(x, 4, act=act)])


def branches(x: Any, stride: int, act: str) -> Any:
    """Return a convolution of 1 x 1, one of 3 x 3 and a mean, side by side."""
    mean = layers.AveragePooling2D(3, stride, "same")(x)
    return layers.Concatenate()([conv(x, 4, 1, stride, act), conv(x, 4, 3, stride, act), mean])


BLOCKS: Mapping[str, Callable[[Any, int, str], Any]] = MappingProxyType(
    {
        "convolution": lambda x, s, act: conv(x, 16, 3, s, act),
        "dilated": lambda x, s, act: layers.Conv2D(8, 3, dilation_rate=2, padding="same")(x),
        "separable": lambda x, s, act: layers.SeparableConv2D(
            12, 3, s, "same", activation=None if act == "leaky_relu" else act
        )(x),
        "multiplied": lambda x, s, act: layers.DepthwiseConv2D(
            3, s, "same", depth_multiplier=2, activation="relu"
        )(x),
        "residual": residual,
        "inverted": inverted,
        "gated": gated,
        "dense": dense,
        "branches": branches,
        "maximum": lambda x, s, act: layers.MaxPooling2D(3, s, "same")(x),
        "mean": lambda x, s, act: layers.AveragePooling2D(3, s, "same")(x),
    }
)


def hidden(x: Any) -> Any:
    """Return a hidden layer behind a mean, and the classes as they are."""
    x = layers.Dense(24, activation="relu")(layers.GlobalAveragePooling2D()(x))
    return layers.Dense(CLASSES)(x)


def transposed(x: Any) -> Any:
    """Return a transposed convolution to twice the sides."""
    return layers.Conv2DTranspose(3, 2, 2)(x)


HEADS: Mapping[str, Build] = MappingProxyType(
    {
        "mean": head,
        "hidden": hidden,
        "flat": lambda x: layers.Dense(CLASSES, activation="softmax")(layers.Flatten()(x)),
        "pixels": lambda x: layers.Conv2D(3, 3, padding="same")(layers.UpSampling2D()(x)),
        "transposed": transposed,
    }
)


def network(draw: Draw) -> tuple[Build, tuple[int, ...]]:
    """Return what makes a drawn network, and the shape of its image."""

    def build(x: Any) -> Any:
        x = conv(x, draw.width, draw.kernel, 2, draw.act)
        for name, stride in draw.blocks:
            x = BLOCKS[name](x, stride_of(x.shape[1:3], stride), draw.act)
        return HEADS[draw.head](x)

    return build, draw.sides


WIDTH, TOKENS = 32, 16
IMAGE, TEXT = (16, 16, 3), (TOKENS, WIDTH)


class ClassToken(layers.Layer):  # type: ignore[misc]
    """A learned token in front of those of an image."""

    def build(self, shape: Any) -> None:
        """Draw the token."""
        self.token = self.add_weight(shape=(1, 1, shape[-1]), initializer="random_normal")

    def call(self, x: Any) -> Any:
        """Return the tokens behind the learned one."""
        return keras.ops.concatenate([self.token, x], axis=1)


def block(x: Any, *, heads: int = 2, causal: bool = False, act: str = "gelu") -> Any:
    """Return attention and two layers on each token, norms in front of both."""
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    attend = layers.MultiHeadAttention(heads, WIDTH // heads)
    x = layers.Add()([x, attend(y, y, use_causal_mask=causal)])
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    y = layers.Dense(WIDTH)(layers.Dense(2 * WIDTH, activation=act)(y))
    return layers.Add()([x, y])


def patches(x: Any) -> Any:
    """Return patches of 4 x 4 pixels as tokens."""
    return layers.Reshape((TOKENS, WIDTH))(layers.Conv2D(WIDTH, 4, 4)(x))


def answer(x: Any) -> Any:
    """Return the classes of the mean over all tokens."""
    x = layers.LayerNormalization(epsilon=1e-5)(x)
    return layers.Dense(CLASSES)(layers.GlobalAveragePooling1D()(x))


def with_class_token(x: Any) -> Any:
    """Return the classes of a token that stands before the patches."""
    x = layers.LayerNormalization(epsilon=1e-5)(block(ClassToken()(patches(x))))
    return layers.Dense(CLASSES)(x[:, 0])


def mixer(x: Any) -> Any:
    """Return layers on the tokens of a channel, then on the channels of a token."""
    x = patches(x)
    y = layers.Permute((2, 1))(layers.LayerNormalization(epsilon=1e-5)(x))
    y = layers.Dense(TOKENS)(layers.Dense(2 * TOKENS, activation="gelu")(y))
    x = layers.Add()([x, layers.Permute((2, 1))(y)])
    y = layers.LayerNormalization(epsilon=1e-5)(x)
    y = layers.Dense(WIDTH)(layers.Dense(2 * WIDTH, activation="gelu")(y))
    return answer(layers.Add()([x, y]))


TRANSFORMERS: Mapping[str, tuple[Build, tuple[int, ...]]] = MappingProxyType(
    {
        "vit": (lambda x: answer(block(patches(x))), IMAGE),
        "vit_two_blocks": (lambda x: answer(block(block(patches(x)))), IMAGE),
        "vit_one_head": (lambda x: answer(block(patches(x), heads=1)), IMAGE),
        "vit_relu": (lambda x: answer(block(patches(x), act="relu")), IMAGE),
        "vit_class_token": (with_class_token, IMAGE),
        "encoder": (lambda x: answer(block(x)), TEXT),
        "decoder": (lambda x: answer(block(x, causal=True)), TEXT),
        "mixer": (mixer, IMAGE),
    }
)
"""By name: what makes it, and the shape of its image or of its embeddings."""
