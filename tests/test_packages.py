"""What import-linter cannot see: when a module is imported, not only whether."""

import pkgutil
import subprocess
import sys

import pytest

import hwgen.cli
import hwgen.flow

LATE = ["torch", "cocotb", "golden", "verif"]


@pytest.mark.parametrize("room", [hwgen.cli, hwgen.flow], ids=lambda room: room.__name__)
def test_flow_imports_its_rooms_late(room: object) -> None:
    path, name = getattr(room, "__path__"), getattr(room, "__name__")  # noqa: B009
    modules = [name, *(found.name for found in pkgutil.walk_packages(path, f"{name}."))]
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(LATE) & set(done.stdout.split())
