"""Seeded mutations of documents, of bytes, of archives and of messages."""

import copy
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import onnx

Content = dict[str, bytes]

NASTY: tuple[Callable[[], Any], ...] = (
    lambda: None,
    lambda: True,
    lambda: False,
    lambda: 0,
    lambda: -1,
    lambda: 1,
    lambda: 3,
    lambda: 255,
    lambda: 1 << 16,
    lambda: 1 << 31,
    lambda: 1 << 62,
    lambda: 1 << 64,
    lambda: -(1 << 63),
    lambda: 10**400,
    lambda: 0.5,
    lambda: -0.0,
    lambda: 1e308,
    lambda: 1e-320,
    lambda: float("nan"),
    lambda: float("inf"),
    lambda: "",
    lambda: "input",
    lambda: "\x1b[31mred\x1b[0m",
    lambda: "[bold]x[/bold][/x]",
    lambda: "$\\frac{$",
    lambda: "x" * 20_000,
    lambda: "\ud800",
    lambda: "a\nb\0c",
    lambda: "../../etc",
    list,
    dict,
    lambda: [0] * 5_000,
    lambda: nested(200),
    lambda: {"op": "conv"},
)
"""What stands in the place of a value."""


def nested(levels: int) -> Any:
    """Return a list in a list in a list."""
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


def places(document: Any) -> list[tuple[Any, Any]]:
    """Return (container, key) of every value in a document of mappings and lists."""
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting:
        container = waiting.pop()
        keys = list(container) if isinstance(container, dict) else range(len(container))
        for key in keys:
            found.append((container, key))
            if isinstance(container[key], dict | list) and container[key]:
                waiting.append(container[key])
    return found


def document(given: Any, random: Random) -> Any:
    """Return a copy of a document with some values changed, removed, moved or doubled."""
    changed = copy.deepcopy(given)
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        options = places(changed)
        if not options:
            break
        container, key = random.choice(options)
        match random.randrange(6):
            case 0:
                del container[key]
            case 1:
                other, its = random.choice(options)
                if key in container if isinstance(container, dict) else key < len(container):
                    container[key] = copy.deepcopy(other[its]) if has(other, its) else None
            case 2 if isinstance(container, dict):
                container[str(random.choice(NASTY)())[:300]] = container.pop(key)
            case 3 if isinstance(container, list):
                container += copy.deepcopy(container[:50])
            case _:
                container[key] = random.choice(NASTY)()
    return changed


def has(container: Any, key: Any) -> bool:
    """Return whether a container still holds a key."""
    return key in container if isinstance(container, dict) else key < len(container)


def damaged(content: bytes, random: Random) -> bytes:
    """Return bytes with some of them flipped, removed, doubled or overwritten."""
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 2, 5, 20))):
        if not changed:
            break
        place = random.randrange(len(changed))
        length = random.choice((1, 1, 2, 4, 8, 100))
        match random.randrange(6):
            case 0:
                del changed[place : place + length]
            case 1:
                changed[place:place] = changed[place : place + length]
            case 2:
                changed[place : place + length] = random.randbytes(length)
            case 3:
                changed[place : place + length] = (
                    random.choice((b"\xff", b"\x00", b"\x7f")) * length
                )
            case 4:
                del changed[place:]
            case _:
                changed[place] ^= 1 << random.randrange(8)
    return bytes(changed)


def members(path: Path) -> Content:
    """Return the members of an archive."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(content: Content, random: Random) -> bytes:
    """Return an archive, sometimes with a member twice."""
    target = io.BytesIO()
    with zipfile.ZipFile(
        target, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    ) as z:
        for name, each in content.items():
            z.writestr(name, each)
    return target.getvalue()


def array_bytes(array: Any) -> bytes:
    """Return an array as a member."""
    target = io.BytesIO()
    np.save(target, np.asarray(array), allow_pickle=True)
    return target.getvalue()


def json_member(content: Content, key: str, random: Random) -> Content:
    """Return the members with the document in one of them changed."""
    plain = json.loads(np.load(io.BytesIO(content[key])).tobytes())
    text = json.dumps(document(plain, random)).encode()
    if random.random() < 0.1:
        text = damaged(text, random)
    return content | {key: array_bytes(np.frombuffer(text, np.uint8))}


def array_member(content: Content, random: Random) -> Content:
    """Return the members with one array of another shape, type or content."""
    name = random.choice(list(content))
    array = np.load(io.BytesIO(content[name]))
    limits = np.iinfo(array.dtype) if array.dtype.kind in "iu" else None
    changed: Any
    match random.randrange(9):
        case 0:
            changed = np.zeros((), array.dtype) if not array.size else array.reshape(-1)[0]
        case 1:
            changed = array.astype(random.choice((np.float64, np.int16, np.uint64, bool)))
        case 2:
            changed = np.stack([array, array])
        case 3:
            changed = array[:0]
        case 4:
            changed = np.full_like(array, limits.max if limits else np.nan)
        case 5:
            changed = np.full_like(array, limits.min if limits else np.inf)
        case 6:
            changed = array.astype("U10")
        case 7:
            changed = np.array([{"a": 1}], dtype=object)
        case _:
            changed = array.T.copy() if array.ndim > 1 else array[::-1].copy()
    return content | {name: array_bytes(changed)}


def archive(path: Path, key: str, random: Random) -> bytes:
    """Return a changed copy of an archive whose member `key` holds a document."""
    content = members(path)
    match random.randrange(8):
        case 0:
            return damaged(path.read_bytes(), random)
        case 1 | 2:
            return packed(array_member(content, random), random)
        case 3:
            name = random.choice(list(content))
            return packed(content | {name: damaged(content[name], random)}, random)
        case 4:
            del content[random.choice(list(content))]
            return packed(content | {random.choice(("\x1b.npy", "x" * 300 + ".npy")): b"x"}, random)
        case _:
            return packed(json_member(content, key, random), random)


def message(content: bytes, random: Random) -> bytes:
    """Return a changed copy of an ONNX model."""
    if random.random() < 0.2:
        return damaged(content, random)
    model = onnx.load_model_from_string(content)
    for _ in range(random.choice((1, 1, 2, 3))):
        change_node(model, random)
    return bytes(model.SerializeToString())


SIDES = (0, -1, 1, 3, 1 << 20, 1 << 31, 1 << 62, -(1 << 63))


def change_node(model: onnx.ModelProto, random: Random) -> None:  # noqa: C901
    """Change one thing of a model."""
    node = random.choice(model.graph.node)
    stored = random.choice(model.graph.initializer) if model.graph.initializer else None
    match random.randrange(9):
        case 0 if node.attribute:
            attribute = random.choice(node.attribute)
            if attribute.ints:
                attribute.ints[random.randrange(len(attribute.ints))] = random.choice(SIDES)
            else:
                attribute.i = random.choice(SIDES)
        case 1 if node.attribute:
            random.choice(node.attribute).ints.extend([random.choice(SIDES)])
        case 2 if stored is not None and stored.dims:
            stored.dims[random.randrange(len(stored.dims))] = random.choice(SIDES)
        case 3 if stored is not None:
            stored.data_type = random.randrange(24)
        case 4:
            node.op_type = random.choice(("Conv", "Softmax", "\x1b[31m", "x" * 5000, "Transpose"))
        case 5 if node.input:
            other = random.choice(model.graph.node)
            node.input[random.randrange(len(node.input))] = random.choice(("", "x", *other.output))
        case 6:
            model.opset_import[0].version = random.choice((0, 1, 6, 30, 1 << 40, -1))
        case 7:
            dims = model.graph.input[0].type.tensor_type.shape.dim
            if dims:
                random.choice(dims).dim_value = random.choice(SIDES)
        case _:
            name = random.choice(("axis", "auto_pad", "group", "kernel_shape", "pads", "perm"))
            value: Any = random.choice((*SIDES, "SAME_UPPER", "\x1b", [1, 2, 3]))
            node.attribute.append(onnx.helper.make_attribute(name, value))
