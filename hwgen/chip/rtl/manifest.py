"""The manifest of an output folder, `manifest.json`: modules, ports, versions, digests.

Tests: `tests/verif/common/test_replaced.py`.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping
from importlib.metadata import version

from hwgen import __version__

FILE_LIST = "files.f"
MANIFEST = "manifest.json"
FORMAT = "hwgen-verilog"
FORMAT_VERSION = 1

NAME = r"([A-Za-z_]\w*)"
MODULE = re.compile(rf"^module {NAME}.*?^endmodule$", re.M | re.S)
PORT = re.compile(
    r"^  (input|output) (?:reg )?(?:signed )?(?:\[(\d+):0\] )?(\w+)[,;]?(?:  //.*)?$", re.M
)
INSTANCE = re.compile(rf"^  {NAME} ?{NAME} ?\($", re.M)


def manifest(
    sources: Mapping[str, str],
    files: Mapping[str, str | bytes],
    *,
    top: str,
    parameters: Mapping[str, object],
    arrays: Container[str] = (),
    texts: Container[str] = (),
) -> str:
    """Return the manifest of `files`: the same text for the same files on every machine.

    sources: those with modules of the design
    arrays: modules whose gates lie in an array of cells; their entries have `"array": true`
    texts: modules that describe behaviour for simulations; their entries have `"behaviour": true`
    """
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "license": "Apache-2.0",
        "top": top,
        "parameters": parameters,
        "versions": {
            "hwgen": __version__,
            "amaranth": version("amaranth"),
        },
        "modules": {
            name: module_entry(file, text)
            | ({"array": True} if name in arrays else {})
            | ({"behaviour": True} if name in texts else {})
            for file, source in sources.items()
            for name, text in modules_in(source)
        },
        "files": {
            name: {"sha256": hashlib.sha256(as_bytes(content)).hexdigest()}
            for name, content in files.items()
        },
    }
    return json.dumps(content, indent=2) + "\n"


def as_bytes(content: str | bytes) -> bytes:
    """Return a file as it is written: a text in UTF-8."""
    return content.encode() if isinstance(content, str) else content


def module_entry(file: str, text: str) -> dict[str, object]:
    """Return the file of a module, its ports and the modules that it places."""
    ports = [
        {"name": name, "direction": direction, "width": width}
        for name, (direction, width) in sorted(ports_in(text).items())
    ]
    return {"file": file, "ports": ports, "instances": dict(sorted(instances_in(text).items()))}


def modules_in(source: str) -> Iterator[tuple[str, str]]:
    """Yield name and text of each module in a file as the emitter writes it."""
    for found in MODULE.finditer(source):
        yield found[1], found[0]


def ports_in(source: str) -> dict[str, tuple[str, int]]:
    """Return direction and width of each port of the first module in `source`."""
    first = source.partition("\nendmodule")[0]
    return {name: (direction, int(high or 0) + 1) for direction, high, name in PORT.findall(first)}


def instances_in(source: str) -> Counter[str]:
    """Return how often each other module is placed in `source`."""
    return Counter(module for module, _ in INSTANCE.findall(source))
