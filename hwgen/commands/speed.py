"""How fast a chip is simulated on this machine: measured by each run, asked by the next."""

import json
from pathlib import Path

from hwgen.files.output import write_text

FILE = "speeds.json"
"""In the folder of the simulators: cycles per second by the digest of the architecture."""
USUAL = 20_000.0
"""Cycles per second of a chip that has not run here: between the small and the paper-size ones."""
LONG_SECONDS = 5.0
"""A simulation that takes longer says so."""
SHORTEST_SECONDS = 0.5
"""A shorter one measures the start of the simulator, not its speed."""


def cycles_per_second(folder: Path, digest: str) -> float:
    """Return the speed of a chip: as measured, else the usual one."""
    return known_speeds(folder).get(digest, USUAL)


def remember(folder: Path, digest: str, *, cycles: int, seconds: float) -> None:
    """Store the speed of a chip for the next run; a folder that cannot be written stores nothing.

    seconds: of the simulation alone, without the build of the simulator
    """
    if seconds < SHORTEST_SECONDS or cycles <= 0:
        return
    speeds = known_speeds(folder) | {digest: round(cycles / seconds, 1)}
    try:
        write_text(folder / FILE, json.dumps(speeds, indent=1, sort_keys=True), what="speeds")
    except Exception:
        # An estimate is not worth an error after a simulation that went well.
        return


def known_speeds(folder: Path) -> dict[str, float]:
    """Return what was measured; nothing where the file is missing or damaged."""
    try:
        found = json.loads((folder / FILE).read_text(encoding="utf-8"))
        return {str(name): float(speed) for name, speed in found.items() if float(speed) > 0}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def forecast(name: str, cycles: int, speed: float) -> str | None:
    """Return a line that says how long a simulation takes; None for a short one."""
    seconds = cycles / speed
    if seconds < LONG_SECONDS:
        return None
    about = f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} minutes"
    return f"simulating {cycles:,} cycles of {name}: about {about} at {speed:,.0f} cycles a second"
