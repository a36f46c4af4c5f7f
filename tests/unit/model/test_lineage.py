"""Lineage as a graph: cycles are found, orders are orders."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from jupyter_datalake.model.lineage import find_cycle, topological_order

nodes = st.sampled_from("abcdefg")
graphs = st.lists(st.tuples(nodes, nodes), max_size=14)


def follows(edges):
    """Every node that can be reached from each, by repeated squaring of the relation."""
    reach = {(a, b) for a, b in edges}
    while True:
        more = {(a, d) for a, b in reach for c, d in reach if b == c} | reach
        if more == reach:
            return reach
        reach = more


@given(graphs)
def test_a_cycle_is_found_exactly_when_there_is_one(edges):
    cycle = find_cycle(edges)
    has_one = any(a == b for a, b in follows(edges))
    assert (cycle is not None) == has_one
    if cycle is not None:
        assert cycle[0] == cycle[-1]
        assert len(cycle) >= 2
        assert all(pair in edges for pair in pairwise(cycle))
        assert len(set(cycle)) == len(cycle) - 1


@given(graphs)
def test_orders_hold_every_node_once_and_every_edge_points_forward(edges):
    if find_cycle(edges) is not None:
        return
    names = {name for edge in edges for name in edge} | {"lonely"}
    order = topological_order(names, edges)
    assert sorted(order) == sorted(names)
    assert all(order.index(a) < order.index(b) for a, b in edges)


@given(graphs)
def test_of_nodes_that_could_come_next_the_first_by_name_does(edges):
    if find_cycle(edges) is not None:
        return
    names = {name for edge in edges for name in edge}
    order = topological_order(names, edges)
    placed = set()
    for name in order:
        ready = {one for one in names - placed if all(a in placed for a, b in edges if b == one)}
        assert name == min(ready)
        placed.add(name)


def test_edges_to_unknown_nodes_are_left_out_of_an_order():
    assert topological_order(["b", "a"], [("b", "a"), ("x", "a"), ("b", "y")]) == ["b", "a"]


def test_long_chains_cost_no_stack():
    chain = [(f"{number:06d}", f"{number + 1:06d}") for number in range(20_000)]
    assert find_cycle(chain) is None
    assert len(find_cycle([*chain, ("020000", "000000")])) == 20_002
    assert len(topological_order({a for a, _ in chain}, chain)) == 20_000
