"""Let a flat netlist follow the inputs of a simulation, and count how often each net changes.

The netlist computes everything itself, registers and memories included; only its inputs are taken
from waves. Its outputs are compared with those of the waves: they show that netlist and Verilog
compute the same. Gates have no delay here: glitches are not seen, energies are at least these.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from hwgen.physical.flat import Flat, combinational_reads

Bits = NDArray[np.uint8]
Ints = NDArray[np.int64]
njit: Any = numba.njit
MOST = 6
"""Inputs of a gate."""
PLAIN, READ, WRITE = range(3)
"""Kinds of ports of memories: reads without and with a register, writes."""


@dataclass(frozen=True)
class Activity:
    """Changes by net, cycles by net in which an enable of clocks is high, what the netlist shows.

    outputs: value of each output bit in each cycle, in the order of the flat netlist
    """

    changes: Ints
    high: Ints
    cycles: int
    outputs: Bits


def activity_of(flat: Flat, order: list[int], inputs: Bits) -> Activity:
    """Return the activity of a netlist.

    inputs: of each cycle the value of each input bit before its clock edge, in the order of the
        flat netlist; the first cycles should hold the reset
    """
    tables = np.array([gate[0] for gate in flat.gates], dtype=np.uint64)
    pins = np.zeros((len(flat.gates), MOST), dtype=np.int64)
    for number, gate in enumerate(flat.gates):
        pins[number, : len(gate[1])] = gate[1]
    outs = np.array([gate[2] for gate in flat.gates], dtype=np.int64)
    registers = np.array([each[:4] for each in flat.flip_flops], dtype=np.int64).reshape(-1, 4)
    ports = memory_tables(flat)
    sources = np.array([net for bits in flat.inputs.values() for net in bits], dtype=np.int64)
    shown = [0 if net is None else net for bits in flat.outputs.values() for net in bits]
    enables = {each[0] for each in flat.clock_gates}
    changes, high, outputs = _run(
        readers_of(flat, order),
        (np.array(order, dtype=np.int64), (tables, pins, outs), registers),
        ports,
        (sources, inputs),
        np.array(shown, dtype=np.int64),
        np.array(sorted(enables), dtype=np.int64),
    )
    return Activity(changes, high, len(inputs), outputs)


def readers_of(flat: Flat, order: list[int]) -> tuple[Ints, Ints]:
    """Return the gates that read each net, by their place in the order.

    Those of net n are in the second array, from the n-th to the (n + 1)-th number of the first.
    """
    places = {number: place for place, number in enumerate(order)}
    read = [(net, places[number]) for number, gate in enumerate(flat.gates) for net in set(gate[1])]
    read.sort()
    nets = np.array([net for net, _ in read], dtype=np.int64)
    first = np.searchsorted(nets, np.arange(flat.nets + 1)).astype(np.int64)
    return first, np.array([place for _, place in read], dtype=np.int64)


def memory_tables(flat: Flat) -> tuple[Ints, Ints, int, int]:
    """Return the ports of all memories as one table, and their nets in one row.

    A row is kind, first bit of the memory,
    bits of a word, words, and where its address, enable and data begin, with their numbers.
    """
    rows: list[list[int]] = []
    nets: list[int] = []
    bases, base = [], 0
    for memory in flat.memories:
        bases.append(base)
        base += memory.words * memory.bits

    def add(kind: int, number: int, *parts: object) -> None:
        memory = flat.memories[number]
        row = [kind, bases[number], memory.bits, memory.words]
        for part in parts:
            assert isinstance(part, list | tuple)
            row += [len(nets), len(part)]
            nets.extend(part)
        rows.append(row)

    for number, address, data in combinational_reads(flat.memories):
        add(PLAIN, number, address, [], data)
    first_clocked = len(rows)
    for number, memory in enumerate(flat.memories):
        for registered, address, enable, data in memory.reads:
            if registered:
                add(READ, number, address, enable, data)
        for address, enables, data in memory.writes:
            add(WRITE, number, address, enables, data)
    return (
        np.array(rows, dtype=np.int64).reshape(-1, 10),
        np.array(nets, dtype=np.int64),
        base,
        first_clocked,
    )


@njit(cache=False)
def _word(values: Any, nets: Any, first: Any, count: Any) -> Any:
    """Return the number that some nets hold."""
    word: Any = 0
    for bit in range(count):
        word |= np.int64(values[nets[first + bit]]) << bit
    return word


@njit(cache=False)
def _set(state: Any, net: Any, value: Any) -> None:
    """Give a net a value, count a change, and wake the gates that read it."""
    values, changes, first, readers, awake = state
    if values[net] != value:
        values[net] = value
        changes[net] += 1
        for place in range(first[net], first[net + 1]):
            awake[readers[place]] = 1


@njit(cache=False)
def _settle(order: Any, gates: Any, ports: Any, held: Any, state: Any) -> None:
    """Compute the gates that are awake and reads without a register, each behind its drivers."""
    tables, pins, outs = gates
    rows, places = ports
    values, awake = state[0], state[4]
    for place in range(len(order)):
        if not awake[place]:
            continue
        number = order[place]
        if number < len(tables):
            awake[place] = 0
            index: Any = 0
            for pin in range(MOST):
                index |= np.int64(values[pins[number, pin]]) << pin
            value = (tables[number] >> np.uint64(index)) & np.uint64(1)
            _set(state, outs[number], np.uint8(value))
        else:
            row = rows[number - len(tables)]
            first = row[1] + _word(values, places, row[4], row[5]) % row[3] * row[2]
            for bit in range(row[9]):
                _set(state, places[row[8] + bit], held[first + bit])


@njit(cache=False)
def _read(rows: Any, places: Any, held: Any, values: Any, read: Any) -> None:
    """Note what reads with a register will show behind the clock edge."""
    for row in rows:
        enabled = row[7] == 0 or values[places[row[6]]]
        first = row[1] + _word(values, places, row[4], row[5]) % row[3] * row[2]
        for bit in range(row[9] if row[0] == READ else 0):
            shown = values[places[row[8] + bit]]
            read[row[8] + bit] = held[first + bit] if enabled else shown


@njit(cache=False)
def _write(rows: Any, places: Any, held: Any, values: Any) -> None:
    """Store what the write ports hold."""
    for row in rows:
        first = row[1] + _word(values, places, row[4], row[5]) % row[3] * row[2]
        for bit in range(row[9] if row[0] == WRITE else 0):
            if values[places[row[6] + bit]]:
                held[first + bit] = values[places[row[8] + bit]]


@njit(cache=False)
def _edge(registers: Any, ports: Any, held: Any, read: Any, state: Any) -> None:
    """Make a clock edge: everything is read before anything is stored."""
    rows, places = ports
    values = state[0]
    data = np.zeros(len(registers), dtype=np.uint8)
    for number in range(len(registers)):
        source, stored, _, enable = registers[number]
        data[number] = values[source] if values[enable] else values[stored]
    _read(rows, places, held, values, read)
    _write(rows, places, held, values)
    for number in range(len(registers)):
        _, stored, inverse, _ = registers[number]
        _set(state, stored, data[number])
        if inverse:
            _set(state, inverse, np.uint8(1 - data[number]))
    for row in rows:
        for bit in range(row[9] if row[0] == READ else 0):
            _set(state, places[row[8] + bit], read[row[8] + bit])


@njit(cache=False)
def _run(wakes: Any, netlist: Any, ports: Any, given: Any, shown: Any, enables: Any) -> Any:  # noqa: PLR0917
    """Walk over all cycles; return changes and high cycles by net, and outputs of each cycle."""
    order, gates, registers = netlist
    rows, places, size, clocked = ports
    sources, inputs = given
    first, readers = wakes
    nets = len(first) - 1
    values = np.zeros(nets, dtype=np.uint8)
    values[1] = 1
    changes, high = np.zeros(nets, dtype=np.int64), np.zeros(nets, dtype=np.int64)
    held, read = np.zeros(size, dtype=np.uint8), np.zeros(len(places), dtype=np.uint8)
    outputs = np.zeros((len(inputs), len(shown)), dtype=np.uint8)
    state = (values, changes, first, readers, np.ones(len(order), dtype=np.uint8))
    for cycle in range(len(inputs)):
        for bit in range(len(sources)):
            _set(state, sources[bit], inputs[cycle, bit])
        _settle(order, gates, (rows, places), held, state)
        for bit in range(len(shown)):
            outputs[cycle, bit] = values[shown[bit]]
        for net in enables:
            high[net] += values[net]
        _edge(registers, (rows[clocked:], places), held, read, state)
    return changes, high, outputs
