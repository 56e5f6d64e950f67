"""A map that a convolution adds to its results: its place, its fields and golden's sums."""

from dataclasses import dataclass

import numpy as np

from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.program import Placement
from verif.dbpim.walk_plan import Bytes, StoredMap
from verif.reference.dbpim.simd import add

Fields = dict[str, int]
MOST_COLUMNS_BESIDE = 3


@dataclass(kw_only=True)
class Addend:
    """The other map: it has the stored rows of the output, its columns `shift` further right."""

    stored: StoredMap
    shift: int
    fields: Fields

    def sums(self, results: Bytes, zero_point: int, at: tuple[int, int, int]) -> Bytes:
        """Return golden's sums of results and map.

        zero_point: of the results; at: stored row and column, and first channel
        """
        row, column, channel = at
        other = self.stored.maps[0, row, column + self.shift, channel : channel + len(results)]
        fields = self.fields
        return add(
            np.stack([results, other]),
            zero_points=(zero_point, fields["second_zero_point"]),
            multipliers=(fields["result_multiplier"], fields["second_multiplier"]),
            shift=fields["sum_shift"],
            zero_point=fields["sum_zero_point"],
            low=fields["sum_low"],
            high=fields["sum_high"],
        )


def draw_addend(rng: np.random.Generator, output: Placement, arch: Arch) -> Addend:
    """Return a random map beside the output of a step."""
    shift = int(rng.integers(MOST_COLUMNS_BESIDE))
    columns = output.row_pitch // output.channel_words * arch.banks + shift
    low, high = sorted(rng.integers(0, 256, 2).tolist())
    placement = Placement(
        base=0,
        row_pitch=-(-columns // arch.banks) * output.channel_words,
        channel_words=output.channel_words,
        image_rows=0,
        image_columns=0,
        first=output.first,
        rows=output.rows,
    )
    size = (1, output.first[0] + output.rows[0], columns)
    channels = output.channel_words * arch.word
    fields = {
        "adds": 1,
        "result_multiplier": int(rng.integers(1 << 15, 1 << 16)),
        "second_multiplier": int(rng.integers(1 << 15, 1 << 16)),
        "sum_shift": 15 + int(rng.integers(3)),
        "second_zero_point": int(rng.integers(256)),
        "sum_zero_point": int(rng.integers(256)),
        "sum_low": low,
        "sum_high": high,
        "second_row_pitch": placement.row_pitch,
        "second_channel_words": placement.channel_words,
        "second_column": shift,
    }
    maps = rng.integers(0, 256, (*size, channels), np.uint8)
    return Addend(stored=StoredMap(maps=maps, placement=placement), shift=shift, fields=fields)
