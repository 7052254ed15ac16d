"""Paths, trees, flows and rankings of graphs with networkx."""

import networkx as nx

roads = nx.Graph()
roads.add_weighted_edges_from(
    [("A", "B", 4), ("A", "C", 2), ("B", "C", 1), ("B", "D", 5), ("C", "D", 8), ("D", "E", 3)],
    weight="km",
)
roads.add_edge("X", "Y", km=1)
print(
    nx.shortest_path(roads, "A", "E", weight="km"), nx.shortest_path_length(roads, "A", "E", "km")
)
print([sorted(part) for part in nx.connected_components(roads)], nx.has_path(roads, "A", "X"))
print(sorted(nx.minimum_spanning_edges(roads, weight="km", data=False)))
print({node: round(value, 3) for node, value in nx.betweenness_centrality(roads).items() if value})

pipes = nx.DiGraph()
for a, b, capacity in [
    ("s", "a", 10),
    ("s", "b", 5),
    ("a", "b", 15),
    ("a", "t", 5),
    ("b", "t", 10),
]:
    pipes.add_edge(a, b, capacity=capacity)
print("flow", nx.maximum_flow_value(pipes, "s", "t"), nx.minimum_cut_value(pipes, "s", "t"))

tasks = nx.DiGraph(
    [
        ("shirt", "tie"),
        ("tie", "jacket"),
        ("trousers", "shoes"),
        ("trousers", "belt"),
        ("belt", "jacket"),
    ]
)
print(list(nx.lexicographical_topological_sort(tasks)), nx.dag_longest_path_length(tasks))
print(sorted(nx.simple_cycles(nx.DiGraph([(1, 2), (2, 3), (3, 1), (3, 2)]))))

clubs = nx.karate_club_graph()
rank = nx.pagerank(clubs)
print(clubs.number_of_nodes(), clubs.number_of_edges(), sorted(rank, key=rank.get)[-2:])
print(
    nx.diameter(clubs), round(nx.average_clustering(clubs), 4), nx.is_bipartite(nx.cycle_graph(6))
)
print(
    len(nx.maximal_matching(nx.complete_graph(7))),
    max(nx.greedy_color(nx.petersen_graph()).values()) + 1,
)
print(
    nx.to_numpy_array(nx.path_graph(3), dtype=int).tolist(),
    nx.is_isomorphic(nx.cycle_graph(5), nx.complement(nx.cycle_graph(5))),
)
