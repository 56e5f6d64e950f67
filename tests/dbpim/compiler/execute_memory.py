"""LOAD and STORE: between memory, the slices and the logit buffer."""

import numpy as np

from hwgen.dbpim.facts.instructions import PIXEL_BYTES, Space
from hwgen.dbpim.facts.stream import Packet
from tests.dbpim.compiler.bus import store
from tests.dbpim.compiler.chip_state import EMPTY, ChipState, Words, tag_of, unknown


def run_load(chip: ChipState, packet: Packet) -> None:
    """Execute a LOAD."""
    fields = dict(packet.fields)
    rows = fields["first_row"] + np.arange(fields["rows"])
    columns = fields["first_column"] + np.arange(fields["columns"])
    if not len(rows) or not len(columns):
        chip.refuse("it loads nothing")
    if fields["pixel_bytes"]:
        data, tags = packed_words(chip, fields)
    else:
        data, tags = whole_words(chip, fields)
    words = np.arange(data.shape[2])
    at = [axis.ravel() for axis in np.meshgrid(rows, columns, words, indexing="ij")]
    flat = data.reshape(-1, data.shape[3])
    reads = unknown(tag_of(chip.step, *at))[:, np.newaxis]
    results = Words(
        rows=at[0],
        columns=at[1],
        words=at[2],
        data=flat,
        enable=np.ones(flat.shape, bool),
        tags=np.where(tags.reshape(flat.shape), reads, 0) if tags.any() else None,
    )
    store(chip, fields, None, results)


def fetched(chip: ChipState, fields: dict[str, int], size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return `size` bytes of the LOAD's data, and which of them are unknown."""
    space, port = Space(fields["space"]), chip.arch.port_bytes
    if space is Space.ANSWER:
        chip.refuse("it loads from the answers")
    if fields["beats"] != -(-size // port):
        chip.refuse(f"it asks for {fields['beats']} beats to get {size} bytes")
    memory, tags = (each[space.name.lower()] for each in (chip.spaces, chip.space_tags))
    start = fields["offset"]
    if start % port or start + fields["beats"] * port > len(memory):
        given = f"bytes {start} to {start + fields['beats'] * port} of {len(memory)}"
        chip.refuse(f"it loads {given} of the {space.name} memory")
    return memory[start : start + size], tags[start : start + size] < 0


def packed_words(chip: ChipState, fields: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return words (rows, columns, 1, C) of packed pixels, and which bytes are unknown."""
    size, across = fields["pixel_bytes"], fields["memory_columns"]
    if size not in PIXEL_BYTES or not 0 < fields["pixel_channels"] <= size:
        chip.refuse(f"pixels have {fields['pixel_channels']} channels in {size} bytes")
    found = fetched(chip, fields, fields["rows"] * across * size)
    return tuple(
        words_of(chip, fields, each.reshape(fields["rows"], across, size), value)
        for each, value in zip(found, (fields["window_value"], 0), strict=True)
    )


def words_of(
    chip: ChipState, fields: dict[str, int], pixels: np.ndarray, outside: int
) -> np.ndarray:
    """Return the words (rows, columns, 1, C) of pixels (rows, memory columns, bytes)."""
    word_bytes, count = chip.arch.word, max(1, fields["window_pixels"])
    channels = fields["pixel_channels"] if count > 1 else pixels.shape[2]
    if count * channels > word_bytes:
        chip.refuse(f"{count} pixels of {channels} bytes do not fit into a word")
    if count == 1 and fields["columns"] != pixels.shape[1]:
        chip.refuse(f"it stores {fields['columns']} columns of {pixels.shape[1]}")
    stride, padding = (fields["window_stride"], fields["window_padding"]) if count > 1 else (1, 0)
    columns = np.arange(fields["columns"])[:, np.newaxis] * stride - padding + np.arange(count)
    inside = (columns >= 0) & (columns < pixels.shape[1])
    seen = pixels[:, np.where(inside, columns, 0), :channels]
    seen = np.where(inside[:, :, np.newaxis], seen, np.array(outside, pixels.dtype))
    shape = (fields["rows"], fields["columns"], 1, word_bytes)
    words = np.zeros(shape, pixels.dtype)
    words[..., : count * channels] = seen.reshape(*shape[:3], count * channels)
    return words


def whole_words(chip: ChipState, fields: dict[str, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return words (rows, columns, channel words, C) of a map, and which bytes are unknown."""
    shape = (
        fields["rows"],
        fields["columns"],
        fields["output_channel_words"],
        chip.arch.word,
    )
    data, lost = fetched(chip, fields, int(np.prod(shape)))
    return data.reshape(shape), lost.reshape(shape)


def run_store(chip: ChipState, packet: Packet) -> None:
    """Execute a STORE."""
    fields, port = packet.fields, chip.arch.port_bytes
    space = Space(fields["space"])
    first, size = 4 * fields["index"], 4 * fields["words"]
    if space is Space.IMAGE or not size:
        chip.refuse(f"it stores {size} bytes to the {space.name} memory")
    if first % port or first + size > len(chip.logits):
        chip.refuse(f"it stores logits {fields['index']} to {(first + size) // 4}")
    memory, tags = (each[space.name.lower()] for each in (chip.spaces, chip.space_tags))
    start = fields["offset"]
    if start % port or start + size > len(memory):
        given = f"bytes {start} to {start + size} of {len(memory)}"
        chip.refuse(f"it stores to {given} of the {space.name} memory")
    held = np.arange(size) // 4 % fields["row_pitch"] < fields["row_words"]
    np.copyto(memory[start : start + size], chip.logits[first : first + size], where=held)
    known = (chip.logit_tags[first : first + size] >= 0) & held
    tags[start : start + size] = np.where(known, tag_of(chip.step, 0, 0, 0), EMPTY)
    chip.writes.memory = (space.name.lower(), start, chip.logits[first : first + size].tobytes())
