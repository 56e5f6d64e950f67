"""Predict cycles: of a run exactly, or of one step for the compiler, without images."""

from collections.abc import Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.compiled import is_compiled
from hwgen.dbpim.facts.arch import ACTIVATION_BITS, LIKELY_BIT_PLANES, Arch
from hwgen.dbpim.facts.instructions import PACKETS, Opcode
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.stream import Packet, TilePacket, decode_stream, header_beats
from hwgen.dbpim.model.activity import Counts, uniform
from hwgen.dbpim.model.cells import CellUse, cell_use, row_cells
from hwgen.dbpim.model.events import step_events
from hwgen.dbpim.model.machine import run
from hwgen.dbpim.model.prediction import Prediction, StepCycles, around_of, prediction_of
from hwgen.dbpim.model.sources import Maps, folded_maps, program_steps, tile_costs
from hwgen.dbpim.model.state import CAUSES, Ints
from hwgen.dbpim.model.tables import Cycles, run_packets


class CycleModel:
    """The cycle model of one program on one architecture; `predict` takes one run at a time."""

    def __init__(self, program: Program, arch: Arch) -> None:
        self._arch = arch
        self._packets = decode_stream(program.image, arch)[1:]
        self._steps = program_steps(self._packets, program.facts.steps)
        self._folds = program.facts.folds
        self._pixel_bytes = program.facts.pixel_bytes

    def predict(self, maps: Maps, *, position: int = 0) -> Prediction:
        """Return the cycles of a run.

        maps: all maps of the images of the run by layer name, the images under `input`, uint8,
        (images, height, width, channels), as golden computes them
        position: pixels that earlier calls have appended to the states; where a row crosses 4 KiB
        it takes another burst
        """
        costs, place = self._costs(maps), position * self._pixel_bytes
        found = run_packets(self._packets, list(chain(*costs)), self._arch, position_bytes=place)
        return prediction_of(found.cycles, found.load, self._step_cycles(found, costs))

    def spans(self, maps: Maps, *, most: int) -> Cycles:
        """Return the cycles of a run with what all units do in at most `most` spans of it."""
        costs = chain(*self._costs(maps))
        return run_packets(self._packets, list(costs), self._arch, most_spans=most)

    def _costs(self, maps: Maps) -> list[list[Counts]]:
        """Return the cost of each tile of each step; maps in the shapes of the network."""
        stored = folded_maps(maps, self._folds)
        return [tile_costs(step, stored, self._arch) for step in self._steps]

    def _step_cycles(
        self, found: Cycles, costs: Sequence[Sequence[Counts]]
    ) -> tuple[StepCycles, ...]:
        """Return the cycles between retirements, under the names of the steps."""
        spent = np.diff(found.retired, prepend=0).tolist()
        steps = []
        for number, step in enumerate(self._steps):
            around = around_of(step.plan)
            use = cell_use(list(zip(step.tiles, costs[number], strict=True)), self._arch)
            causes = {} if around else cell_causes(found.causes[number], use, self._arch)
            steps.append(
                StepCycles(
                    name=step.plan.name,
                    layer=step.plan.layer,
                    around=around,
                    cycles=spent[number],
                    causes=causes,
                    effective=use.effective,
                    events=self._events(number, costs[number]),
                )
            )
        return tuple(steps)

    def _events(self, number: int, costs: Sequence[Counts]) -> dict[str, int]:
        """Return the events of a step; the first one has the beats of BEGIN as well."""
        found = step_events(self._steps[number], costs, self._arch)
        if number == 0:
            found["beats_read"] += header_beats(Opcode.BEGIN, self._arch)
        return found


def cell_causes(macro_cycles: Ints, use: CellUse, arch: Arch) -> dict[str, int]:
    """Return cell-cycles of a step by cause, from macro-cycles by cause and the use of cells."""
    found = dict(zip(CAUSES, (macro_cycles * row_cells(arch)).tolist(), strict=True))
    found["empty_slots"] = use.empty
    found["absent_filters"] = use.absent
    found["busy"] -= use.empty + use.absent
    return found


class SplitCost:
    """Cycles of one split of a step, or of a whole program, for the compiler, without images.

    bit_planes: expected bit planes with a one in a group of inputs (SYSTEMS.md of DB-PIM: 5.4
        after ReLU); all eight without `input_bits`
    """

    def __init__(self, arch: Arch, *, bit_planes: int = LIKELY_BIT_PLANES) -> None:
        self._arch = arch
        self._bit_planes = bit_planes if arch.sparsity.input_bits else ACTIVATION_BITS

    def __call__(self, layer: str, packets: Sequence[Packet]) -> float:
        """Return the cycles from the first beat of a step's packets to its retirement.

        packets: one instruction, then its tiles, taps or table
        """
        costs = self._costs(packets)
        beats = sum(packet.beats for packet in packets)
        found = run_packets([first_load(beats, self._arch), *packets], costs, self._arch)
        return float(found.retired[-1] - found.retired[0])

    def of_program(self, image: NDArray[np.uint8]) -> float:
        """Return the cycles of a run of a program; image: of the program."""
        packets = decode_stream(image, self._arch)[1:]
        return float(run_packets(packets, self._costs(packets), self._arch).cycles)

    def _costs(self, packets: Sequence[Packet]) -> list[Counts]:
        """Return the expected cost of each tile."""
        return [
            uniform(self._bit_planes, 1, packet.fields["rows"])
            for packet in packets
            if isinstance(packet, TilePacket)
        ]


def first_load(segment_beats: int, arch: Arch) -> Packet:
    """Return the LOAD of one pixel, before a stream of `segment_beats`."""
    fields = dict.fromkeys((field.name for field in PACKETS[Opcode.LOAD]), 0)
    ones = ("beats", "pixel_bytes", "window_pixels", "window_stride", "memory_columns")
    fields |= dict.fromkeys((*ones, "rows", "columns", "output_channel_words"), 1)
    fields |= {"opcode": Opcode.LOAD, "segment_beats": segment_beats}
    return Packet(
        opcode=Opcode.LOAD, offset=0, beats=header_beats(Opcode.LOAD, arch), fields=fields
    )


def must_compile() -> bool:
    """Return whether the first prediction must compile, which takes up to a minute."""
    return not is_compiled(run)
