"""Genes keep the rules, whatever happens to them, and mean the designs that they say."""

import numpy as np
import pytest
from hwgen_studies.pimsyn_paper.published_search.genes import (
    Evolution,
    Gene,
    Macros,
    Scored,
    Space,
    design_of,
    first_gene,
    macro_sizes,
    make_space,
    mutate_num,
    mutate_share,
    obeys,
    partners,
    products,
    select,
    split,
)
from numpy.random import PCG64, Generator

from hwgen.crossbar.facts.rules import STRICT
from hwgen.crossbar.model.design import lay_out
from hwgen.crossbar.model.evaluate import evaluate, within_limits
from hwgen.crossbar.model.tables import ADC
from studies.tests.pimsyn_paper.published_search.cases import (
    ALEXNET,
    ALEXNET_COPIES,
    SMALL,
    tables_of,
)

MACROS: tuple[Macros, ...] = ("specialized", "identical")
TABLES = tables_of(ALEXNET, power_w=49.0)
REFERENCE: Gene = (1014, 2014, 3014, 4007, 5009, 6006, 7004, 8001)
WEIGHTED = [0, 2, 4, 5, 6, 9, 10, 11]
"""Places of AlexNet's layers with weights."""


def space(macros: Macros = "specialized") -> Space:
    return make_space(TABLES, np.array(ALEXNET_COPIES), macros)


def generator(seed: int = 1) -> Generator:
    return Generator(PCG64(seed))


def test_products_of_divisors() -> None:
    assert products(4, 3) == (1, 2, 3, 4, 6, 12)
    assert products(1, 1) == (1,)
    assert max(products(36, 720)) == 4 * 240  # 36 * 720 and many others are too large


@pytest.mark.parametrize(
    ("least", "sizes"), [(1, (32, 512)), (33, (64, 512)), (512, (512, 512)), (600, (608, 608))]
)
def test_sizes_of_identical_macros(least: int, sizes: tuple[int, int]) -> None:
    found = macro_sizes(least)
    assert (found[0], found[-1]) == sizes
    assert all(size % 32 == 0 for size in found)


def test_limits_are_copies_times_row_tiles() -> None:
    # 11 * 11 * 3 = 363 rows are 2 tiles of 256, 5 * 5 * 64 are 7, and so on; FC1 has 9216 rows.
    assert space().limits == (105 * 2, 26 * 7, 7 * 7, 6 * 14, 7 * 9, 36, 16, 16)
    for choices, most in zip(space().choices, space().limits, strict=True):
        assert choices[0] == 1
        assert choices[-1] == most


def test_identical_macros_hold_as_many_crossbars() -> None:
    found = space("identical")
    # FC1 has 16 column tiles of 8 slices: 128 crossbars for a row tile, so sizes are 128 to 512.
    assert len(found.firsts) == len(found.others) == (512 - 128) // 32 + 1
    # 105 copies of 2 row tiles of 8 crossbars, 16 row tiles a macro, or 1680 / 128 macros.
    assert found.firsts[0][0] == -(-210 // 16)
    assert found.others[0][0] == -(-1680 // 128)


def test_a_gene_is_the_design_of_the_reference() -> None:
    design = design_of(TABLES, space(), REFERENCE)
    assert design.macros[WEIGHTED].tolist() == [14, 14, 14, 7, 9, 6, 4, 1]
    assert design.copies[WEIGHTED].tolist() == [*ALEXNET_COPIES, 1, 1, 1]
    assert (design.partner == -1).all()
    assert (design.clocks == 1).all()
    cost = evaluate(TABLES, design, True)
    assert cost.efficiency == pytest.approx(664.792664, abs=1e-6)


def test_a_pair_lives_in_the_macros_of_both() -> None:
    gene = (1014, 2014, 3014, 4007, 2009, 6006, 7004, 8001)
    assert obeys(space(), gene)
    design = design_of(TABLES, space(), gene)
    assert design.partner[2] == 6
    assert design.partner[6] == 2
    assert design.macros[2] == 14 + 9
    assert design.macros[6] == 0
    layout = lay_out(TABLES, design)
    assert layout.shared_macros[2] == layout.shared_macros[6] == 23
    assert layout.total_macros == 14 + 14 + 14 + 7 + 9 + 6 + 4 + 1


@pytest.mark.parametrize(
    "gene",
    [
        (1211, 2014, 3014, 4007, 5009, 6006, 7004, 8001),  # 211 of 210 macros
        (1000, 2014, 3014, 4007, 5009, 6006, 7004, 8001),  # no macro
        (1014, 2014, 3014, 4007, 5009, 6006, 7004, 7013),  # together 17 of 16
        (1014, 2014, 3014, 2007, 2009, 6006, 7004, 8001),  # three share
        (3014, 2014, 3014, 4007, 5009, 6006, 7004, 8001),  # the later one owns
    ],
)
def test_a_gene_that_breaks_a_rule_is_seen(gene: Gene) -> None:
    assert obeys(space(), REFERENCE)
    assert not obeys(space(), gene)


@pytest.mark.parametrize("macros", MACROS)
@pytest.mark.parametrize("copies", [ALEXNET_COPIES, (1, 1, 1, 1, 1), (64, 16, 4, 4, 4)])
def test_every_gene_keeps_the_rules(macros: Macros, copies: tuple[int, ...]) -> None:
    genes = make_space(TABLES, np.array(copies), macros)
    rng = generator()
    shared = 0
    for _ in range(20):
        gene = first_gene(genes, rng)
        for _ in range(60):
            assert obeys(genes, gene)
            assert within(genes, gene)
            gene = (mutate_share if rng.random() < 0.5 else mutate_num)(genes, gene, rng)
            shared += max(partners(split(gene)[0])) >= 0
    assert shared > 100


def within(genes: Space, gene: Gene) -> bool:
    """Whether the evaluator agrees that the macros are not too many."""
    design = design_of(TABLES, genes, gene)
    return within_limits(TABLES, design, lay_out(TABLES, design))


def test_mutation_of_numbers_changes_one_layer() -> None:
    rng = generator()
    child = mutate_num(space(), REFERENCE, rng)
    assert sum(one != other for one, other in zip(child, REFERENCE, strict=True)) == 1


def test_mutation_of_sharing_pairs_and_parts() -> None:
    rng = generator()
    paired = mutate_share(space(), REFERENCE, rng)
    owners, macros = split(paired)
    assert sorted(partners(owners))[-3:-2] == [-1]  # one pair and no more
    assert all(1 <= each <= old % 1000 for each, old in zip(macros, REFERENCE, strict=True))
    while paired != REFERENCE and max(partners(split(paired)[0])) >= 0:
        paired = mutate_share(space(), paired, rng)
    assert partners(split(paired)[0]) == [-1] * 8


def test_strict_rules_give_dense_layers_no_more_adcs_than_convolutions() -> None:
    tables = tables_of(ALEXNET, power_w=49.0, rules=STRICT)
    genes = make_space(tables, np.array(ALEXNET_COPIES), "specialized")
    design = design_of(tables, genes, REFERENCE)
    work = tables.work[:, ADC] * design.copies / design.clocks
    most = work[[0, 2, 4, 5, 6]].max()
    assert (work[[9, 10, 11]] <= most).all()
    slower = work * design.clocks / np.maximum(design.clocks - 1, 1)
    assert (slower[[9, 10]] > most).all()  # with one clock less they would have more
    assert (design.clocks[:9] == 1).all()


def judged(evolution: Evolution, genes: Space) -> list[Gene]:
    """Return all genes that an evolution judges; fewer macros are fitter."""
    seen: list[Gene] = []

    def fitness(gene: Gene) -> float:
        seen.append(gene)
        return 1.0 / sum(split(gene)[1])

    evolution.run(genes, fitness, generator())
    return seen


@pytest.mark.parametrize("evaluations", [1, 39, 40, 41, 333])
def test_an_evolution_judges_as_many_genes_as_it_may(evaluations: int) -> None:
    for variant in ("text", "code"):
        evolution = Evolution(variant=variant, sharing=True, evaluations=evaluations)
        seen = judged(evolution, space())
        assert len(seen) == evaluations
        assert all(obeys(space(), gene) for gene in seen)


def test_children_of_the_text_become_better_and_share() -> None:
    seen = judged(Evolution(variant="text", sharing=True, evaluations=1000), space())
    size = [sum(split(gene)[1]) for gene in seen]
    assert min(size[-40:]) < min(size[:40])
    assert any(max(partners(split(gene)[0])) >= 0 for gene in seen[40:])
    assert all(max(partners(split(gene)[0])) < 0 for gene in seen[:40])


def test_nothing_shares_when_sharing_is_off() -> None:
    seen = judged(Evolution(variant="text", sharing=False, evaluations=400), space())
    assert all(max(partners(split(gene)[0])) < 0 for gene in seen)


def test_the_code_never_judges_a_child() -> None:
    seen = judged(Evolution(variant="code", sharing=True, evaluations=40), space())
    rng = generator()
    assert seen == [first_gene(space(), rng) for _ in range(40)]


def test_selection_keeps_the_elite_and_some_of_the_rest() -> None:
    pool: list[Scored] = [(float(value), (value,)) for value in range(80)]
    chosen = [value for value, _ in select(pool, generator())]
    assert chosen[:28] == [float(value) for value in range(79, 51, -1)]
    assert len(chosen) == len(set(chosen)) == 40
    assert max(chosen[28:]) < 52


def test_a_layer_that_cannot_change_stays() -> None:
    tables = tables_of(SMALL, power_w=1.0)
    genes = make_space(tables, np.array([1, 1, 1]), "specialized")
    assert genes.limits[:1] == (1,)
    rng = generator()
    gene = first_gene(genes, rng)
    for _ in range(50):
        gene = mutate_share(genes, mutate_num(genes, gene, rng), rng)
        assert obeys(genes, gene)
