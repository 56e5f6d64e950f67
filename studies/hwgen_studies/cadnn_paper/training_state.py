"""What `training.json` of a channel-adaptive network says: by which method, and how long."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hwgen.report.training_record import read_known

RESULTS = "hwgen.results.training"
TRAINING = "hwgen.adaptive_training"
VERSIONS = (1, 2)
"""Version 2 adds the agreement of the modes."""
ROUNDING = 0.01
"""Passes by which a phase may fall short: the last images of an order are left out."""
LEAST_PASSES = 5
"""Passes over the training images; a training of fewer is short, whatever its recipe says."""


@dataclass(frozen=True, kw_only=True)
class State:
    """How long a network was trained.

    state: `complete`, a short training, or which phases had fewer passes than the recipe says
    passes: over the training images in each phase, in order
    """

    state: str
    passes: dict[str, float]


def read_adaptive(path: Path) -> dict[str, Any]:
    """Return the content of the `training.json` of a channel-adaptive network."""
    return read_known(path, TRAINING, VERSIONS)


def method_of(recipe: dict[str, Any]) -> str:
    """Return `CA`; `S-NN`: without distillation; `I-NN`: each width with weights of its own."""
    if recipe["weights"] == "individual":
        return "I-NN"
    return "CA" if recipe["teacher"] else "S-NN"


def selection_of(recipe: dict[str, Any]) -> str:
    """Return how channels are chosen: `uniform`, `table`, or such as `single path by cycles`."""
    chosen = recipe["selection"]
    if chosen["kind"] != "norm":
        return str(chosen["kind"])
    return f"{chosen['path']} path by {chosen['cost']}"


def state_of(about: dict[str, Any]) -> State:
    """Return how long each phase was trained, and whether that is what the recipe says."""
    images = about["train_images"]
    batch = min(about["recipe"]["batch_images"], images)
    passes: dict[str, float] = {}
    for epoch in about["history"]:
        seen = epoch["batches"] * batch / images
        passes[epoch["phase"]] = passes.get(epoch["phase"], 0.0) + seen
    passes = {phase: round(each, 2) for phase, each in passes.items()}
    missing = [
        f"{phase} {passes.get(phase, 0.0):g} of {wanted:g} passes"
        for phase, wanted in wanted_passes(about["recipe"], images).items()
        if passes.get(phase, 0.0) < wanted - ROUNDING
    ]
    alone = len(about["recipe"]["widths"]) if about["recipe"]["weights"] == "individual" else 1
    each_width = sum(passes.values()) / alone
    if missing:
        return State(state=", ".join(missing), passes=passes)
    if each_width < LEAST_PASSES:
        return State(state=f"short training of {each_width:.1f} passes", passes=passes)
    return State(state="complete", passes=passes)


def wanted_passes(recipe: dict[str, Any], images: int) -> dict[str, float]:
    """Return the passes over the training images in each phase that a recipe trains for."""
    batch = min(recipe["batch_images"], images)
    whole = min(images // batch, recipe["epoch_batches"] or images // batch)
    modes = [f"{width:.2f}".rstrip("0").ljust(3, "0") + "x_" for width in recipe["widths"]]
    prefixes = modes if recipe["weights"] == "individual" else [""]
    wanted = {"base": recipe["base_phase"]["epochs"] * whole}
    for prefix in prefixes:
        for phase in recipe["phases"]:
            if not prefix or phase["modes"] is None or prefix[:-1] in phase["modes"]:
                batches = min(phase["batches"] or whole, whole)
                wanted[prefix + phase["name"]] = phase["epochs"] * batches
    return {name: round(batches * batch / images, 2) for name, batches in wanted.items() if batches}
