"""Small float networks of Keras, and their conversion to TFLite."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers

CLASSES = 5
Build = Callable[[Any], Any]


def conv(x: Any, filters: int, kernel: int = 3, stride: int = 1, act: str | None = "relu") -> Any:
    """Return a convolution with batch norm and an activation."""
    x = layers.Conv2D(filters, kernel, stride, "same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.Activation(act)(x) if act else x


def head(x: Any) -> Any:
    """Return a mean over the map and the classes."""
    return layers.Dense(CLASSES, activation="softmax")(layers.GlobalAveragePooling2D()(x))


def cnn(x: Any) -> Any:
    """Return convolutions, maxima and a hidden layer."""
    for filters in (8, 16):
        x = layers.MaxPooling2D()(layers.Conv2D(filters, 3, activation="relu")(x))
    x = layers.Dense(16, activation="relu")(layers.Flatten()(x))
    return layers.Dense(CLASSES, activation="softmax")(x)


def resnet(x: Any) -> Any:
    """Return two residual blocks."""
    x = conv(x, 8)
    x = layers.ReLU()(layers.Add()([conv(conv(x, 8), 8, act=None), x]))
    way = conv(x, 16, 1, 2, None)
    x = layers.ReLU()(layers.Add()([conv(conv(x, 16, 3, 2), 16, act=None), way]))
    return head(x)


def mobilenet(x: Any) -> Any:
    """Return depthwise separable convolutions with ReLU6."""
    x = conv(x, 8, 3, 2, "relu6")
    x = layers.DepthwiseConv2D(3, 1, "same")(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    return head(conv(x, 16, 1, act="relu6"))


def gated(x: Any) -> Any:
    """Return swish and a gate a channel."""
    x = conv(x, 12, 3, 2, "swish")
    gate = layers.Reshape((1, 1, 12))(layers.GlobalAveragePooling2D()(x))
    gate = layers.Conv2D(12, 1, activation="sigmoid")(layers.Conv2D(4, 1, activation="relu")(gate))
    return head(layers.Multiply()([x, gate]))


def densenet(x: Any) -> Any:
    """Return concatenations and a mean between."""
    x = conv(x, 8)
    for _ in range(2):
        x = layers.Concatenate()([x, conv(x, 4)])
    return head(layers.AveragePooling2D(2)(conv(x, 8, 1)))


def unet(up: Callable[[Any, int], Any]) -> Build:
    """Return one level down and up again."""

    def build(x: Any) -> Any:
        top = conv(x, 8)
        x = conv(layers.MaxPooling2D()(top), 16)
        x = layers.Concatenate()([up(x, 8), top])
        return layers.Conv2D(2, 1)(conv(x, 8))

    return build


def repeated(x: Any, _: int) -> Any:
    """Return an enlargement by repetition."""
    return layers.UpSampling2D()(x)


def transposed(x: Any, filters: int) -> Any:
    """Return an enlargement by a transposed convolution."""
    return layers.Conv2DTranspose(filters, 3, 2, "same")(x)


def signal(x: Any) -> Any:
    """Return a residual network over a sequence."""
    x = layers.Conv1D(8, 5, 2, "same", activation="relu")(x)
    y = layers.BatchNormalization()(layers.Conv1D(8, 3, padding="same")(x))
    x = layers.MaxPooling1D()(layers.ReLU()(layers.Add()([x, y])))
    return layers.Dense(CLASSES)(layers.GlobalAveragePooling1D()(x))


def signal_growing(x: Any) -> Any:
    """Return an autoencoder of a sequence."""
    x = layers.Conv1D(8, 3, 2, "same", activation="relu")(x)
    x = layers.UpSampling1D(2)(x)
    return layers.Conv1D(4, 3, padding="same")(x)


def slopes(x: Any) -> Any:
    """Return slopes below zero, one a channel."""
    drawn = keras.initializers.RandomUniform(-0.1, 0.5, seed=1)
    for stride in (1, 2):
        x = layers.Conv2D(8, 3, stride, "same")(x)
        x = layers.PReLU(alpha_initializer=drawn, shared_axes=[1, 2])(x)
    return head(x)


def leaky(x: Any) -> Any:
    """Return leaky ReLUs before maxima."""
    for filters in (8, 16):
        x = layers.LeakyReLU(negative_slope=0.1)(layers.Conv2D(filters, 3, padding="same")(x))
        x = layers.MaxPooling2D()(x)
    return head(x)


def means(x: Any) -> Any:
    """Return means that leave padding out."""
    return head(conv(layers.AveragePooling2D(3, 2, "same")(conv(x, 8)), 8))


def merged(x: Any) -> Any:
    """Return maxima, minima and differences of two maps."""
    one, other = conv(x, 8, 3, 2), conv(x, 8, 5, 2, "tanh")
    x = layers.Concatenate()(
        [
            layers.Maximum()([one, other]),
            layers.Minimum()([one, other]),
            layers.Subtract()([one, other]),
        ]
    )
    return head(x)


def cropped(x: Any) -> Any:
    """Return a part of the image, padded again."""
    x = layers.Cropping2D(((1, 2), (2, 1)))(conv(x, 8))
    return head(conv(layers.ZeroPadding2D(1)(x), 8, 3, 2))


def subpixels(x: Any) -> Any:
    """Return blocks of pixels as channels, and back."""
    x = layers.Lambda(lambda y: tf.nn.space_to_depth(y, 2))(x)
    x = layers.Conv2D(12, 1)(conv(x, 16))
    return layers.Lambda(lambda y: tf.nn.depth_to_space(y, 2))(x)


def smooth(x: Any) -> Any:
    """Return Gelu and hard swish."""
    return head(conv(conv(x, 8, 3, 2, "gelu"), 8, 3, 2, "hard_swish"))


def rescaled(x: Any) -> Any:
    """Return an image of 0 to 1 moved to -1 to 1 by the layer for it."""
    return head(conv(layers.Rescaling(2.0, offset=-1.0)(x), 8, 3, 2))


def normalized(x: Any) -> Any:
    """Return an image less the means of its channels, over their deviations."""
    means, deviations = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    given = layers.Normalization(mean=means, variance=[each**2 for each in deviations])
    return head(conv(given(x), 8, 3, 2))


def bent(x: Any) -> Any:
    """Return slopes below zero, one for all, behind a sum."""
    drawn = keras.initializers.RandomUniform(0.1, 0.4, seed=2)
    x = layers.Conv2D(8, 3, padding="same")(x)
    x = layers.Add()([x, layers.Conv2D(8, 1)(x)])
    return head(layers.PReLU(alpha_initializer=drawn, shared_axes=[1, 2, 3])(x))


IMAGE, SIGNAL = (16, 16, 3), (32, 4)

NETWORKS: Mapping[str, tuple[Build, tuple[int, ...]]] = MappingProxyType(
    {
        "cnn": (cnn, IMAGE),
        "resnet": (resnet, IMAGE),
        "mobilenet": (mobilenet, IMAGE),
        "gated": (gated, IMAGE),
        "densenet": (densenet, IMAGE),
        "unet_repeated": (unet(repeated), IMAGE),
        "unet_transposed": (unet(transposed), IMAGE),
        "signal": (signal, SIGNAL),
        "signal_growing": (signal_growing, SIGNAL),
        "slopes": (slopes, IMAGE),
        "leaky": (leaky, IMAGE),
        "means": (means, IMAGE),
        "merged": (merged, IMAGE),
        "cropped": (cropped, IMAGE),
        "subpixels": (subpixels, IMAGE),
        "smooth": (smooth, IMAGE),
        "with_rescaling": (rescaled, IMAGE),
        "with_normalization": (normalized, IMAGE),
        "with_slope": (bent, IMAGE),
    }
)
"""By name: what makes it, and the shape of its image."""


def export(name: str, path: Path, *, bytes_: bool) -> Path:
    """Write a network with drawn weights as a TFLite file of integers.

    bytes_: image and answer are uint8, else int8
    """
    build, shape = NETWORKS[name]
    return convert(build, shape, path, seed=sorted(NETWORKS).index(name), bytes_=bytes_)


def convert(build: Build, shape: tuple[int, ...], path: Path, *, seed: int, bytes_: bool) -> Path:
    """Write a network with weights drawn from a seed as a TFLite file of integers."""
    keras.utils.set_random_seed(seed)
    image = keras.Input(shape, batch_size=1)
    model = keras.Model(image, build(image))
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            drawn = [np.random.uniform(*ends, layer.gamma.shape) for ends in RANGES]
            layer.set_weights(drawn)
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    images = np.random.default_rng(0).random((32, 1, *shape), np.float32)
    converter.representative_dataset = lambda: ([each] for each in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    kind = tf.uint8 if bytes_ else tf.int8
    converter.inference_input_type = converter.inference_output_type = kind
    path.write_bytes(converter.convert())
    return path


RANGES = ((0.5, 1.5), (-0.3, 0.3), (-0.2, 0.2), (0.5, 1.5))
"""Of gamma, beta, mean and variance."""
