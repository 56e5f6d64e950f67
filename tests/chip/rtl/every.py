"""A part with each kind of statement and operator, and its values in Amaranth's simulator."""

import random
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from amaranth.hdl import Array, Cat, ClockDomain, ClockSignal, Module, Mux, Signal, Value, signed
from amaranth.lib import data, enum
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out
from amaranth.sim import Simulator

from hwgen.chip.rtl.part import Part

CYCLES = 400
INPUTS = {"a": 8, "b": 8, "s": 8, "t": 6, "n": 3, "go": 1, "we": 2, "wa": 2, "ra": 2, "re": 1}


class Command(enum.Enum, shape=2):
    """What the machine does next."""

    STOP = 0
    ADD = 1
    SHIFT = 3


PACKET = data.StructLayout(
    {"low": 4, "flag": 1, "command": Command, "lanes": data.ArrayLayout(4, 3), "rest": 5}
)


class Every(Part):
    """One of everything that the printer writes; names say what an output shows.

    Ports
        a       in   8           a number
        s       in   8, signed   another one
        sum     out  9           a + b, with its carry
    """

    family = "tiny"
    starts_with_values = True

    def __init__(self) -> None:
        ins = {name: In(bits) for name, bits in INPUTS.items()}
        ins |= {"s": In(signed(8)), "t": In(signed(6)), "packet": In(PACKET)}
        outs: dict[str, object] = {name: Out(width) for name, width in OUTPUTS.items()}
        super().__init__(ins | outs)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._operators(m)
        self._choices(m)
        self._registers(m)
        self._memory(m)
        return m

    def _operators(self, m: Module) -> None:
        a, b, s, t, n = self.a, self.b, self.s, self.t, self.n
        m.d.comb += [
            self.sum.eq(a + b),
            self.opposite_sum.eq(~a + b),
            self.difference.eq(a - b - 1),
            self.signed_sum.eq(s + t),
            self.product.eq(s * a),
            self.square.eq(t * s),
            self.upper.eq((a * b) >> 9),
            self.compares.eq(Cat(a < b, s < t, s >= t, a == b, a != 3, s == t, a.any(), b.all())),
            self.shifts.eq(Cat((a << n)[:10], a >> n, s >> n)),
            self.window.eq((Cat(a, b) >> n)[4:8]),
            self.picked.eq(Cat(a.bit_select(n, 3), Cat(a, b).word_select(n[:2], 4))),
            self.divided.eq(Cat(a // Mux(n == 0, 1, n), a % n)),
            self.halved.eq(Cat((a // 4)[:6], (a % 8)[:3])),
            self.negative.eq(-s),
            self.parity.eq(a.xor()),
            self.fields.eq(Cat(self.packet.flag, self.packet.lanes[1], self.packet.rest)),
            self.is_add.eq(self.packet.command == Command.ADD),
        ]

    def _choices(self, m: Module) -> None:
        a, b, n = self.a, self.b, self.n
        m.d.comb += self.from_array.eq(Array([a, b, a ^ b, a & b, a | b])[n])
        with m.If(a[0] & ~b[0]):
            m.d.comb += self.chosen.eq(1)
        with m.Elif(a[1]):
            m.d.comb += self.chosen.eq(a)
            with m.If(b[2]):
                m.d.comb += self.chosen[2:5].eq(n)
        with m.Else():
            m.d.comb += self.chosen.eq(Mux(self.s > 0, self.s, -1))
        with m.Switch(a[:4]):
            with m.Case("1--0", "0011"):
                m.d.comb += self.matched.eq(1)
            with m.Case("01--"):
                m.d.comb += self.matched.eq(2)
            with m.Default():
                m.d.comb += self.matched.eq(3)
        m.d.comb += self.prefix[0].eq(a[0])
        for place in range(1, 8):
            with m.If(a[place]):
                m.d.comb += self.prefix[place].eq(~self.prefix[place - 1])

    def _registers(self, m: Module) -> None:
        kept, count = Signal(8, init=0x5A), Signal(4)
        free = Signal(8, reset_less=True)
        with m.If(self.go):
            m.d.sync += [kept.eq(self.a), free.eq(kept + 1)]
        with m.FSM():
            with m.State("IDLE"), m.If(self.go & (self.n == 2)):
                m.d.sync += count.eq(self.n)
                m.next = "RUN"
            with m.State("RUN"):
                m.d.comb += self.busy.eq(1)
                m.d.sync += count.eq(count + 1)
                with m.If(count == 9):
                    m.next = "LAST"
            with m.State("LAST"):
                m.d.comb += self.busy.eq(self.go)
                m.next = "IDLE"
        with m.Switch(self.n[:2]):
            with m.Case(0):
                pass
            for number in range(1, 4):
                with m.Case(number):
                    m.d.sync += self.rests.eq(number)
        m.d.comb += [self.kept.eq(kept), self.free.eq(free), self.count.eq(count)]

    def _memory(self, m: Module) -> None:
        # Amaranth's simulator resets what has been read, which no memory does.
        m.domains.cells = cells = ClockDomain(reset_less=True, local=True)
        m.submodules.words = words = Memory(shape=8, depth=4, init=[1, 2, 3, 4])
        first = words.write_port(domain="cells", granularity=4)
        second = words.write_port(domain="cells")
        read, at_once = words.read_port(domain="cells"), words.read_port(domain="comb")
        m.d.comb += [
            cells.clk.eq(ClockSignal()),
            first.addr.eq(self.wa),
            first.data.eq(self.a),
            first.en.eq(self.we),
            second.addr.eq(self.ra),
            second.data.eq(self.b),
            second.en.eq(self.go & self.we[0]),
            read.addr.eq(self.ra),
            read.en.eq(self.re),
            at_once.addr.eq(self.ra),
            self.read.eq(read.data),
            self.at_once.eq(at_once.data),
        ]


OUTPUTS = {
    "sum": 9,
    "opposite_sum": 9,
    "difference": 10,
    "signed_sum": signed(9),
    "product": signed(16),
    "square": signed(14),
    "upper": 7,
    "compares": 8,
    "shifts": 26,
    "window": 4,
    "picked": 7,
    "divided": 11,
    "halved": 9,
    "negative": signed(9),
    "parity": 1,
    "fields": 10,
    "is_add": 1,
    "from_array": 8,
    "chosen": 8,
    "matched": 2,
    "prefix": 8,
    "busy": 1,
    "kept": 8,
    "free": 8,
    "count": 4,
    "rests": 2,
    "read": 8,
    "at_once": 8,
}


def stimuli(seed: int) -> list[dict[str, int]]:
    """Return inputs of each cycle; reset is on in the first, and in a few later ones."""
    rng = random.Random(seed)
    names = [*INPUTS, "packet"]
    widths = [INPUTS.get(name, 24) for name in names]
    rows = []
    for cycle in range(CYCLES):
        row = {name: rng.getrandbits(bits) for name, bits in zip(names, widths, strict=True)}
        rows.append(row | {"rst": int(cycle == 0 or rng.random() < 0.03)})
    return rows


def by_amaranth(rows: Sequence[Mapping[str, int]]) -> list[list[int]]:
    """Return the outputs of each cycle as Amaranth's simulator has them, as unsigned numbers."""
    part, found = Every(), list[list[int]]()
    m = Module()
    m.domains.sync = sync = ClockDomain()
    m.submodules.part = part
    simulator = Simulator(m)
    simulator.add_clock(1e-6)

    async def bench(context: Any) -> None:
        for row in rows:
            for name, value in row.items():
                if name == "rst":
                    context.set(sync.rst, value)
                else:
                    context.set(Value.cast(getattr(part, name)).as_unsigned(), value)
            await context.delay(1e-9)
            outputs = [Value.cast(getattr(part, name)).as_unsigned() for name in OUTPUTS]
            found.append([context.get(one) for one in outputs])
            await context.tick()

    simulator.add_testbench(bench)
    simulator.run()
    return found


def by_icarus(text: str, rows: Sequence[Mapping[str, int]], folder: Path) -> list[list[int | None]]:
    """Return the same of a Verilog text under Icarus; None: undefined."""
    widths = INPUTS | {"packet": 24, "rst": 1}
    lines = ["module bench;", "  reg clk = 0;"]
    lines += [f"  reg [{width - 1}:0] {name};" for name, width in widths.items()]
    ports = [f".{name}({name})" for name in ("clk", *widths)]
    for name, shape in OUTPUTS.items():
        lines.append(f"  wire [{(shape if isinstance(shape, int) else shape.width) - 1}:0] {name};")
        ports.append(f".{name}({name})")
    lines += [f"  tiny_every dut ({', '.join(ports)});", "  initial begin"]
    names = ", ".join(OUTPUTS)
    form = " ".join(["%h"] * len(OUTPUTS))
    for row in rows:
        lines += [f"    {name} = {widths[name]}'h{value:x};" for name, value in row.items()]
        lines += [f'    #5 $display("{form}", {names});', "    #5 clk = 1; #5 clk = 0;"]
    bench = "\n".join([*lines, "  end", "endmodule", ""])
    (folder / "bench.v").write_text(bench)
    (folder / "dut.v").write_text(text)
    image = str(folder / "bench.vvp")
    files = [str(folder / name) for name in ("bench.v", "dut.v")]
    subprocess.run(["iverilog", "-g2005-sv", "-o", image, *files], check=True)
    said = subprocess.run(["vvp", "-n", image], check=True, capture_output=True, text=True).stdout
    return [
        [None if set(word) & set("xXzZ") else int(word, 16) for word in line.split()]
        for line in said.splitlines()
    ]
