"""Float networks of torch on the chip: exported, quantized, imported, compared, simulated.

`python -m studies.tests.zoo.results --data FOLDER` writes docs/results/onnx.md and
onnx.json; the folder holds `checkpoints` and `cifar10`, and without it ResNet20 is left out.
"""

import argparse
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import yaml

from hwgen.commands.against import Compare
from hwgen.commands.context import Context
from hwgen.commands.images import choose_images
from hwgen.commands.imports import ImportNetwork
from hwgen.commands.origin import commit, machine
from hwgen.commands.run import run_network
from hwgen.commands.subject import load_subject
from studies.tests.zoo.trained import Case, digits, resnet20
from tests.zoo.exports import EXPORTERS, export

NETWORKS = ("resnet20", "mobilenet_v2", "vgg", "autoencoder")
SMALL = Path("configs/dbpim/small.yaml")
YES = {True: "yes", False: "no", None: "-"}
SIMULATED = 2
"""Images that run in RTL."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One network by one exporter.

    top_class: share of images with the same class in golden and in onnxruntime; accuracies: of both
    same_inputs_*: of all elements of all layers fed with onnxruntime's maps; end_*: of the answer
    rtl_*: images simulated, elements that differ from golden, cycles
    commit: of the code that measured
    """

    network: str
    exporter: str
    images: int
    layers: int
    top_class: float | None
    accuracy: float | None
    accuracy_runtime: float | None
    same_inputs_equal: float
    same_inputs_largest: int
    end_equal: float
    end_largest: int
    rtl_images: int
    rtl_mismatches: int | None
    rtl_cycles: int | None
    cycles_equal: bool | None
    runtime: str
    commit: str | None


def row_of(
    name: str, case: Case, exporter: str, *, folder: Path, arch: Path, simulated: int = SIMULATED
) -> Row:
    """Return what one network shows; its files go to `folder`."""
    context = Context(work=folder, console=None)
    float_file = folder / f"{name}-{exporter}.onnx"
    export(case.module, case.shape, float_file, exporter)
    calibration, images = folder / f"{name}-known.npz", folder / f"{name}-images.npz"
    np.savez(calibration, images=case.known)
    labels = {} if case.labels is None else {"labels": case.labels}
    np.savez(images, images=case.images, **labels)
    network, qdq = float_file.with_suffix(".npz"), folder / f"{name}-{exporter}-qdq.onnx"
    ImportNetwork(float_file, network, calibrate=calibration, qdq=qdq, kernels="half_up").run()
    report = Compare(network, qdq, data=images, context=context).run()
    elements = sum(layer.same_inputs.elements for layer in report.layers)
    other = sum(layer.same_inputs.one_step + layer.same_inputs.larger for layer in report.layers)
    end = report.layers[-1].end_to_end if report.output is None else report.output
    subject = load_subject(network, arch, "weight_values,input_bits")
    figures = None
    if simulated:
        batch = choose_images(subject.network, str(images), simulated)
        figures = run_network(context, subject, batch, engine="rtl")
    return Row(
        network=name,
        exporter=exporter,
        images=len(case.images),
        layers=len(subject.network.layers),
        top_class=None if case.labels is None else report.top_class,
        accuracy=report.accuracy_golden,
        accuracy_runtime=report.accuracy_runtime,
        same_inputs_equal=1 - other / elements,
        same_inputs_largest=report.largest_step or 0,
        end_equal=end.equal,
        end_largest=end.largest,
        rtl_images=simulated,
        rtl_mismatches=None if figures is None else figures.mismatches,
        rtl_cycles=None if figures is None else figures.cycles_rtl,
        cycles_equal=None if figures is None else figures.cycles_rtl == figures.cycles_model,
        runtime=report.runtime,
        commit=commit(),
    )


def arch_of(folder: Path) -> Path:
    """Return the small chip with two cores of 32 KB, and answers of up to 64 values."""
    chip = yaml.safe_load(SMALL.read_text())
    chip.update(name="small_32k", buffer_bytes=32768, logit_entries=64)
    path = folder / "small_32k.yaml"
    path.write_text(yaml.safe_dump(chip, sort_keys=False))
    return path


def table(rows: list[Row]) -> str:
    """Return the rows as a page."""
    lines = [
        "# Float networks of torch, quantized by onnxruntime",
        "",
        "Written in torch, exported by both of its exporters (script: TorchScript, opset 17;",
        "dynamo: torch.export, opset 20), quantized by `hwgen import --calibrate` (uint8 maps,",
        "int8 weights with a scale a filter), compared with onnxruntime on test images, and",
        f"simulated in RTL on two cores of 32 KB ({machine()}).",
        "`scripts/results onnx --data FOLDER` makes this page.",
        "",
        "Same inputs: each layer is fed the maps of onnxruntime. The digits are 8 x 8 images,",
        "enlarged to 16 x 16 for the convolutions; their networks were trained for 12 epochs, and",
        "their weights are stored. Elements differ beside rounding ties only.",
        "",
        "| network | exporter | layers | images | top classes equal | accuracy, onnxruntime"
        " | same inputs: equal, largest step | answer: equal, largest step | RTL images"
        " | other elements | cycles, as the model | commit |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row.network} | {row.exporter} | {row.layers} | {row.images} | {share(row.top_class)}"
        f" | {share(row.accuracy)}, {share(row.accuracy_runtime)}"
        f" | {share(row.same_inputs_equal, digits=3)}, {row.same_inputs_largest}"
        f" | {share(row.end_equal)}, {row.end_largest}"
        f" | {row.rtl_images} | {row.rtl_mismatches}"
        f" | {row.rtl_cycles}, {YES[row.cycles_equal]} | {row.commit} |"
        for row in rows
    ]
    return "\n".join([*lines, ""])


def write(rows: list[Row], folder: Path) -> None:
    """Write the page and the same as JSON."""
    facts = {"machine": machine(), "rows": [asdict(row) for row in rows]}
    (folder / "onnx.json").write_text(json.dumps(facts, indent=1) + "\n")
    (folder / "onnx.md").write_text(table(rows))


def share(value: float | None, *, digits: int = 2) -> str:
    """Return a share in percent."""
    return "-" if value is None else f"{100 * value:.{digits}f} %"


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--work", type=Path, default=Path("build/onnx-results"))
    parser.add_argument("--out", type=Path, default=Path("docs/results"))
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    arch = arch_of(given.work)
    rows = []
    for name in NETWORKS:
        if name == "resnet20" and given.data is None:
            continue
        case = resnet20(given.data) if name == "resnet20" else digits(name)
        for exporter in EXPORTERS:
            rows.append(row_of(name, case, exporter, folder=given.work, arch=arch))
            print(rows[-1], flush=True)
    write(rows, given.out)


if __name__ == "__main__":
    main()
