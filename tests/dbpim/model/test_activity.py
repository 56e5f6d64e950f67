"""What a group of inputs costs: counted by the model, walked by golden's input unit."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hwgen.dbpim.facts.arch import Arch, load_arch, with_sparsity
from hwgen.dbpim.facts.instructions import PACKETS, Opcode
from hwgen.dbpim.facts.stream import Packet, TilePacket
from hwgen.dbpim.model.activity import bit_planes, selected_inputs, windows
from verif.reference.dbpim.ipu import ipu

ARCH = load_arch(Path(__file__).parents[3] / "configs" / "dbpim" / "small.yaml")
SHAPE = (5, 4, 11)
ZERO_POINT = 37
PLAIN = {"stride_y": 1, "padding_top": 0, "padding_left": 0, "input_channel_words": 1}


def conv(**given: int) -> Packet:
    fields = {field.name: 0 for field in PACKETS[Opcode.CONV]}
    fields |= {"kernel_height": 3, "kernel_width": 2, "stride_y": 2, "stride_x": 1}
    fields |= {"padding_top": 1, "padding_left": 1, "output_end_row": 3, "output_width": 3}
    fields |= {"outside": ZERO_POINT, "input_channel_words": 2, **given}
    return Packet(opcode=Opcode.CONV, offset=0, beats=8, fields=fields)


def tile(masks: np.ndarray, *, start: tuple[int, int, int], rows: int) -> TilePacket:
    fields = dict(zip(("kernel_y", "kernel_x", "channel_word"), start, strict=True))
    fields["mask_words"] = len(masks)
    return TilePacket(
        opcode=Opcode.TILE,
        offset=0,
        beats=0,
        fields={**fields, "rows": rows},
        masks=masks,
        parameters=(),
        codes=np.zeros((rows, 8, 8), np.uint8),
    )


def seen(maps: np.ndarray, layer: Packet) -> np.ndarray:
    """Return the inputs of each position, (positions, k), k over (kh, kw, c)."""
    found = windows(maps, layer)
    ky, kx = np.indices((layer.fields["kernel_height"], layer.fields["kernel_width"]))
    offsets = ky * found.row + kx * found.column
    places = offsets.ravel()[:, np.newaxis] + np.arange(found.channels)
    return found.source[found.starts[:, np.newaxis] + places.ravel()]


def test_windows_are_padded_with_what_is_outside() -> None:
    maps = np.random.default_rng(0).integers(0, 256, (2, *SHAPE)).astype(np.uint8)
    found = seen(maps, conv()).reshape(2, 3, 3, 3, 2, 11)
    assert (found[:, 0, :, 0] == ZERO_POINT).all()
    assert (found[:, :, 0, :, 0] == ZERO_POINT).all()
    assert (found[1, 0, 0, 1, 1] == maps[1, 0, 0]).all()
    assert (found[0, 1, 1] == maps[0, 1:4, 0:2]).all()


def test_windows_of_a_band_are_those_of_its_rows() -> None:
    maps = np.random.default_rng(0).integers(0, 256, (2, *SHAPE)).astype(np.uint8)
    whole = seen(maps, conv()).reshape(2, 3, 3, -1)
    band = seen(maps, conv(output_first_row=1, output_end_row=2)).reshape(2, 1, 3, -1)
    assert (band == whole[:, 1:2]).all()


def test_selected_inputs_follow_the_words() -> None:
    masks = np.zeros((3, 8), bool)
    masks[0, 5] = masks[1, 0] = masks[1, 2] = masks[2, 7] = True
    ky, kx, channel = selected_inputs(tile(masks, start=(1, 0, 1), rows=1), conv())
    assert list(zip(ky, kx, channel, strict=True)) == [(1, 0, 13), (1, 1, 0), (1, 1, 2), (1, 1, 15)]


def groups_of(masks: np.ndarray, found: np.ndarray, arch: Arch) -> list[list[int]]:
    """Return the steps of golden's input unit for each group of the first position."""
    selected = found[0][np.flatnonzero(masks.ravel())]
    padded = np.pad(selected, (0, -len(selected) % 8)).reshape(-1, 8)
    return [ipu(group, skip=arch.sparsity.input_bits) for group in padded]


@pytest.mark.promise("a group costs the steps of the input unit")
@pytest.mark.parametrize("switch", ["all", "none"])
@pytest.mark.parametrize("seed", range(4))
def test_costs_are_the_steps_of_the_input_unit(seed: int, switch: str) -> None:
    rng = np.random.default_rng(seed)
    arch = with_sparsity(ARCH, switch)
    sparse = rng.integers(0, 256, (6, 6, 8)) & rng.integers(0, 256, (6, 6, 8))
    feature_map = (sparse * (rng.random((6, 6, 8)) < 0.2)).astype(np.uint8)
    layer = conv(**PLAIN)
    masks = rng.random((6, 8)) < 0.5
    masks[-1, 0] = True
    rows = -(-int(masks.sum()) // 8)
    found = windows(feature_map[np.newaxis], layer)
    costs = bit_planes(found, tile(masks, start=(0, 0, 0), rows=rows), layer, arch)
    steps = groups_of(masks, seen(feature_map[np.newaxis], layer), arch)
    assert costs[0].tolist() == [len(group) for group in steps], f"seed {seed}"


def test_wide_inputs_without_skipping_cost_eight() -> None:
    arch = replace(ARCH, sparsity=with_sparsity(ARCH, "none").sparsity)
    layer = conv(**PLAIN)
    found = windows(np.zeros((1, 6, 6, 8), np.uint8), layer)
    costs = bit_planes(found, tile(np.ones((2, 8), bool), start=(0, 0, 0), rows=2), layer, arch)
    assert (costs == 8).all()
