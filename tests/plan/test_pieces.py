"""Pieces: which units go to the chip together, and in which order steps stand."""

import pytest

from hwgen.plan.pieces import PieceRefusedError, Search, in_steps
from hwgen.plan.units import UnitGraph, Units
from tests.plan.test_units import graph_of, unit


def searched(
    graph: UnitGraph, refuse: dict[int, set[int]] | None = None, *, together: bool = True
) -> tuple[list[Units], dict[int, str]]:
    """Return the pieces, and what stays; refuse: by a unit whom a refusal of it names."""

    def attempt(units: Units) -> None:
        for wrong, named in (refuse or {}).items():
            if wrong in units:
                raise PieceRefusedError(f"unit {wrong}", named)

    search = Search(graph=graph, attempt=attempt, together=lambda _: together, host={})
    return search.pieces(), search.host


CHAIN = graph_of(*(unit(a, b, 1) for a, b in zip("xabcd", "abcde", strict=True)))


def test_a_chain_is_one_piece() -> None:
    assert searched(CHAIN) == ([(0, 1, 2, 3, 4)], {})


def test_whom_a_refusal_names_goes_to_the_host() -> None:
    pieces, host = searched(CHAIN, {2: {2}})
    assert pieces == [(0, 1), (3, 4)]
    assert host == {2: "unit 2"}


def test_where_nobody_is_named_a_piece_is_halved() -> None:
    pieces, host = searched(CHAIN, {3: set()})
    assert set(host) == {3}
    assert sorted(unit for piece in pieces for unit in piece) == [0, 1, 2, 4]


def test_a_product_of_two_borders_joins_a_piece() -> None:
    # A border of the host, b, is multiplied with what comes of a.
    graph = graph_of(unit("x", "ab"), unit("a", "c", 1), unit("cb", "d", 1))
    refused = {0: {0}}
    assert searched(graph, refused)[0] == [(1, 2)]
    pieces, host = searched(graph, refused, together=False)
    assert pieces == [(1,)]
    assert host[2] == "reads several borders"


def test_a_piece_without_products_stays_on_the_host() -> None:
    graph = graph_of(unit("x", "a"), unit("a", "b"))
    assert searched(graph)[0] == []


def test_the_host_computes_all_that_is_ready_at_once() -> None:
    graph = graph_of(
        unit("x", "a"), unit("x", "b"), unit("a", "c", 1), unit("b", "d"), unit("cd", "e")
    )
    assert in_steps(graph, [(2,)]) == [(False, (0, 1, 3)), (True, (2,)), (False, (4,))]


def test_pieces_that_wait_for_each_other_are_a_fault() -> None:
    graph = graph_of(unit("x", "a"), unit("a", "b"), unit("b", "c"))
    with pytest.raises(RuntimeError):
        in_steps(graph, [(0, 2)])
