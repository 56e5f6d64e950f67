"""A module of torch as a quantized network file: exported, calibrated, imported, its integers held.

Tests: `tests/commands/test_torch_module.py`.
"""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from hwgen.commands.architectures import Arch, chip_of
from hwgen.commands.fields import NetworkOut, words
from hwgen.commands.imports import ImportNetwork
from hwgen.commands.request import Says, Working
from hwgen.errors import FormatError
from hwgen.network import QuantizedNetwork
from hwgen.network.file import load_network
from hwgen.report.imports import ImportReport
from hwgen.report.plans import first_line

IMAGE_RANKS = range(2, 5)


@dataclass(frozen=True, kw_only=True)
class ImportedModule:
    """A network that came from a module of torch.

    path: of the network file; report: of its import
    integers: weights of prepared layers, all of which are those of the training
    """

    path: Path
    report: ImportReport
    integers: int


@dataclass(frozen=True)
class ImportTorch(Working):
    """Import a module of torch: exported, calibrated and imported in one call.

    A module that `hwgen.train.prepare` prepared keeps the integers of its training: a file that
    has others is an error. The module stays as it is.

    Raises FormatError for a module that torch does not export and for other integers,
    RefusedNetworkError for nodes that are not supported.
    """

    module: Annotated[Any, Says("a torch.nn.Module")]
    images: Annotated[
        Any,
        Says(
            "tensor or array that shows the range of each map, as the module reads it: (images,"
            " channels, rows, columns), (images, tokens, channels), or ids (images, tokens)"
        ),
    ]
    out: NetworkOut
    _: KW_ONLY
    chip: Annotated[
        Arch | None, Says("whose rounding the network has [default: that of onnxruntime]")
    ] = None
    dataset: Annotated[str, Says("images of a run where none are given")] = ""
    class_names: Annotated[Sequence[str], Says("names of the classes", read=words)] = ()

    def run(self) -> ImportedModule:
        """Write the network."""
        from torch import nn

        from hwgen.importers.onnx.calibrate import images_as_given
        from hwgen.train.converted import convert, export_onnx, integers_of

        if not isinstance(self.module, nn.Module):
            raise self.refusal("module", "a torch.nn.Module", type(self.module).__name__)
        images = self.real_images()
        chip = None if self.chip is None else chip_of(self.quiet, self.chip).parameters
        kernels: Any = (
            "default" if chip is None or "float32" in getattr(chip, "rounding", ()) else "half_up"
        )
        name = type(self.module).__name__
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"{name}.onnx"
            export_onnx(convert(self.module), images[:1], file)
            if images.dtype == np.int64:
                shown = Path(folder) / "ids.txt"
                shown.write_text("\n".join(" ".join(map(str, row)) for row in images) + "\n")
            else:
                shown = Path(folder) / "images.npz"
                np.savez(shown, images=images_as_given(file, images))
            # An import is judged there: what its report says of it, this one says, too.
            report = ImportNetwork(
                file,
                self.out,
                calibrate=shown,
                kernels=kernels,
                dataset=self.dataset,
                class_names=self.class_names,
            ).run()
        if not isinstance(report, ImportReport):
            Path(self.out).unlink()
            raise FormatError(
                field="the module",
                allowed="read whole: hwgen import FILE --calibrate IMAGES cuts the file that torch"
                " exports of others",
                given=first_line(report),
                source=name,
            )
        path, integers = Path(self.out), integers_of(self.module)
        check_integers(integers, load_network(path), name)
        count = sum(each.size for each in integers.values())
        return ImportedModule(path=path, report=report, integers=count)

    def real_images(self) -> NDArray[Any]:
        """Return the images as an array: float32, or int64 of ids."""
        given = self.images
        given = given.detach().cpu().numpy() if hasattr(given, "detach") else np.asarray(given)
        if given.ndim not in IMAGE_RANKS or not len(given) or given.dtype.kind not in "fiu":
            shape = f"{given.dtype} of shape {given.shape}"
            raise self.refusal("images", "numbers, (images, ...) of rank 2 to 4", shape)
        return given.astype(np.float32 if given.dtype.kind == "f" else np.int64)


def check_integers(
    trained: Mapping[str, NDArray[np.int8]], network: QuantizedNetwork, source: str
) -> None:
    """Refuse a network that lacks a filter of a training, whatever layer holds it.

    A factor below zero behind a layer turns the signs of its filter. The layout of a map may
    order the weights of a filter anew, and zeros may stand between them.
    trained: of each layer, (filters, ...)
    """
    held = {
        filter_of(row)
        for parameters in network.parameters.values()
        for row in parameters.weights.reshape(len(parameters.weights), -1)
    }
    for name, integers in trained.items():
        rows = integers.reshape(len(integers), -1)
        other = sum(filter_of(row) not in held for row in rows if row.any())
        if other:
            raise FormatError(
                field=f"the integers of layer {name}",
                allowed="those of the training",
                given=f"others in {other} of {len(rows)} filters",
                source=source,
            )


def filter_of(row: NDArray[np.integer]) -> bytes:
    """Return what a filter is without the order of its weights, its zeros and its sign."""
    values = np.sort(row[row != 0].astype(np.int16))
    return min(values.tobytes(), np.sort(-values).tobytes())
