"""From a quantized network and an architecture to a program."""

import numpy as np

from hwgen.compiler.dbpim.conv import compile_conv
from hwgen.compiler.dbpim.cost import LayerCost
from hwgen.compiler.dbpim.fields import Task
from hwgen.compiler.dbpim.regions import allocate
from hwgen.compiler.dbpim.simd import compile_simd
from hwgen.compiler.dbpim.supported import supported_layers
from hwgen.errors import CompileError
from hwgen.spec.dbpim.arch import Arch
from hwgen.spec.dbpim.image import image_beats
from hwgen.spec.dbpim.instructions import PIXEL_BYTES, VERSION, Opcode
from hwgen.spec.dbpim.program import LayerPlan, Program, ProgramFacts, Region
from hwgen.spec.dbpim.stream import encode_instruction, pad
from hwgen.spec.network import INPUT, Conv, Linear, QuantizedNetwork


def compile_network(
    network: QuantizedNetwork, arch: Arch, *, layer_cost: LayerCost | None = None
) -> Program:
    """Return the program of a network; the same arguments give the same bytes.

    layer_cost: judges candidate splits of a layer, by a cycle model for example; None: an
        estimate (`hwgen.compiler.dbpim.cost.estimate`)
    """
    layers = supported_layers(network)
    check_ends(network, arch)
    regions = allocate(network, arch)
    task = Task(network=network, arch=arch, regions=regions, layer_cost=layer_cost)
    parts, plans = [], []
    for layer in layers:
        compiled = (
            compile_conv(task, layer)
            if isinstance(layer, Conv | Linear)
            else compile_simd(task, layer)
        )
        parts.append(compiled[0])
        plans.append(compiled[1])
    classes = network.layers[-1].output.channels
    parts.append(pad(encode_instruction(Opcode.STORE, {"words": classes}), arch))
    parts.append(pad(encode_instruction(Opcode.END, {}), arch))
    facts = facts_of(network, arch, regions[INPUT], plans)
    stream = b"".join(parts)
    image = begin(facts, arch, stream_beats=len(stream) // arch.port_bytes) + stream
    return Program(facts=facts, image=np.frombuffer(image, np.uint8))


def check_ends(network: QuantizedNetwork, arch: Arch) -> None:
    """Refuse an image or a number of classes that the chip cannot hold."""
    image, head = network.graph.input, network.layers[-1]
    limit = min(PIXEL_BYTES[-1], arch.macro.compartments)
    if image.channels > limit:
        raise CompileError(f"the image must have at most {limit} channels, got {image.channels}")
    if head.output.channels > arch.logit_entries:
        raise CompileError(
            f"layer {head.name}: classes must be at most logit_entries ({arch.logit_entries}),"
            f" got {head.output.channels}"
        )


def facts_of(
    network: QuantizedNetwork, arch: Arch, image: Region, plans: list[LayerPlan]
) -> ProgramFacts:
    """Return the facts of a program that its file holds beside its bytes."""
    return ProgramFacts(
        format="hwgen.dbpim.program",
        version=1,
        network=network.digest,
        network_name=network.graph.name,
        architecture=arch.digest,
        architecture_name=arch.name,
        image_region=image,
        pixel_bytes=min(size for size in PIXEL_BYTES if size >= image.channels),
        classes=network.layers[-1].output.channels,
        layers=plans,
    )


def begin(facts: ProgramFacts, arch: Arch, *, stream_beats: int) -> bytes:
    """Return the packet that describes the stream and the image."""
    region = facts.image_region
    fields = {
        "version": VERSION,
        "architecture": arch.id_word,
        "network": int(facts.network[:8], 16),
        "stream_beats": stream_beats,
        "image_beats": image_beats(facts, port_bytes=arch.port_bytes),
        "image_height": region.height,
        "image_width": region.width,
        "pixel_bytes": facts.pixel_bytes,
        "image_base": region.base,
        "image_row_pitch": region.row_pitch,
    }
    return pad(encode_instruction(Opcode.BEGIN, fields), arch)
