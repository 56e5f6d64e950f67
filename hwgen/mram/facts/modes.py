"""What a mode of a program uses of the chip."""

from hwgen.mram.facts.arch import Arch
from hwgen.mram.facts.program import Program
from hwgen.mram.facts.records import Kind, enabled_arrays
from hwgen.mram.facts.stream import decode_program


def active_arrays(program: Program, arch: Arch, *, mode: int) -> dict[str, int]:
    """Return how many sub-arrays compute each layer with weights in a mode, in order.

    All groups of a record work on other positions at the same time. Of a layer with several records
    the largest number counts.
    """
    records = decode_program(program.image, arch, source=program.facts.network_name).records
    found: dict[str, int] = {}
    for plan in program.facts.modes[mode].steps:
        fields = records[plan.record]
        if fields["kind"] == Kind.CONV:
            layer = plan.fused[0] if plan.fused else plan.layer
            active = fields["groups"] * enabled_arrays(fields, arch)
            found[layer] = max(active, found.get(layer, 0))
    return found
