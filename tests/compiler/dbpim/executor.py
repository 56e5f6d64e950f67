"""A chip without time: run a decoded stream in plain numpy, vector by vector as the cores walk."""

from collections import Counter

import numpy as np

from golden.dbpim.requantizer import requantize
from hwgen.spec.dbpim.addressing import region_address
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.instructions import Opcode
from hwgen.spec.dbpim.program import Program, Region
from hwgen.spec.dbpim.stream import Packet, TilePacket, decode_stream

Position = tuple[int, int]


def tile_weights(tile: TilePacket, arch: Arch) -> np.ndarray:
    """Return the weights in the cells of a tile, (rows, C, F), from nibbles alone."""
    counts = tile.fields["filter_enable"] >> 2 * np.arange(arch.filters)
    if not arch.sparsity.weight_bits:
        return tile.codes.astype(np.int8).astype(int) * (counts & 1)
    total = np.zeros(tile.codes.shape, int)
    for column, nibble in enumerate((tile.codes & 15, tile.codes >> 4)):
        magnitude = (1 + (nibble >> 3)).astype(int) << 2 * (nibble & 3)
        total += np.where(nibble & 4, -magnitude, magnitude) * (counts >> column & 1)
    return total


class Executor:
    """One program; the buffers are one memory, since every result goes to all cores.

    writes: how often each (layer, group, y, x) was written, by number of the layer
    """

    def __init__(self, program: Program, arch: Arch) -> None:
        self.arch, self.facts = arch, program.facts
        self.packets = decode_stream(program.image, arch)
        rng = np.random.default_rng(0)
        shape = (arch.banks, arch.bank_words, arch.macro.compartments)
        self.memory = rng.integers(0, 256, shape, np.uint8)
        self.logits = rng.integers(-99, 99, arch.logit_entries)
        self.writes: Counter[tuple[int, ...]] = Counter()
        self.layer = -1

    def run(self, image: bytes) -> dict[str, np.ndarray]:
        """Return every map by layer name, the logits under that of the head."""
        begin = self.packets[0].fields
        pixels = np.frombuffer(image, np.uint8)
        for number in range(begin["image_height"] * begin["image_width"]):
            y, x = divmod(number, begin["image_width"])
            size = begin["pixel_bytes"]
            address = begin["image_base"] + y * begin["image_row_pitch"] + x // self.arch.banks
            self.memory[self.bank(y, x), address, :size] = pixels[number * size :][:size]
        maps, tiles = {}, []
        for packet in reversed(self.packets[1:]):
            if isinstance(packet, TilePacket):
                tiles.append(packet)
            else:
                maps[packet.offset], tiles = (packet, tiles[::-1]), []
        found = {}
        for packet, tiles in (maps[offset] for offset in sorted(maps)):
            if packet.opcode in (Opcode.STORE, Opcode.END):
                assert not tiles
                continue
            self.layer += 1
            self.run_layer(packet, tiles)
            plan = self.facts.layers[self.layer]
            found[plan.name] = self.logits[: self.facts.classes].copy()
            if plan.output:
                found[plan.name] = self.read_map(plan.output)
        assert self.packets[-2].fields["words"] == self.facts.classes
        assert self.packets[-1].opcode is Opcode.END
        return found

    def run_layer(self, layer: Packet, tiles: list[TilePacket]) -> None:
        for core in range(self.arch.cores):
            stored = [tile for tile in tiles if tile.fields["cores"] >> core & 1]
            assert bool(layer.fields["active_cores"] >> core & 1) >= bool(stored)
            if layer.fields["active_cores"] >> core & 1:
                if layer.opcode is Opcode.CONV:
                    CoreWalk(self, layer, stored, core).run()
                else:
                    self.run_simd(layer, core)

    def bank(self, y: int, x: int) -> int:
        return (x + max(1, self.arch.banks // 2) * y) % self.arch.banks

    def word(self, fields: dict[str, int], base: int, y: int, x: int, channel_word: int):
        """Return a word of the layer's input map; outside of it the zero point."""
        if not (0 <= y < fields["input_height"] and 0 <= x < fields["input_width"]):
            return np.full(self.arch.macro.compartments, fields["input_zero_point"], np.uint8)
        column = x // self.arch.banks * fields["input_channel_words"]
        address = base + y * fields["input_row_pitch"] + column + channel_word
        return self.memory[self.bank(y, x), address]

    def write(self, fields: dict[str, int], at: Position, first: int, values: np.ndarray) -> None:
        """Write neighbouring channels of an output pixel, beginning with channel `first`."""
        y, x = at
        word, byte = divmod(first, self.arch.macro.compartments)
        address = fields["output_base"] + y * fields["output_row_pitch"] + word
        address += x // self.arch.banks * fields["output_channel_words"]
        self.memory[self.bank(y, x), address, byte : byte + len(values)] = values

    def read_map(self, region: Region) -> np.ndarray:
        found = np.zeros((region.height, region.width, region.channel_words), object)
        for y, x, w in np.ndindex(found.shape):
            found[y, x, w] = self.memory[
                region_address(region, self.arch, y=y, x=x, channel_word=w)
            ]
        return np.array(found.tolist()).reshape(region.height, region.width, -1)[
            :, :, : region.channels
        ]

    def run_simd(self, layer: Packet, core: int) -> None:
        fields = layer.fields
        at = step((0, 0), fields, "unit", core)
        for _ in range(fields["count_base"] + (core < fields["count_extra"])):
            for w in range(fields["output_channel_words"]):
                values = self.add(fields, at, w) if "second_base" in fields else None
                values = self.pool(fields, at, w) if values is None else values
                self.write(fields, at, w * self.arch.macro.compartments, values)
            self.writes[self.layer, 0, *at] += 1
            at = step(at, fields, "step")

    def add(self, fields: dict[str, int], at: Position, w: int) -> np.ndarray:
        a = self.word(fields, fields["input_base"], *at, w).astype(int)
        b = self.word(fields, fields["second_base"], *at, w).astype(int)
        total = (a - fields["input_zero_point"]) * fields["multiplier"]
        total += (b - fields["second_zero_point"]) * fields["second_multiplier"]
        return requantize(total, multiplier=1, shift=fields["shift"], **clip(fields))

    def pool(self, fields: dict[str, int], at: Position, w: int) -> np.ndarray:
        low, high = (n * fields["stride"] - fields["padding"] for n in at)
        taps = [
            self.word(fields, fields["input_base"], low + ky, high + kx, w).astype(int)
            for ky in range(fields["kernel_height"])
            for kx in range(fields["kernel_width"])
            if 0 <= low + ky < fields["input_height"] and 0 <= high + kx < fields["input_width"]
        ]
        if not fields["average"]:
            return np.max(taps, axis=0).clip(fields["output_low"], fields["output_high"])
        assert len(taps) == fields["kernel_height"] * fields["kernel_width"]
        total = np.sum(taps, axis=0) - len(taps) * fields["input_zero_point"]
        scale = {name: fields[name] for name in ("multiplier", "shift")}
        return requantize(total, **scale, **clip(fields))


def clip(fields: dict[str, int]) -> dict[str, int]:
    return {name: fields[f"output_{name}"] for name in ("zero_point", "low", "high")}


def step(at: Position, fields: dict[str, int], which: str, times: int = 1) -> Position:
    """Return the position some steps further; x wraps at most once in each."""
    y, x = at
    for _ in range(times):
        y, x = y + fields[f"{which}_y"], x + fields[f"{which}_x"]
        if x >= fields["output_width"]:
            y, x = y + 1, x - fields["output_width"]
    return y, x


class CoreWalk:
    """One core in one CONV: its walker, macros and output stage, in the order of its tiles."""

    def __init__(self, chip: Executor, layer: Packet, tiles: list[TilePacket], core: int) -> None:
        self.chip, self.arch, self.fields, self.tiles = chip, chip.arch, layer.fields, tiles
        cores_per_set = 1 << self.fields["cores_per_set_log2"]
        self.core_in_set = core % cores_per_set
        self.count = self.fields["count_base"] + (self.core_in_set < self.fields["count_extra"])
        self.begin = step((0, 0), self.fields, "unit", self.core_in_set)
        self.psums: dict[tuple[int, int], np.ndarray] = {}
        self.parameters: tuple = ()

    def run(self) -> None:
        left, chunk_start = self.count, self.begin
        for tile in self.tiles:
            assert tile.fields["mask_words"] <= self.arch.mask_words // 2
            assert tile.fields["rows"] <= self.arch.macro.rows // 2
            assert tile.masks[0].any() and tile.masks[-1].any()
            self.parameters = tile.parameters or self.parameters
            weights, at = tile_weights(tile, self.arch), chunk_start
            count = min(self.fields["chunk_vectors"], left)
            for vector in range(count):
                very_last = (
                    left - vector == 1 and self.core_in_set == self.fields["last_core_in_set"]
                )
                self.run_vector(tile, weights, vector, at, very_last=very_last)
                at = step(at, self.fields, "step")
            if tile.fields["last"]:
                left, chunk_start = left - count, at
                if not left:
                    left, chunk_start = self.count, self.begin
                    if tile.fields["last_group"]:
                        assert tile is self.tiles[-1]
                        return
        raise AssertionError("the core waits for a tile that never comes")

    def run_vector(self, tile: TilePacket, weights, vector: int, at: Position, *, very_last: bool):
        for offset in range(self.arch.macros_per_core):
            if not (very_last and offset >= self.fields["last_positions"]):
                macro = (offset + tile.fields["turn"]) % self.arch.macros_per_core
                self.run_macro(tile, weights, (macro, vector), at)
            at = (at[0] + 1, 0) if at[1] + 1 == self.fields["output_width"] else (at[0], at[1] + 1)

    def run_macro(self, tile: TilePacket, weights, place: tuple[int, int], at: Position) -> None:
        selected = self.selected_inputs(tile, at)
        groups = np.zeros(weights.shape[0] * weights.shape[1], int)
        assert len(groups) - weights.shape[1] < len(selected) <= len(groups)
        groups[: len(selected)] = selected
        total = np.einsum("rc,rcf->f", groups.reshape(weights.shape[:2]), weights)
        if not tile.fields["first"]:
            total = total + self.psums[place]
        if not tile.fields["last"]:
            assert place[1] < self.arch.psum_vectors
            self.psums[place] = total
            return
        bias, multiplier, shift = (np.array(each) for each in zip(*self.parameters, strict=True))
        first = tile.fields["group"] * self.arch.filters
        self.chip.writes[self.chip.layer, tile.fields["group"], *at] += 1
        if self.fields["raw"]:
            self.chip.logits[first : first + self.arch.filters] = total + bias
            return
        scale = {"multiplier": multiplier, "shift": shift}
        self.chip.write(
            self.fields, at, first, requantize(total + bias, **scale, **clip(self.fields))
        )

    def selected_inputs(self, tile: TilePacket, at: Position) -> np.ndarray:
        """Return the inputs that the mask selects, in order."""
        ky, kx, w = (tile.fields[name] for name in ("kernel_y", "kernel_x", "channel_word"))
        origin = [n * self.fields["stride"] - self.fields["padding"] for n in at]
        seen = []
        for _ in tile.masks:
            base = self.fields["input_base"]
            seen.append(self.chip.word(self.fields, base, origin[0] + ky, origin[1] + kx, w))
            w += 1
            if w == self.fields["input_channel_words"]:
                w, kx = 0, kx + 1
            if kx == self.fields["kernel_width"]:
                kx, ky = 0, ky + 1
        return np.array(seen)[tile.masks]
