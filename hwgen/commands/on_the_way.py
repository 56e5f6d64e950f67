"""A network of another format where a quantized network file is asked for: imported on the way."""

from pathlib import Path
from typing import Any, Literal

from hwgen.chip.family import Family
from hwgen.chip.protocols import Architecture
from hwgen.commands.context import Context
from hwgen.commands.digests import digest_of, digest_of_code, digest_of_file
from hwgen.commands.families import InstalledFamily
from hwgen.network import QuantizedNetwork

FOREIGN = (".tflite", ".onnx")
"""Suffixes of files that are imported."""
WEIGHT_BITS = "weight_bits"


def imported(context: Context, file: Path, arch: Architecture) -> Path:
    """Return a network file: the given one, or that of a foreign one, imported now or cached.

    Its sums round as the runtime's do if the chip can (`float32`), else as every chip's.
    """
    if file.suffix.lower() not in FOREIGN or not file.is_file():
        return file
    kernels: Literal["default", "half_up"] = (
        "default" if "float32" in getattr(arch, "rounding", ()) else "half_up"
    )
    facts = [digest_of_file(file), kernels, digest_of_code("hwgen.importers", "hwgen.network")]
    out = context.work / "imported" / f"{file.stem}-{digest_of(facts)[:16]}.npz"
    if not out.is_file():
        from hwgen.commands.imports import ImportNetwork

        ImportNetwork(file, out, kernels=kernels).run()
        context.say(f"{file.name} is imported with --kernels {kernels}, as the chip rounds: {out}")
    return out


def allowed_switches(
    context: Context,
    family: InstalledFamily,
    arch: Architecture,
    network: QuantizedNetwork,
    file: Path,
) -> Architecture:
    """Return the chip of an imported network: weight_bits off where its weights have more digits.

    file: of the network, for the line that says so
    """
    if not (family.offers(Family.sparsity) and family.offers(Family.layer_support)):
        return arch
    sparsity: Any = getattr(arch, "sparsity", None)
    remarks = family.need(Family.layer_support).layer_remarks(network).values()
    wanted = sorted(remark for remark in remarks if f"with {WEIGHT_BITS} off" in remark)
    if not wanted or not getattr(sparsity, WEIGHT_BITS, False):
        return arch
    family_switches = family.need(Family.sparsity)
    on = [
        name for name in family_switches.SWITCHES if name != WEIGHT_BITS and getattr(sparsity, name)
    ]
    context.say(
        f"runs {wanted[-1]}: hwgen fit {file} --out FILE gives its weights few digits, so that"
        f" {WEIGHT_BITS} can be on"
    )
    return family_switches.with_sparsity(arch, ",".join(on) or "none")
