"""Which maps of a network a chip never stores whole."""

from hwgen.dbpim.compiler.lower_add import fused_additions
from hwgen.dbpim.compiler.source import Source
from hwgen.dbpim.compiler.tiling import computing_steps
from hwgen.dbpim.facts.arch import Arch
from hwgen.dbpim.facts.instructions import INSTRUCTIONS, Opcode
from hwgen.dbpim.facts.program import Program
from hwgen.dbpim.facts.stream import decode_stream
from hwgen.network import Append, Constant, QuantizedNetwork, State


def unstored(network: QuantizedNetwork, program: Program, arch: Arch) -> set[str]:
    """Return the convolutions that an addition takes in, and layers that come in some columns.

    Of those the buffers hold fewer columns at a time than the map has, as an instruction says;
    where the map comes back from memory in whole rows, it is stored then. Constants that no LOAD
    shows as the map of an image are among them: those of one pixel, for several images; and states
    that nothing but an append reads.
    """
    widths = {layer.name: layer.output.width for layer in network.layers}
    widths |= {name: fold.stored[1] for name, fold in program.facts.folds.items()}
    narrow = {
        plan.layer
        for plan, packet, _ in computing_steps(program, arch)
        if packet.fields["output_width"] < widths.get(plan.layer, 0)
    }
    packets = (each for each in decode_stream(program.image, arch) if each.opcode in INSTRUCTIONS)
    back = {
        plan.layer
        for plan, packet in zip(program.facts.steps, packets, strict=True)
        if packet.opcode is Opcode.LOAD
        and packet.fields["columns"] == packet.fields["memory_columns"] == widths.get(plan.layer)
    }
    fused = {layer.name for layer in fused_additions(Source(network, arch)).values()}
    whole = {plan.layer for plan in program.facts.steps if plan.whole_words}
    loaded = Constant | State | Append
    constants = {layer.name for layer in network.layers if isinstance(layer, loaded)}
    return (fused | narrow - back | constants - whole) - set(network.graph.outputs)
