"""Nodes that move or rename values: no layer of their own, their readers see through them."""

from dataclasses import replace

from hwgen.compiler.crossbar.maps import LAYOUT, Axis, Map, named, reshaped
from hwgen.compiler.crossbar.operators import RESHAPES
from hwgen.compiler.crossbar.step import Step


def moved(step: Step) -> Map:
    """Return what a transparent node makes of the maps that it reads."""
    match step.node.op_type:
        case "Concat":
            return joined(step)
        case "Pad":
            return padded(step)
        case "Transpose":
            return transposed(step)
        case operator if operator in RESHAPES:
            return cut(step)
        case _:
            return unmoved(step)


def unmoved(step: Step) -> Map:
    """Values stay where they are; constants may be read beside them."""
    if len(step.read) > 1:
        raise step.error("inputs", "one map and constants", f"{len(step.read)} maps")
    read = step.read[0]
    if step.shape != read.shape:
        raise step.error("output", f"of shape {read.shape} as its map", step.shape)
    return read


def cut(step: Step) -> Map:
    """Reshape, flatten, squeeze, unsqueeze."""
    return replace(step.map, shape=step.shape, axes=reshaped(step.map, step.shape))


def transposed(step: Step) -> Map:
    """Dimensions change places and keep their meanings."""
    read = step.map
    order = step.attribute("perm", list(reversed(range(len(read.shape)))))
    return replace(read, shape=step.shape, axes=tuple(read.axes[place] for place in order))


def joined(step: Step) -> Map:
    """Maps behind each other along the channels (or along the values of flattened maps)."""
    reads = step.read
    if len(reads) < len([name for name in step.node.input if name]):
        raise step.error("inputs", "maps alone", "a constant among them")
    axis = int(step.attribute("axis", 1))
    across: set[Axis] = {read.axes[axis] for read in reads} - {"one"}
    if not across <= {"channel", "mixed"} or (not across and is_plane(step, axis)):
        raise step.error("axis", "that of the channels", ", ".join(sorted(across)) or axis)
    axes: list[Axis] = list(reads[0].axes)
    for place in range(len(axes)):
        known = {read.axes[place] for read in reads} - {"one"}
        axes[place] = known.pop() if len(known) == 1 else "mixed" if known else "one"
    axes[axis] = "mixed" if "mixed" in across else "channel"
    return Map(providers=providers_of(reads), shape=step.shape, axes=named(step.shape, tuple(axes)))


def is_plane(step: Step, axis: int) -> bool:
    """Whether a dimension of size 1 everywhere stands where rows and columns do."""
    return len(step.shape) == len(LAYOUT) and axis in (2, 3, -1, -2)


def providers_of(reads: list[Map]) -> tuple[int, ...]:
    """Return the layers behind several maps, each once, in order; the image is not named."""
    return tuple(dict.fromkeys(provider for read in reads for provider in read.providers))


def padded(step: Step) -> Map:
    """Zeros around rows and columns; the convolution or pooling behind adds them to its own."""
    read = step.map
    mode = step.attribute("mode", b"constant").decode()
    if mode != "constant":
        raise step.error("mode", "constant", mode)
    if len(step.node.input) > 3 and step.node.input[3]:
        raise step.error("inputs", "map, pads and value", "axes too")
    pads = step.integers("pads", 1) or []
    rank = len(read.shape)
    pairs = list(zip(pads[:rank], pads[rank:], strict=True))
    around = {pair for pair, axis in zip(pairs, LAYOUT, strict=False) if axis in ("row", "column")}
    if not read.is_layered or len(pairs) != rank or len(around) != 1 or min(min(around)) < 0:
        raise step.error("pads", "the same for rows and columns, not negative", pads)
    if pairs[:2] != [(0, 0), (0, 0)]:
        raise step.error("pads", "zero for batch and channels", pads)
    before, after = around.pop()
    padding = (read.padding[0] + before, read.padding[1] + after)
    return replace(read, shape=step.shape, padding=padding)
