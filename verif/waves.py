"""Read the waves of a simulation: the value of every signal in each clock cycle."""

from pathlib import Path

from hwgen.chip.sim.vcd import blocks, declared


class Trace:
    """The signals of a VCD file by path, such as `host.chip.control.retire`.

    A cycle ends with a rising edge of `clock`; a signal has the value that it had before the edge.
    """

    def __init__(self, file: Path, *, clock: str) -> None:
        lines = iter(file.read_text(encoding="utf-8").splitlines())
        self._ids = dict(declared(lines))
        self._cycles: list[dict[str, str]] = []
        now: dict[str, str] = {}
        for block in blocks(lines):
            if block.get(self._ids[clock]) == "1":
                self._cycles.append(dict(now))
            now |= block

    def __len__(self) -> int:
        return len(self._cycles)

    def value(self, path: str, cycle: int) -> int:
        """Return the unsigned value of a signal; what was not driven yet is 0."""
        text = self._cycles[cycle].get(self._ids[path], "0")
        return int(text.replace("x", "0").replace("z", "0"), 2)

    def starts(self, path: str, *, after: int = 0) -> list[int]:
        """Return the cycles from `after` on in which a signal is not 0 and was 0."""
        values = [self.value(path, cycle) for cycle in range(len(self))]
        before = [0, *values]
        both = enumerate(zip(values, before, strict=False))
        return [cycle for cycle, (now, old) in both if now and not old and cycle >= after]
