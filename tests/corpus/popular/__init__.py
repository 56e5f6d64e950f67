"""65 popular networks, small, as their authors publish them; weights are drawn by seed 0.

Batch norms have run over drawn inputs. Inputs are normal numbers, those of one network are ids.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

import torch
from torch import Tensor, nn

from tests.corpus import sequences
from tests.corpus.popular import classifiers, maps, steps, tokens
from tests.corpus.popular.parts import IMAGE, seen
from tests.corpus.popular.tokens import Kind

TEXT, SIGNAL = sequences.TEXT, (steps.STEPS, steps.FEATURES)
INPUTS = 24
"""Over which batch norms have run."""
IDS = "gpt_char_ids"
"""The network whose input is ids."""


def gpt(how: str, *, last: bool = True) -> Callable[[], nn.Module]:
    """Return what makes a GPT of two blocks; how: its mask is written."""
    return lambda: sequences.Gpt(how, last=last)


POPULAR: Mapping[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = MappingProxyType(
    {
        "mobilenetv1_025": (classifiers.mobilenet_v1, IMAGE),
        "squeezenet": (classifiers.squeezenet, (3, 48, 48)),
        "tiny_yolo_raw": (lambda: maps.TinyYolo("raw"), IMAGE),
        "tiny_yolo_list": (lambda: maps.TinyYolo("list"), IMAGE),
        "tiny_yolo_decoded": (lambda: maps.TinyYolo("decoded"), IMAGE),
        "yolov8_dfl": (maps.YoloV8, IMAGE),
        "ssd_lite": (maps.Ssd, IMAGE),
        "ds_cnn_kws": (classifiers.ds_cnn, (1, 49, 10)),
        "unet_transposed": (lambda: maps.UNet(maps.transposed), IMAGE),
        "unet_bilinear": (lambda: maps.UNet(maps.bilinear), IMAGE),
        "resnet8": (classifiers.resnet8, IMAGE),
        "resnet18_quarter": (classifiers.resnet18, IMAGE),
        "preact_resnet": (classifiers.preact_resnet, IMAGE),
        "mobilenetv2_025": (classifiers.mobilenet_v2, (3, 64, 64)),
        "mobilenetv3_small": (classifiers.mobilenet_v3, (3, 64, 64)),
        "efficientnet_b0_like": (
            lambda: classifiers.efficientnet(nn.SiLU, nn.Sigmoid),
            IMAGE,
        ),
        "efficientnet_lite": (lambda: classifiers.efficientnet(nn.ReLU6, None), IMAGE),
        "convnext_7x7": (lambda: classifiers.ConvNext(7, written=True), IMAGE),
        "convnext_5x5_permuted": (lambda: classifiers.ConvNext(5, written=False), IMAGE),
        IDS: (tokens.GptIds, (sequences.TOKENS,)),
        "gpt_char_sdpa": (gpt("sdpa"), TEXT),
        "gpt_char_inf": (gpt("fill_inf"), TEXT),
        "gpt_char_1e9": (gpt("fill_1e9"), TEXT),
        "gpt_char_1e4": (gpt("fill_1e4"), TEXT),
        "gpt_char_fmin": (gpt("fill_lowest"), TEXT),
        "gpt_char_all_positions": (gpt("sdpa", last=False), TEXT),
        "llama_block": (tokens.llama, TEXT),
        "llama_gqa_block": (lambda: tokens.llama(1), TEXT),
        "att_rope": (lambda: tokens.encoder(Kind(rope=True)), TEXT),
        "att_rmsnorm": (lambda: tokens.encoder(norm=tokens.RmsNorm), TEXT),
        "att_swiglu": (lambda: tokens.encoder(hidden=lambda: tokens.SwiGlu(bias=True)), TEXT),
        "torch_encoder_layer": (
            lambda: sequences.Encoder(norm_first=False, activation="relu"),
            TEXT,
        ),
        "torch_encoder_gelu_prenorm": (
            lambda: sequences.Encoder(norm_first=True, activation="gelu"),
            TEXT,
        ),
        "rms_torch": (tokens.rms_torch, TEXT),
        "torch_decoder_layer_cross": (sequences.Cross, TEXT),
        "mlp_mixer": (tokens.Mixer, IMAGE),
        "vit_class_token": (tokens.Vit, IMAGE),
        "swin_windows": (tokens.Swin, IMAGE),
        "convmixer": (classifiers.convmixer, IMAGE),
        "lstm_kws": (lambda: steps.Recurrent(nn.LSTM), SIGNAL),
        "gru": (lambda: steps.Recurrent(nn.GRU), SIGNAL),
        "bilstm": (lambda: steps.Recurrent(nn.LSTM, both=True), SIGNAL),
        "crnn_ocr": (steps.Crnn, (1, 16, 32)),
        "tcn_causal": (steps.Tcn, (8, 64)),
        "wavenet_gated": (steps.WaveNet, (1, 64)),
        "conformer_conv": (sequences.Conformer, TEXT),
        "autoencoder_ad": (steps.autoencoder, (640,)),
        "pointnet": (steps.PointNet, (3, 64)),
        "eegnet": (classifiers.eegnet, (1, 8, 64)),
        "lenet5_tanh": (classifiers.lenet5, (1, 28, 28)),
        "alexnet_lrn": (classifiers.alexnet, IMAGE),
        "groupnorm_cnn": (classifiers.groupnorm, IMAGE),
        "instancenorm_style": (maps.style, IMAGE),
        "reflection_pad": (maps.borders, IMAGE),
        "edsr_sr": (maps.edsr, (3, 16, 16)),
        "cbam": (classifiers.cbam, IMAGE),
        "shufflenet": (classifiers.shufflenet, IMAGE),
        "ghostnet": (classifiers.ghostnet, IMAGE),
        "deeplab_aspp": (maps.DeepLab, IMAGE),
        "fpn_shared_head": (maps.Fpn, IMAGE),
        "siamese_abs": (steps.Siamese, (32,)),
        "face_embedding_l2": (classifiers.face_embedding, IMAGE),
        "argmax_head": (classifiers.argmax_head, IMAGE),
        "dueling_dqn": (steps.Dueling, (8,)),
        "linear_attention": (sequences.LinearAttention, TEXT),
    }
)
"""By name: what makes it, and the shape of its input."""


def inputs(name: str, count: int, seed: int = 0) -> Tensor:
    """Return drawn inputs of a network: normal numbers, or ids."""
    chance = torch.Generator().manual_seed(seed)
    shape = (count, *POPULAR[name][1])
    if name == IDS:
        return torch.randint(0, tokens.GptIds.IDS, shape, generator=chance)
    return torch.randn(shape, generator=chance)


def network(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Return a network in inference, and the shape of its input."""
    make, shape = POPULAR[name]
    torch.manual_seed(0)
    return seen(make(), inputs(name, INPUTS)), shape
