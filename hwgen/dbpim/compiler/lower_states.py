"""What becomes of states when a call is over: which maps go to which places in memory.

Tests: `tests/dbpim/compiler/test_appends.py`.
"""

from hwgen.dbpim.compiler.lower_simd import IDENTITY, SIMD_DEFAULTS
from hwgen.dbpim.compiler.ops import MapShape, Op
from hwgen.dbpim.compiler.source import Source
from hwgen.dbpim.facts.instructions import Operation
from hwgen.network import Append, QuantizedNetwork, State


def appended_maps(network: QuantizedNetwork) -> dict[str, list[str]]:
    """Return by map the appends that put its pixels into a state."""
    found: dict[str, list[str]] = {}
    for layer in network.layers:
        if isinstance(layer, Append):
            found.setdefault(layer.inputs[1], []).append(layer.name)
    return found


def kept_maps(source: Source, ops: list[Op]) -> dict[str, list[str]]:
    """Return by map the states that it becomes; a copy is added where a state is still read.

    A map goes to memory when it is there. Where a later pass reads the old value, or no pass makes
    the map, a pass behind all others copies it.
    """
    found: dict[str, list[str]] = {}
    caches = {
        each.name: each.inputs[0] for each in source.network.layers if isinstance(each, Append)
    }
    for state in source.network.states.values():
        if caches.get(state.next) == state.name:
            continue
        made = [number for number, op in enumerate(ops) if op.output == state.next]
        read = [number for number, op in enumerate(ops) if state.name in op.inputs]
        name = state.next
        if not made or max(read, default=-1) > made[-1]:
            name = f"{state.name} next"
            ops.append(copy_op(source, state, name))
        found.setdefault(name, []).append(state.name)
    return found


def copy_op(source: Source, state: State, name: str) -> Op:
    """Return the pass that copies what a state becomes."""
    like = source.maps[state.next]
    source.maps[name] = MapShape(
        name=name, height=like.height, width=like.width, channels=like.channels
    )
    return Op(
        name=name,
        layer=state.name,
        op=state.op,
        kind="simd",
        inputs=(state.next,),
        output=name,
        size=(like.height, like.width),
        words=(0, source.words(name)),
        whole=False,
        fields={
            **SIMD_DEFAULTS,
            **IDENTITY,
            "operation": Operation.SUM,
            "enable_end": source.arch.word,
        },
    )
