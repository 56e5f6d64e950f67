"""Cycles at each position of a decoder: a row that crosses 4 KiB takes another burst."""

import numpy as np

from golden.states import calls
from hwgen.chip.axi import PAGE_BYTES, RESPONSE_CYCLES
from hwgen.dbpim.compiler.compile import compile_network
from hwgen.dbpim.facts.arch import load_arch
from hwgen.dbpim.model import CycleModel
from hwgen.network.decoding import decode
from tests.dbpim.compiler.archs import CONFIGS
from verif.dbpim.decoders import DecoderShape, drawn_decoder


def test_a_burst_more_where_a_row_crosses_a_page() -> None:
    step = decode(
        drawn_decoder(1, DecoderShape(blocks=1, width=24, heads=1, hidden=24, tokens=192))
    )
    arch = load_arch(CONFIGS / "small_rows.yaml")
    program = compile_network(step, arch)
    image = np.zeros((1, *step.graph.input.shape), np.uint8)
    maps, model = calls(step, image), CycleModel(program, arch)
    facts = program.facts
    size, crossed = facts.pixel_bytes, 0
    first = [each.cycles for each in model.predict(maps).found]
    for position in (0, 1, 100, 148, 149, 169, 170, 171, 191):
        longer = np.subtract(
            [each.cycles for each in model.predict(maps, position=position).found], first
        )
        begins = [each.offset + position * size for each in facts.states]
        bursts = sum(at // PAGE_BYTES != (at + size - 1) // PAGE_BYTES for at in begins)
        # What the step after it waits for goes on meanwhile.
        assert longer.max() == bursts * RESPONSE_CYCLES and 0 <= longer.sum() <= longer.max()
        crossed += bursts
    assert crossed > 0
