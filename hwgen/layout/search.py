"""The way of one net through a lattice: A* in compiled code.

A node is a track of a metal crossed by a track of the next one: (layer * rows + row) * columns +
column. A net costs by its length, its cuts, and by the conflicts of space that it makes with the
nets that are there; a conflict that comes back again and again costs more and more.

Tests: `tests/layout/test_layout.py`.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hwgen.chip.compiled import compiled

Ints = NDArray[np.int32]
Shorts = NDArray[np.int16]
Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

ACROSS = 1.35
"""Cost of a step between columns: so much wider they are than rows."""
CUT = 2.5
"""Cost of a cut."""
TRACK_NM = 340.0
"""Way of a pad to its track that costs one step."""
DOWN, ALONG, DENSE = range(3)
"""How wires of a layer lie: in columns, in rows, in rows of the layer of pins."""
FOUND, NO_ROOM, NO_WAY = 0, -1, -2


class Grid(NamedTuple):
    """What does not change.

    ways: of each layer; costs: of a step on it; blocked: nodes; no_cut: places of cuts by the
        layer below
    access: of each access its node, first and last node that its pad covers, first and last place
        where its pad is as a cut, its pad, and nm to its track
    starts: first access of each terminal; clash_starts, clashes: pads that exclude a pad
    """

    columns: int
    rows: int
    layers: int
    ways: Ints
    costs: Floats
    blocked: Bytes
    no_cut: Bytes
    access: Ints
    starts: Ints
    clash_starts: Ints
    clashes: Ints


class Taken(NamedTuple):
    """What nets take: nodes by wires and by pads, cuts, cuts by pads, pads; and what was fought."""

    wires: Shorts
    pads: Shorts
    cuts: Shorts
    pad_cuts: Shorts
    used: Shorts
    history: Floats
    cut_history: Floats


class Scratch(NamedTuple):
    """Room of a search: cost and origin by node, marks, and a heap."""

    cost: Floats
    origin: Ints
    seen: Ints
    tree: Ints
    tree_access: Ints
    stamps: Ints
    keys: Floats
    heap: Ints


@compiled
def wire_conflicts(node: Any, grid: Any, taken: Any) -> Any:
    """Count the wires that are too near to a node."""
    size = grid.columns * grid.rows
    layer = node // size
    row = (node - layer * size) // grid.columns
    column = node - layer * size - row * grid.columns
    count = taken.wires[node]
    way = grid.ways[layer]
    if way == DENSE:
        count += taken.pads[node]
    elif way == ALONG:
        if column > 0:
            count += taken.wires[node - 1]
        if column < grid.columns - 1:
            count += taken.wires[node + 1]
    else:
        if row > 0:
            count += taken.wires[node - grid.columns]
        if row < grid.rows - 1:
            count += taken.wires[node + grid.columns]
    return count


@compiled
def cut_conflicts(place: Any, grid: Any, taken: Any) -> Any:
    """Count the cuts of the lowest kind above and below a place."""
    count = 0
    if place >= grid.columns:
        count += taken.cuts[place - grid.columns] + taken.pad_cuts[place - grid.columns]
    if place < grid.columns * (grid.rows - 1):
        count += taken.cuts[place + grid.columns] + taken.pad_cuts[place + grid.columns]
    return count


@compiled
def access_conflicts(number: Any, grid: Any, taken: Any) -> Any:
    """Count what is too near to the pad of an access."""
    count, each = 0, grid.access[number]
    for node in range(each[1], each[2] + 1):
        count += taken.wires[node]
    for place in range(each[3], each[4] + 1):
        if place >= grid.columns:
            count += taken.cuts[place - grid.columns]
        if place + grid.columns < grid.columns * grid.rows:
            count += taken.cuts[place + grid.columns]
    pad = each[5]
    if pad >= 0:
        for clash in range(grid.clash_starts[pad], grid.clash_starts[pad + 1]):
            count += taken.used[grid.clashes[clash]]
    return count


@compiled
def push(keys: Any, heap: Any, size: Any, key: Any, value: Any) -> Any:
    """Put a value into a heap; return its size."""
    place = size
    while place > 0:
        above = (place - 1) >> 1
        if keys[above] <= key:
            break
        keys[place], heap[place] = keys[above], heap[above]
        place = above
    keys[place], heap[place] = key, value
    return size + 1


@compiled
def pop(keys: Any, heap: Any, size: Any) -> Any:
    """Take the first of a heap away; return its size."""
    size -= 1
    key, value, place = keys[size], heap[size], 0
    while True:
        below = 2 * place + 1
        if below >= size:
            break
        if below + 1 < size and keys[below + 1] < keys[below]:
            below += 1
        if keys[below] >= key:
            break
        keys[place], heap[place] = keys[below], heap[below]
        place = below
    keys[place], heap[place] = key, value
    return size


@compiled
def take(nodes: Any, cuts: Any, accesses: Any, sign: Any, grid: Any, taken: Any) -> None:
    """Let a net take its place (1), or give it back (-1)."""
    for node in nodes:
        taken.wires[node] += sign
    for cut in cuts:
        taken.cuts[cut] += sign
    for number in accesses:
        each = grid.access[number]
        for node in range(each[1], each[2] + 1):
            taken.pads[node] += sign
        for place in range(each[3], each[4] + 1):
            taken.pad_cuts[place] += sign
        if each[5] >= 0:
            taken.used[each[5]] += sign


@compiled
def conflicts(nodes: Any, cuts: Any, accesses: Any, bump: Any, grid: Any, taken: Any) -> Any:
    """Return the places of the conflicts of a net that is not there; bump: to their history."""
    found = np.empty(len(nodes) + len(cuts) + len(accesses), np.int32)
    count, size = 0, grid.columns * grid.rows
    for node in nodes:
        if wire_conflicts(node, grid, taken) > 0:
            taken.history[node] += bump
            found[count] = node % size
            count += 1
    for cut in cuts:
        if grid.ways[0] == DENSE and cut_conflicts(cut, grid, taken) > 0:
            taken.cut_history[cut] += bump
            found[count] = cut
            count += 1
    for number in accesses:
        if access_conflicts(number, grid, taken) > 0:
            node = grid.access[number, 0]
            taken.history[node] += bump
            found[count] = node % size
            count += 1
    return found[:count]


@compiled
def step_cost(node: Any, layer: Any, price: Any, grid: Any, taken: Any) -> Any:
    """Return what it costs to be on a node; price: of a conflict."""
    clash = 1 + price * wire_conflicts(node, grid, taken)
    return grid.costs[layer] * (1 + taken.history[node]) * clash


@compiled
def access_cost(number: Any, price: Any, grid: Any, taken: Any) -> Any:
    """Return what an access costs beside its node."""
    clash = 4 * price * access_conflicts(number, grid, taken)
    return grid.access[number, 6] / TRACK_NM + clash


@compiled
def window(terminals: Any, margin: Any, grid: Any) -> Any:
    """Return first and last column and row around the accesses of a net."""
    size = grid.columns * grid.rows
    left, right, low, high = grid.columns, -1, grid.rows, -1
    for terminal in terminals:
        for number in range(grid.starts[terminal], grid.starts[terminal + 1]):
            row, column = divmod(grid.access[number, 0] % size, grid.columns)
            left, right = min(left, column), max(right, column)
            low, high = min(low, row), max(high, row)
    return (
        max(0, left - margin),
        min(grid.columns - 1, right + margin),
        max(0, low - margin),
        min(grid.rows - 1, high + margin),
    )


@compiled
def ahead(column: Any, row: Any, box: Any) -> Any:
    """Return the least cost from a place to a box."""
    across = max(0, box[0] - column, column - box[1])
    return across * ACROSS + max(0, box[2] - row, row - box[3])


@compiled
def widened(box: Any, column: Any, row: Any) -> Any:
    """Return a box that holds a place, too."""
    return min(box[0], column), max(box[1], column), min(box[2], row), max(box[3], row)


@compiled
def neighbour(node: Any, direction: Any, around: Any, grid: Any) -> Any:
    """Return a node beside another one, its layer, column, row, cost of the step and the cut.

    direction: back and forth on the layer, then down and up; -1 where there is none
    """
    size = grid.columns * grid.rows
    layer = node // size
    place = node - layer * size
    row = place // grid.columns
    column = place - row * grid.columns
    step, cut = 1.0, -1
    if direction < 2:
        if grid.ways[layer] != DOWN:
            column += 2 * direction - 1
            step = ACROSS
        else:
            row += 2 * direction - 1
        if column < around[0] or column > around[1] or row < around[2] or row > around[3]:
            return -1, 0, 0, 0, step, cut
    else:
        cut = layer - 1 if direction == 2 else layer
        if cut < 0 or cut >= grid.layers - 1 or grid.no_cut[cut * size + place]:
            return -1, 0, 0, 0, step, cut
        layer += 2 * direction - 5
    beside = (layer * grid.rows + row) * grid.columns + column
    if grid.blocked[beside]:
        return -1, 0, 0, 0, step, cut
    return beside, layer, column, row, step, cut


@compiled
def start(terminal: Any, box: Any, price: Any, grid: Any, taken: Any, room: Any) -> Any:
    """Put the accesses of a terminal into the heap; return its size."""
    room.stamps[0] += 1
    size, area = 0, grid.columns * grid.rows
    for number in range(grid.starts[terminal], grid.starts[terminal + 1]):
        node = grid.access[number, 0]
        if grid.blocked[node]:
            continue
        cost = step_cost(node, node // area, price, grid, taken)
        cost += access_cost(number, price, grid, taken)
        if room.seen[node] != room.stamps[0] or cost < room.cost[node]:
            room.seen[node], room.cost[node] = room.stamps[0], cost
            room.origin[node] = -(2 + number)
            row, column = divmod(node % area, grid.columns)
            key = np.float32(cost + ahead(column, row, box))
            size = push(room.keys, room.heap, size, key, node)
    return size


@compiled
def reach(
    size: Any, first: Any, around: Any, box: Any, price: Any, grid: Any, taken: Any, room: Any
) -> Any:
    """Search until the tree of a net is reached; return whether it was.

    size: of the heap; first: the tree is the accesses of one terminal, whose costs count
    """
    area = grid.columns * grid.rows
    goal, now = grid.layers * area, room.stamps[0]
    while size > 0:
        node, key = room.heap[0], room.keys[0]
        size = pop(room.keys, room.heap, size)
        if node == goal:
            return FOUND
        row, column = divmod(node % area, grid.columns)
        if key > room.cost[node] + ahead(column, row, box) + 1e-2:
            continue
        if room.tree[node] == room.stamps[1]:
            cost = room.cost[node]
            if first:
                cost += access_cost(room.tree_access[node], price, grid, taken)
            if room.seen[goal] != now or cost < room.cost[goal]:
                room.seen[goal], room.cost[goal], room.origin[goal] = now, cost, node
                size = push(room.keys, room.heap, size, np.float32(cost), goal)
            if not first:
                continue
        for direction in range(4):
            beside, layer, to_column, to_row, step, cut = neighbour(node, direction, around, grid)
            if beside < 0:
                continue
            cost = step * step_cost(beside, layer, price, grid, taken)
            if cut >= 0:
                cost += CUT
                if cut == 0 and grid.ways[0] == DENSE:
                    place = node % area
                    cost += CUT * taken.cut_history[place]
                    cost += 4 * price * cut_conflicts(place, grid, taken)
            cost += room.cost[node]
            if room.seen[beside] != now or cost < room.cost[beside] - 1e-4:
                room.seen[beside], room.cost[beside], room.origin[beside] = now, cost, node
                key = np.float32(cost + ahead(to_column, to_row, box))
                size = push(room.keys, room.heap, size, key, beside)
                if size > len(room.keys) - 8:
                    return NO_ROOM
    return NO_WAY


@compiled
def route(
    terminals: Any, margin: Any, price: Any, lone: Any, grid: Any, taken: Any, room: Any
) -> Any:
    """Return (status, nodes, edges, access of each terminal) of a net.

    margin: around its accesses, that it may use; price: of a conflict
    lone: from this layer on a node that cuts alone meet gets a neighbour, for the least area
    """
    area, count = grid.columns * grid.rows, len(terminals)
    around = window(terminals, margin, grid)
    places = np.empty((count, 2), np.int32)
    for number in range(count):
        row, column = divmod(grid.access[grid.starts[terminals[number]], 0] % area, grid.columns)
        places[number, 0], places[number, 1] = column, row
    chosen, done = np.full(count, -1, np.int32), np.zeros(count, np.bool_)
    done[0] = True
    far = np.abs(places[:, 0] - places[0, 0]) + np.abs(places[:, 1] - places[0, 1])
    nodes, nodes_count = np.empty(256, np.int32), 0
    edges, edges_count = np.empty((256, 2), np.int32), 0
    room.stamps[1] += 1
    box = (grid.columns, -1, grid.rows, -1)
    for number in range(grid.starts[terminals[0]], grid.starts[terminals[0] + 1]):
        node = grid.access[number, 0]
        room.tree[node], room.tree_access[node] = room.stamps[1], number
        row, column = divmod(node % area, grid.columns)
        box = widened(box, column, row)
    first = True
    for _ in range(count - 1):
        best = -1
        for number in range(count):
            if not done[number] and (best < 0 or far[number] < far[best]):
                best = number
        done[best] = True
        size = start(terminals[best], box, price, grid, taken, room)
        status = reach(size, first, around, box, price, grid, taken, room)
        if status != FOUND:
            return status, nodes[:0], edges[:0], chosen
        node = room.origin[grid.layers * area]
        if first:
            chosen[0] = room.tree_access[node]
            room.stamps[1] += 1
            first, box = False, (grid.columns, -1, grid.rows, -1)
        while True:
            if room.tree[node] != room.stamps[1]:
                room.tree[node] = room.stamps[1]
                if nodes_count == len(nodes):
                    nodes = np.append(nodes, np.empty(nodes_count, np.int32))
                nodes[nodes_count] = node
                nodes_count += 1
                row, column = divmod(node % area, grid.columns)
                box = widened(box, column, row)
                for number in range(count):
                    way = abs(places[number, 0] - column) + abs(places[number, 1] - row)
                    far[number] = min(far[number], way)
            before = room.origin[node]
            if before < 0:
                chosen[best] = -before - 2
                break
            if edges_count == len(edges):
                edges = np.append(edges, np.empty((edges_count, 2), np.int32), axis=0)
            edges[edges_count, 0], edges[edges_count, 1] = node, before
            edges_count += 1
            node = before
    nodes, edges = nodes[:nodes_count].copy(), edges[:edges_count].copy()
    more = lone_neighbours(nodes, edges, lone, grid, taken)
    return FOUND, np.append(nodes, more[:, 1]), np.append(edges, more, axis=0), chosen


@compiled
def lone_neighbours(nodes: Any, edges: Any, lone: Any, grid: Any, taken: Any) -> Any:
    """Return an edge to a neighbour for each node of high layers that cuts alone meet."""
    area = grid.columns * grid.rows
    found, count = np.empty((len(nodes), 2), np.int32), 0
    for node in nodes:
        layer = node // area
        if layer < lone:
            continue
        met = False
        for edge in edges:
            if (edge[0] == node or edge[1] == node) and edge[0] // area == edge[1] // area:
                met = True
        if met:
            continue
        best, least = -1, np.float32(1e9)
        whole = (0, grid.columns - 1, 0, grid.rows - 1)
        for direction in range(2):
            beside = neighbour(node, direction, whole, grid)[0]
            if beside >= 0:
                cost = wire_conflicts(beside, grid, taken) + taken.history[beside]
                if best < 0 or cost < least:
                    best, least = beside, cost
        if best >= 0:
            found[count, 0], found[count, 1] = node, best
            count += 1
    return found[:count].copy()
