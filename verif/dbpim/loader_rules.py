"""What the loader must do with each packet of a program, cycle by cycle."""

from collections.abc import Callable
from typing import Any

from hwgen.chip.rtl.read_engine import read_command
from hwgen.dbpim.facts.instructions import PARAMETER_BITS, Opcode, Space, instruction_bits
from hwgen.dbpim.facts.stream import header_beats, taps_beats
from verif.common.probe import Probe
from verif.coverage import Corners
from verif.dbpim.component import arch_from_environment
from verif.dbpim.load_fields import Load
from verif.dbpim.loader_programs import Packet, Program
from verif.dbpim.random_taps import Floats, Table, Taps
from verif.dbpim.random_tiles import Tile

ARCH = arch_from_environment()
ALL = (1 << ARCH.cores) - 1
PER_BEAT = ARCH.port_bits // PARAMETER_BITS
PROGRAM_ADDRESS, IMAGE_ADDRESS, SCRATCH_ADDRESS = 0x1234_5678_9000, 0x9ABC_0040, 0x5_0000_0080
TILE, ROW, TAPS, TABLE, FLOATS = (
    f"loads__{part}__" for part in ("tile", "row", "taps", "table", "floats")
)
"""Begins of the names of the ports of the load bus."""
STROBES = (
    *(f"{TILE}begin", f"{TILE}push", f"{TILE}parameters_write", f"{ROW}write"),
    *([f"{TILE}mask_write"] if ARCH.sparse_parts else []),
    *(f"{TAPS}begin", f"{TAPS}parameters_write", f"{TAPS}write", f"{TAPS}push"),
    *(f"{TABLE}write", f"{TABLE}push"),
    *((f"{FLOATS}write", f"{FLOATS}push") if ARCH.row_unit else ()),
)
WAITING = {Tile: "a tile waits for a core", Taps: "taps wait for a core"}
WAITING |= {Table: "a table waits for a core"}
WAITING |= {Floats: "floats wait for a core"} if ARCH.row_unit else {}
CODES = {Tile: Opcode.TILE, Taps: Opcode.TAPS, Table: Opcode.TABLE, Floats: Opcode.FLOATS}
BASES = {Space.SCRATCH: SCRATCH_ADDRESS}
BASES |= {Space.PROGRAM: PROGRAM_ADDRESS} if ARCH.row_unit else {}
"""Where the data of a LOAD lies in memory; in any other space, behind the image's address."""


class Follower:
    """Goes through a whole program, packet by packet, and checks what the loader did."""

    def __init__(self, probe: Probe, corners: Corners) -> None:
        self.probe, self.corners = probe, corners
        self.valid = probe.when("beats__valid")
        self.taken: list[int] = []
        self.pulses: dict[str, dict[int, int]] = {name: {} for name in STROBES}
        self.instructions: list[int] = []
        self.words: list[int] = []
        self.ends: list[int] = []

    def look(self, count: int, start: int) -> list[int]:
        """Return the next `count` cycles with a beat, from `start` on."""
        found = [cycle for cycle in self.valid if cycle >= start][:count]
        assert len(found) == count, "the loader stops too early"
        return found

    def take(self, count: int, start: int) -> list[int]:
        """Return the same and note that the beats leave in them."""
        cycles = self.look(count, start)
        self.taken += cycles
        return cycles

    def first(self, start: int, condition: Callable[[dict[str, Any]], bool]) -> int:
        """Return the first cycle from `start` on in which the condition holds."""
        rows = self.probe.cycles
        return next(n for n in range(start, len(rows)) if condition(rows[n]))

    def follow(self, program: Program, where: str) -> None:
        """Check the whole program."""
        cycle = -1
        begin = header_beats(Opcode.BEGIN, ARCH)
        for number, (packet, beats) in enumerate(
            zip(program.packets, program.packet_beats(), strict=True)
        ):
            count = begin if number == 0 else 0
            cycle = self.packet(packet, beats, count, cycle + 1)
        self.check_commands(program)
        assert self.probe.when("instruction__valid") == self.instructions, f"{where}: instructions"
        assert self.probe.when("beats__valid", "beats__ready") == self.taken, f"{where}: beats"
        written = [n for n, row in enumerate(self.probe.cycles) if row["load_valid"]]
        assert written == self.words, f"{where}: words of maps"
        assert self.probe.when("load_done") == self.ends, f"{where}: ends of LOADs"
        for name, pulses in self.pulses.items():
            got = {n: row[name] for n, row in enumerate(self.probe.cycles) if row[name]}
            assert got == pulses, f"{where}: {name} {got}, expected {pulses}"

    def packet(self, packet: Packet, beats: list[int], before: int, start: int) -> int:
        """Check one packet; return the cycle in which the loader is done with it."""
        if isinstance(packet, bytes | Load):
            check = self.take(before + len(beats), start)[-1] + 1
            cycle = self.first(check, lambda row: bool(row["instruction__ready"]))
            self.corners.hit("an instruction waits", cycle > check)
            word = sum(beat << place * ARCH.port_bits for place, beat in enumerate(beats))
            mask = (
                1 << min(len(beats) * ARCH.port_bits, instruction_bits(ARCH.cores, ARCH.widths))
            ) - 1
            shown = {self.probe.cycles[n]["instruction__payload"] for n in range(check, cycle + 1)}
            assert {found & mask for found in shown} == {word & mask}, "an instruction"
            self.instructions += range(check, cycle + 1)
            return self.load(packet, cycle) if isinstance(packet, Load) else cycle
        code = CODES[type(packet)]
        room = f"loads__{code.name.lower()}__room"
        check = self.take(header_beats(code, ARCH), start)[-1] + 1
        begin = self.first(check, lambda row: not packet.cores & ~row[room])
        self.corners.hit(WAITING[type(packet)], begin > check)
        others = bool(~self.probe.cycles[begin][room] & ALL) or ARCH.cores == 1
        self.corners.hit("a packet for some cores while another has no space", others)
        self.corners.hit("a packet for all cores", packet.cores == ALL)
        if isinstance(packet, Tile):
            return self.tile(packet, begin)
        if isinstance(packet, Taps):
            return self.taps(packet, begin)
        prefix, step = (FLOATS, 1) if isinstance(packet, Floats) else (TABLE, ARCH.port_bytes)
        return self.numbers(packet, begin, prefix, step)

    def load(self, load: Load, start: int) -> int:
        """Expect the words of a LOAD; `bench_load_writer` checks them."""
        passes = load.passes()
        cycles = self.look(len(passes), start + 1)
        inside = [n for n in range(start + 1, cycles[-1] + 1) if self.probe.cycles[n]["load_valid"]]
        wanted = [n for n, (words, _) in zip(cycles, passes, strict=True) if words]
        assert inside == wanted, "words of a LOAD"
        ready = [n for n in cycles if self.probe.cycles[n]["beats__ready"]]
        assert len(ready) == len(load.beats()), "beats of a LOAD"
        self.words += inside
        self.taken += ready
        self.ends.append(cycles[-1])
        return cycles[-1]

    def parameters(self, words: list[int], start: int, prefix: str, cores: int) -> int:
        """Expect parameters, one set in each cycle with a beat; return the last cycle."""
        if not words:
            return start
        cycles, last = self.look(len(words), start + 1), len(words) - 1
        self.taken += [n for i, n in enumerate(cycles) if i % PER_BEAT == PER_BEAT - 1 or i == last]
        rows = [self.probe.cycles[n] for n in cycles]
        assert [row[f"{prefix}parameters_data"] for row in rows] == words, "parameters"
        assert [row[f"{prefix}parameters_index"] for row in rows] == list(range(len(words)))
        self.pulses[f"{prefix}parameters_write"] |= dict.fromkeys(cycles, cores)
        return cycles[-1]

    def tile(self, tile: Tile, begin: int) -> int:
        """Expect the strobes of a tile."""
        assert self.probe.cycles[begin][f"{TILE}header"] == tile.header()
        masks = self.take(len(tile.mask_beats()), begin + 1)
        if ARCH.sparse_parts:
            shown = [self.probe.cycles[n][f"{TILE}mask_data"] for n in masks]
            assert shown == tile.mask_beats(), "mask words"
            self.pulses[f"{TILE}mask_write"] |= dict.fromkeys(masks, tile.cores)
        known = masks[-1] if masks else begin
        cycle = self.parameters(tile.parameter_words(), known, TILE, tile.cores)
        for row, beats in zip(tile.rows(), tile.row_beats, strict=True):
            cycle = self.take(beats, cycle + 1)[-1]
            found = self.probe.cycles[cycle + 1]
            assert (found[f"{ROW}cells"], found.get(f"{ROW}meta", 0)) == row, "a row of weights"
            self.pulses[f"{ROW}write"][cycle + 1] = tile.cores
        self.pulses[f"{TILE}begin"][begin] = self.pulses[f"{TILE}push"][known] = tile.cores
        return cycle

    def taps(self, taps: Taps, begin: int) -> int:
        """Expect the strobes of a packet of taps."""
        cycle = self.parameters(taps.parameter_words(), begin, TAPS, taps.cores)
        for number, word in enumerate(taps.words()):
            cycle = self.take(taps_beats(ARCH).tap, cycle + 1)[-1]
            found = self.probe.cycles[cycle]
            assert (found[f"{TAPS}index"], found[f"{TAPS}data"]) == (number, word), "a tap"
            self.pulses[f"{TAPS}write"][cycle] = taps.cores
        self.pulses[f"{TAPS}begin"][begin] = self.pulses[f"{TAPS}push"][cycle] = taps.cores
        return cycle

    def numbers(self, packet: Table | Floats, begin: int, prefix: str, step: int) -> int:
        """Expect the strobes of a table or of floats; step: of the index, from beat to beat."""
        cycles = self.take(len(packet.beats()), begin + 1)
        rows = [self.probe.cycles[n] for n in cycles]
        assert [row[f"{prefix}data"] for row in rows] == packet.beats(), "numbers"
        assert [row[f"{prefix}index"] for row in rows] == [step * n for n in range(len(cycles))]
        if isinstance(packet, Floats):
            assert {row[f"{FLOATS}header"] for row in rows} == {packet.header()}, "their header"
            self.corners.hit("floats of a norm", packet.fields["channels"] > 0)
        self.pulses[f"{prefix}write"] |= dict.fromkeys(cycles, packet.cores)
        self.pulses[f"{prefix}push"][cycles[-1]] = packet.cores
        return cycles[-1]

    def check_commands(self, program: Program) -> None:
        """BEGIN is requested at once; of each LOAD its data and its segment, after it starts."""
        asked = self.probe.when("command__valid", "command__ready")
        rows = [self.probe.cycles[n]["command__payload"] for n in asked]
        commands = [read_command().from_bits(row) for row in rows]
        address, sizes = PROGRAM_ADDRESS, list(map(len, program.brought()))
        expected = [(address, sizes[0])]
        for number, load in enumerate(program.loads()):
            address += sizes[2 * number] * ARCH.port_bytes
            space = load.fields["space"]
            base = BASES.get(Space(space), IMAGE_ADDRESS)
            self.corners.hit("a LOAD from scratch space", space == Space.SCRATCH)
            if ARCH.row_unit:
                self.corners.hit("a LOAD from the program", space == Space.PROGRAM)
            expected.append((base + load.fields["offset"], load.fields["beats"]))
            expected.append((address, program.segment_beats(number)))
        assert [(c.address, c.beats) for c in commands] == expected, "commands"
        begin, starts = self.probe.when("command__valid")[0], self.probe.when("load_go")
        cycles = [*range(begin, asked[0] + 1)]
        for number, start in enumerate(starts):
            cycles += range(start + 1, asked[2 * number + 2] + 1)
        assert self.probe.when("command__valid") == cycles, "cycles of the commands"
