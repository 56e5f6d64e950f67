"""Weights that an ONNX file keeps in a file beside it, as torch's exporter does by default."""

import math
from pathlib import Path

import onnx

from hwgen.errors import FormatError
from hwgen.files.given import check_given
from hwgen.importers.onnx.read import MOST_BYTES, read_model

BESIDE = (
    "in the ONNX file, or in a file beside it of a plain name and the size that it declares;"
    " onnx.save(onnx.load('net.onnx'), 'whole.onnx') makes one file"
)


def read_whole_model(path: Path) -> onnx.ModelProto:
    """Return the model of a file with the weights that lie in files beside it.

    Raises FormatError for a file that is not in the same folder, is a link, or is too short.
    """
    model, size = read_model(path), path.stat().st_size
    for tensor in model.graph.initializer:
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        content = content_of(tensor, path)
        size += len(content)
        if size > MOST_BYTES:
            allowed = f"at most {MOST_BYTES:,} bytes with the files beside it"
            raise FormatError(field="the network", allowed=allowed, given="more", source=str(path))
        tensor.raw_data = content
        tensor.data_location = onnx.TensorProto.DEFAULT
        del tensor.external_data[:]
    return model


def content_of(tensor: onnx.TensorProto, path: Path) -> bytes:
    """Return the bytes of a tensor that lie in a file beside `path`."""
    about = {entry.key: entry.value for entry in tensor.external_data}
    name = about.get("location", "")
    file = path.parent / name
    if not name.isprintable() or name in ("", "..") or Path(name).name != name:
        raise refusal(tensor, path, f"in {name!r}")
    if file.is_symlink():
        raise refusal(tensor, path, f"in {name}, a link")
    wanted = bytes_of(tensor)
    try:
        offset = int(about.get("offset", 0))
        length = int(about.get("length", wanted))
        size = check_given(file, what=f"the file of tensor {tensor.name}", allowed="a file")
    except ValueError:
        raise refusal(tensor, path, "an offset or a length that is no number") from None
    except OSError as error:
        raise refusal(tensor, path, f"in {name}: {error.strerror}") from None
    if length != wanted or not 0 <= offset <= size - wanted:
        given = f"bytes {offset} to {offset + length} of {name}, which has {size}"
        raise refusal(tensor, path, f"{given}, for {wanted}")
    try:
        with file.open("rb") as handle:
            handle.seek(offset)
            content: bytes = handle.read(wanted)
            return content
    except OSError as error:
        raise refusal(tensor, path, f"in {name}: {error.strerror}") from None


def bytes_of(tensor: onnx.TensorProto) -> int:
    """Return how many bytes a tensor takes; two elements of 4 bits share one."""
    elements: int = math.prod(max(side, 0) for side in tensor.dims)
    kind = tensor.data_type
    if kind in (onnx.TensorProto.INT4, onnx.TensorProto.UINT4):
        return (elements + 1) // 2
    try:
        return elements * int(onnx.helper.tensor_dtype_to_np_dtype(kind).itemsize)
    except (KeyError, TypeError, ValueError):
        return 0


def refusal(tensor: onnx.TensorProto, path: Path, given: str) -> FormatError:
    """Return the error for a tensor whose bytes are not found."""
    return FormatError(field=f"tensor {tensor.name}", allowed=BESIDE, given=given, source=str(path))
