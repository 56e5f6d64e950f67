"""The steps of a run of a crossbar chip, as model and simulation report them; they overlap.

`input`: the first image comes; then for each image each layer, from the strobe of the first
operation of its first block to that of the last operation of its last one; `end`: from the end of
the last pipeline step on, the last results leave.
"""

INPUT, END = "input", "end"


def step_name(layer: str, image: int, images: int) -> str:
    """Return the name of the step of a layer in an image of a run."""
    return layer if images == 1 else f"{image}.{layer}"
