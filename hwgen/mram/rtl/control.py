"""Control: runs the records of each image in order, in the mode that the host requests.

Tests: `tests/verif/mram/test_parts.py`.
"""

from amaranth.hdl import Array, Module, Signal, Value
from amaranth.lib.wiring import In, Out

from hwgen.chip.axi import MEMORY_ADDRESS_BITS
from hwgen.chip.registers import REGISTER_BYTES, Command
from hwgen.chip.rtl.checks import one_hot, within
from hwgen.chip.rtl.coded import Coded
from hwgen.chip.rtl.part import Part
from hwgen.chip.widths import bits_for_index
from hwgen.mram.facts.arch import MOST_MODES, Arch
from hwgen.mram.facts.records import Kind
from hwgen.mram.facts.registers import ERROR_BITS, ErrorCode
from hwgen.mram.rtl.layouts import header, record

WORD_BITS = 8 * REGISTER_BYTES
UNITS = ("image", "conv", "pool", "answer", "add")
"""Units, in the order of `Kind`; the first kind is 1."""


class Control(Part):
    """Loads a program, or runs images one after the other; each record retires before the next.

    Facts of the program (mode table, strides, loaded, resident) outlive a command; reset clears
    them. The other state is that of a running command.

    Cycles of a run, 0: the accepted start
        2     check; 3: image: the mode is taken
        then  of each record: fetch, go, and its unit works from the next cycle on

    Ports
        running        in   1        a command runs
        command        in   32       see Command
        mode           in   32       requested mode, read once an image
        unlock         in   32       bit 0: weight rows may be loaded again
        images         in   32       images of a run
        image_base     in   64       address of the first image
        answer_base    in   64       address of the first answer
        record         in   record   output of the record table
        header         in   header   of the program that is loaded
        accepted       in   1        its header has passed the check
        load_done      in   1        the program is loaded
        load_error     in   ErrorCode  of the loader; 0: none
        done           in   units    bit u: unit u is done with its record
        load           out  1        the loader begins with a program
        go             out  units    bit u: unit u begins with the record
        record_en      out  1        read the record table
        record_index   out  index_bits  the record that is read or runs
        active_mode    out  mode_bits   of the image that runs or ran last
        image_begin    out  1        the mode of an image is taken
        images_done    out  32       images of the last run that are over
        image_address  out  64       of the image that runs
        answer_address out  64
        resident       out  1        a program has left its weights in the arrays
        locked         out  1        they cannot be written
        loads          out  1        LOAD runs, or an image or answer moves
        retire         out  1        a record is over
        finished       out  1        the command is over
        error          out  ErrorCode  in this cycle; 0: none
    Latency  ``DISPATCH_CYCLES`` from the fetch of a record to its unit, ``IMAGE_CYCLES`` an image
    Rate     one record at a time
    Errors   NOT_LOADED, BAD_MODE, BAD_RECORD and those of the loader
    Golden   ``hwgen.mram.model``
    Source   docs/mram-microarchitecture.md, "Control"
    """

    family = "mram"

    def __init__(self, *, arch: Arch) -> None:
        units = len(UNITS)
        self._arch = arch
        super().__init__(
            {
                "running": In(1),
                **{name: In(WORD_BITS) for name in ("command", "mode", "unlock", "images")},
                "image_base": In(MEMORY_ADDRESS_BITS),
                "answer_base": In(MEMORY_ADDRESS_BITS),
                "record": In(record(arch)),
                "header": In(header()),
                "accepted": In(1),
                "load_done": In(1),
                "load_error": In(Coded(ErrorCode.__members__, ERROR_BITS)),
                "done": In(units),
                "load": Out(1),
                "go": Out(units),
                "record_en": Out(1),
                "record_index": Out(bits_for_index(arch.record_entries)),
                "active_mode": Out(bits_for_index(MOST_MODES)),
                "image_begin": Out(1),
                "images_done": Out(WORD_BITS),
                "image_address": Out(MEMORY_ADDRESS_BITS),
                "answer_address": Out(MEMORY_ADDRESS_BITS),
                "resident": Out(1),
                "locked": Out(1),
                "loads": Out(1),
                "retire": Out(1),
                "finished": Out(1),
                "error": Out(Coded(ErrorCode.__members__, ERROR_BITS)),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        loaded, facts = Signal(), Signal(header())
        m.d.comb += self.locked.eq(self.resident & ~self.unlock[0])
        self.guarded(facts)
        self._keep_facts(m, facts, loaded=loaded)
        records = Array(facts[f"first_record_{mode}"] for mode in range(MOST_MODES))
        first_record = Signal.like(facts.first_record_0, name="first_record")
        m.d.comb += first_record.eq(records[self.mode[: len(self.active_mode)]])
        with m.FSM():
            with m.State("CHECK"), m.If(self.running):
                self._check(m, loaded)
            with m.State("LOAD"):
                m.d.comb += [self.loads.eq(1), self.error.eq(self.load_error)]
                m.d.comb += self.finished.eq(self.load_done)
                self._leave(m)
            with m.State("IMAGE"):
                self._image(m, facts, first_record=first_record)
                self._leave(m)
            with m.State("FETCH"):
                m.d.comb += self.record_en.eq(1)
                m.next = "GO"
                self._leave(m)
            with m.State("GO"):
                self._go(m)
                self._leave(m)
            with m.State("RUN"):
                self._run(m, facts)
                self._leave(m)
        one_hot(m, "go", self.go)
        entries = self._arch.record_entries
        within(m, "record_index", self.record_index, entries, when=self.record_en)
        return m

    def _leave(self, m: Module) -> None:
        """Give up when the command is over, for whatever reason."""
        with m.If(~self.running):
            m.next = "CHECK"

    def _keep_facts(self, m: Module, facts: Signal, *, loaded: Signal) -> None:
        """Store the facts of a program whose header has passed; it counts when it is whole."""
        brings_weights = Value.cast(facts.weight_rows) != 0
        with m.If(self.accepted):
            m.d.sync += [facts.eq(self.header), loaded.eq(0)]
            with m.If(self.header.weight_rows != 0):
                m.d.sync += self.resident.eq(0)
        with m.If(self.load_done):
            m.d.sync += loaded.eq(1)
            with m.If(brings_weights):
                m.d.sync += self.resident.eq(1)

    def _check(self, m: Module, loaded: Signal) -> None:
        """Begin with the command."""
        with m.If(self.command == Command.LOAD):
            m.d.comb += [self.load.eq(1), self.loads.eq(1)]
            m.next = "LOAD"
        with m.Elif(loaded):
            m.d.sync += [
                self.images_done.eq(0),
                self.image_address.eq(self.image_base),
                self.answer_address.eq(self.answer_base),
            ]
            m.next = "IMAGE"
        with m.Else():
            m.d.comb += self.error.eq(ErrorCode.NOT_LOADED)

    def _image(self, m: Module, facts: Signal, *, first_record: Signal) -> None:
        """Begin with an image in the requested mode, or end after the last one."""
        with m.If(self.images_done == self.images):
            m.d.comb += self.finished.eq(1)
        with m.Elif(self.mode >= facts.modes):
            m.d.comb += self.error.eq(ErrorCode.BAD_MODE)
        with m.Else():
            m.d.comb += self.image_begin.eq(1)
            m.d.sync += [
                self.active_mode.eq(self.mode),
                self.record_index.eq(first_record),
            ]
            m.next = "FETCH"

    def _go(self, m: Module) -> None:
        """Start the unit of the record."""
        known = Signal()
        m.next = "RUN"
        with m.Switch(self.record.kind):
            for kind in Kind:
                if kind == Kind.ADD and not self._arch.adder:
                    continue
                with m.Case(kind):
                    m.d.comb += [known.eq(1), self.go.eq(1 << (kind - 1))]
        with m.If(~known):
            m.d.comb += self.error.eq(ErrorCode.BAD_RECORD)

    def _run(self, m: Module, facts: Signal) -> None:
        """Retire the record when its unit is done; then the next record or image follows."""
        moves = (self.record.kind == Kind.IMAGE) | (self.record.kind == Kind.ANSWER)
        over = Signal()
        with m.Switch(self.record.kind):
            for kind in Kind:
                with m.Case(kind):
                    m.d.comb += over.eq(self.done[kind - 1])
        m.d.comb += [self.loads.eq(moves), self.retire.eq(over)]
        with m.If(over):
            m.d.sync += self.record_index.eq(self.record_index + 1)
            m.next = "FETCH"
        with m.If(over & self.record.last):
            m.d.sync += [
                self.images_done.eq(self.images_done + 1),
                self.image_address.eq(self.image_address + facts.image_stride),
                self.answer_address.eq(self.answer_address + facts.answer_stride),
            ]
            m.next = "IMAGE"
