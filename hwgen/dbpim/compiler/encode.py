"""Steps as packets: the instruction with its places and cores, and what follows it.

Tests: `tests/dbpim/compiler/test_content.py`.
"""

from collections.abc import Iterator

from hwgen.dbpim.compiler.grid import NO_ROWS
from hwgen.dbpim.compiler.ops import Fields
from hwgen.dbpim.compiler.schedule import Load, stream_order
from hwgen.dbpim.compiler.steps import Step, StepWork, Tensor
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import MOST_PAIRED_COLUMNS, SCALES, Opcode, of_core
from hwgen.dbpim.facts.stream import (
    encode_floats,
    encode_header,
    encode_table,
    encode_taps,
)

OPCODES = {
    "conv": Opcode.CONV,
    "simd": Opcode.SIMD,
    "load": Opcode.LOAD,
    "store": Opcode.STORE,
    "end": Opcode.END,
}
NO_SECOND = (
    "second_base",
    "second_row_pitch",
    "second_channel_words",
    "second_image_rows",
    "second_image_columns",
    "second_broadcast",
)

NO_ADDEND = ("second_base", "second_row_pitch", "second_channel_words", "second_column")
NO_SUM = (
    *("adds", "result_multiplier", "second_multiplier", "sum_shift", "sum_rounding"),
    *("second_zero_point", "sum_zero_point", "sum_low", "sum_high"),
)


def encode_step(step: Step, arch: Arch) -> bytes:
    """Return the packets of a step."""
    return b"".join(step_packets(step, arch))


def step_packets(step: Step, arch: Arch) -> Iterator[bytes]:
    """Yield the packets of a step: its instruction, then tiles, taps, table or floats."""
    yield encode_header(OPCODES[step.kind], step_fields(step, arch), arch)
    if step.work is None:
        return
    op, split = step.work.op, step.work.split
    if step.kind == "conv":
        yield from tile_packets(step, arch)
    if op.table is not None:
        yield encode_table(cores=split.active_cores, entries=op.table, arch=arch)
    if op.floats is not None:
        given = op.floats
        yield encode_floats(
            cores=split.active_cores, fields=given.fields, numbers=given.numbers, arch=arch
        )
    if op.taps is not None:
        yield from taps_packets(step.work, arch)


def step_fields(step: Step, arch: Arch) -> Fields:
    """Return all fields of the instruction but the opcode."""
    if step.kind == "load":
        if step.output is None:
            raise ValueError(f"{step.name} must have an output")
        return {**output_place(step.output), **keep_fields(step.output, arch), **step.fields}
    if step.work is None:
        return dict(step.fields)
    fields = {**layer_fields(step, step.work, arch), **core_fields(step, step.work, arch)}
    return {**fields, **step.work.op.fields, **step.fields}


def output_place(tensor: Tensor) -> Fields:
    """Return where a map is written."""
    return {
        "output_base": tensor.base,
        "output_row_pitch": tensor.row_pitch,
        "output_channel_words": tensor.channel_words,
    }


def keep_fields(tensor: Tensor, arch: Arch) -> Fields:
    """Return the rows that each core keeps of a map."""
    fields = {}
    for core in range(arch.cores):
        fields[of_core("keep_first", core)] = tensor.first(core)
        fields[of_core("keep_rows", core)] = tensor.rows(core)
    return fields


def layer_fields(step: Step, work: StepWork, arch: Arch) -> Fields:
    """Return the fields of maps and window of a CONV or SIMD step."""
    source, output, window, grid = step.inputs[0], step.output, work.op.window, work.grid
    # Images of one pixel may be the columns of one row, for a window of one pixel alone.
    several = source.shape.one_pixel and window.point
    fields = {
        "input_base": source.base,
        "input_row_pitch": source.row_pitch,
        "input_channel_words": source.channel_words,
        "input_height": source.shape.height,
        "input_width": grid.width if several else source.shape.width,
        "input_image_rows": source.image_rows,
        "input_image_columns": source.image_columns,
        "kernel_height": window.kernel[0],
        "kernel_width": window.kernel[1],
        "stride_y": window.stride[0],
        "stride_x": window.stride[1],
        "padding_top": window.padding[0],
        "padding_left": window.padding[1],
        "output_base": 0,
        "output_row_pitch": 0,
        "output_channel_words": 0,
        "output_first_word": 0,
        "output_image_rows": output.image_rows if output else 0,
        "output_image_columns": output.image_columns if output else 0,
        "output_width": grid.width,
        "output_first_row": grid.first_row,
        "output_end_row": grid.end_row,
        "patch": int(grid.vector[0] > 1),
        "active_cores": work.split.active_cores,
    }
    if output:
        fields |= output_place(output)
    if step.kind == "conv":
        fields |= {"chunk_vectors": work.split.chunk_vectors}
        return {**fields, **addend_fields(step)}
    if arch.simd_tflite:
        fields |= dict.fromkeys(SCALES, 0)
    fields |= {"grow_y": window.grow[0], "grow_x": window.grow[1], "grow_zeros": 0}
    return {**fields, **second_fields(step, work)}


def second_fields(step: Step, work: StepWork) -> Fields:
    """Return the place of the second map of a SIMD step, zeros where there is none."""
    if len(step.inputs) == 1:
        return dict.fromkeys(NO_SECOND, 0)
    second = step.inputs[1]
    return {
        "second_base": second.base,
        "second_row_pitch": second.row_pitch,
        "second_channel_words": second.channel_words,
        "second_image_rows": second.image_rows,
        "second_image_columns": second.image_columns,
        "second_broadcast": int(work.op.broadcast or work.op.whole_second),
    }


def addend_fields(step: Step) -> Fields:
    """Return the place of the map that a CONV step adds to its results, zeros without one."""
    if len(step.inputs) == 1:
        return dict.fromkeys((*NO_SUM, *NO_ADDEND), 0)
    second, output = step.inputs[1], step.output
    if output is None or (output.image_rows, output.image_columns) != (
        second.image_rows,
        second.image_columns,
    ):
        raise ValueError(f"{step.name} must store the map that it adds as its output")
    return {
        "second_base": second.base,
        "second_row_pitch": second.row_pitch,
        "second_channel_words": second.channel_words,
        "second_column": output.first_column - second.first_column,
    }


def core_fields(step: Step, work: StepWork, arch: Arch) -> Fields:
    """Return the fields of each core of a CONV or SIMD step."""
    fields: Fields = {}
    for core, mine in enumerate(work.split.works):
        image, y, x = work.grid.start(mine.span[0]) if mine.vectors else (0, 0, 0)
        first, end = step.output.private(core) if step.output else NO_ROWS
        values = {
            "input_first": step.inputs[0].first(core),
            "start_image": image,
            "start_y": y,
            "start_x": x,
            "vectors": mine.vectors,
            "private_first": first,
            "private_rows": end - first,
            "keep_first": step.output.first(core) if step.output else 0,
            "keep_rows": step.output.rows(core) if step.output else 0,
        }
        several = len(step.inputs) > 1
        values["second_first"] = step.inputs[1].first(core) if several else 0
        if step.kind == "simd":
            values["word_first"] = mine.words[0] * work.op.group_words
            values["word_count"] = mine.words[1]
        fields |= {of_core(name, core): value for name, value in values.items()}
    return fields


def taps_packets(work: StepWork, arch: Arch) -> Iterator[bytes]:
    """Yield the weights of each channel word, for the cores that compute it."""
    taps, channels = work.op.taps, arch.word
    if taps is None:
        return
    for word, weights in enumerate(taps.weights):
        cores = sum(
            1 << core
            for core, mine in enumerate(work.split.works)
            if mine.vectors and mine.words[0] <= word < sum(mine.words)
        )
        entries = taps.parameters[word * channels : (word + 1) * channels]
        yield encode_taps(cores=cores, parameters=entries, weights=weights, arch=arch)


def tile_packets(step: Step, arch: Arch) -> Iterator[bytes]:
    """Yield the tiles of a CONV step."""
    if step.work is None:
        return
    fields = layer_fields(step, step.work, arch)
    for load in stream_order(step.work.split, arch):
        yield b"".join(tile_packet(load, fields, arch))


def tile_packet(load: Load, fields: Fields, arch: Arch) -> Iterator[bytes]:
    """Yield the parts of a tile packet."""
    group = load.group
    tile = group.tiles[load.number]
    pixel, channel_word = divmod(tile.piece.start, fields["input_channel_words"])
    kernel_y, kernel_x = divmod(pixel, fields["kernel_width"])
    with_parameters = load.chunk == load.number == 0
    header = {
        "cores": load.cores,
        "group": group.index,
        "rows": tile.rows,
        "mask_words": len(tile.piece.masks),
        "kernel_y": kernel_y,
        "kernel_x": kernel_x,
        "channel_word": channel_word,
        "turn": load.turn,
        "first": int(load.number == 0),
        "last": int(load.number == len(group.tiles) - 1),
        "last_group": int(load.last_group),
        "parameters": int(with_parameters),
        "coding": tile.coding,
        "filter_enable": tile.filter_enable,
    }
    if arch.macro.columns <= MOST_PAIRED_COLUMNS:
        header |= {"double": int(group.double), "second_group": group.second or 0}
    yield encode_header(Opcode.TILE, header, arch)
    yield tile.mask_bytes(arch)
    if with_parameters:
        yield group.parameter_bytes(arch)
    yield tile.row_bytes
