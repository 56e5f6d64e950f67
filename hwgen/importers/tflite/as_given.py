"""A TFLite file in LiteRT: unchanged, with all outputs, by its default or its reference kernels.

Tests: `tests/importers/test_judge.py`.
"""

from importlib.metadata import version
from pathlib import Path

from hwgen.errors import FormatError
from hwgen.files.given import read_given
from hwgen.importers.judge import Feeds, Outputs, said_version
from hwgen.importers.tflite.file import read_file
from hwgen.importers.tflite.runtime import interpreter_of

PACKAGE = "ai-edge-litert"


class GivenTFLite:
    """An interpreter of a file; names of inputs and outputs are those of its tensors."""

    setting = ""

    def __init__(self, path: Path, *, default: bool = True) -> None:
        """Open the file; default: else by the reference kernels, where an operator has one."""
        content = read_given(path, what="the file", allowed="a TFLite file")
        self._source = str(path)
        self._interpreter, kernels = interpreter_of(content, path, default=default)
        self.name = f"LiteRT {said_version(PACKAGE, version(PACKAGE))}, {kernels} kernels"
        # Names that the file has twice are told apart as the reader does.
        self._names = [each.name for each in read_file(path).tensors]

    def reset(self) -> None:
        """Begin anew: variables are as the file has them."""
        self._interpreter.reset_all_variables()

    def __call__(self, feeds: Feeds) -> Outputs:
        """Return all outputs of a call."""
        for about in self._interpreter.get_input_details():
            array = feeds[self._names[about["index"]]]
            array = array.astype(about["dtype"]).reshape(about["shape"])
            self._interpreter.set_tensor(about["index"], array)
        try:
            self._interpreter.invoke()
        except RuntimeError as error:
            raise FormatError(
                field="the file",
                allowed="one that LiteRT runs",
                given=" ".join(str(error).split())[:200],
                source=self._source,
            ) from None
        return {
            self._names[each["index"]]: self._interpreter.get_tensor(each["index"])
            for each in self._interpreter.get_output_details()
        }


def as_given(path: Path, *, default: bool = True) -> GivenTFLite:
    """Return a file in LiteRT. Raises FormatError for a file that it does not open."""
    return GivenTFLite(path, default=default)
