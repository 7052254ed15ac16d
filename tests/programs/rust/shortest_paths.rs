use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};

use petgraph::algo::{dijkstra, min_spanning_tree, tarjan_scc, toposort};
use petgraph::data::FromElements;
use petgraph::graph::{DiGraph, NodeIndex, UnGraph};
use rustc_hash::FxHashMap;

const MAZE: &str = "\
S.#.....
.##.###.
....#...
.##.#.#.
...#..#E";

/// Cheapest way through a maze in which a step to the left costs 3 and any other 1.
fn through(maze: &str) -> Option<(u32, String)> {
    let grid: Vec<&[u8]> = maze.lines().map(str::as_bytes).collect();
    let find = |wanted| {
        grid.iter().enumerate().find_map(|(y, row)| row.iter().position(|&c| c == wanted).map(|x| (y, x)))
    };
    let (start, end) = (find(b'S')?, find(b'E')?);
    let mut costs: FxHashMap<(usize, usize), u32> = FxHashMap::from_iter([(start, 0)]);
    let mut from: HashMap<(usize, usize), ((usize, usize), char)> = HashMap::new();
    let mut open = BinaryHeap::from([Reverse((0, start))]);
    while let Some(Reverse((cost, at))) = open.pop() {
        if at == end {
            let (mut steps, mut at) = (Vec::new(), end);
            while let Some(&(before, step)) = from.get(&at) {
                steps.push(step);
                at = before;
            }
            return Some((cost, steps.iter().rev().collect()));
        }
        for (dy, dx, step, price) in [(0, 1, '>', 1), (0, -1, '<', 3), (1, 0, 'v', 1), (-1, 0, '^', 1)] {
            let Some((y, x)) = at.0.checked_add_signed(dy).zip(at.1.checked_add_signed(dx)) else { continue };
            match grid.get(y).and_then(|row| row.get(x)) {
                None | Some(b'#') => continue,
                Some(_) => {}
            }
            if cost + price < *costs.get(&(y, x)).unwrap_or(&u32::MAX) {
                costs.insert((y, x), cost + price);
                from.insert((y, x), (at, step));
                open.push(Reverse((cost + price, (y, x))));
            }
        }
    }
    None
}

fn main() {
    println!("{:?}", through(MAZE));
    println!("{:?}", through("S#E"));

    let roads = UnGraph::<(), u32>::from_edges([(0, 1, 7), (0, 3, 5), (1, 2, 8), (1, 3, 9), (2, 4, 5), (3, 4, 15), (1, 4, 7)]);
    let mut distances: Vec<_> = dijkstra(&roads, NodeIndex::new(0), None, |road| *road.weight()).into_iter().collect();
    distances.sort();
    println!("{:?}", distances.iter().map(|(node, distance)| (node.index(), *distance)).collect::<Vec<_>>());
    let tree = UnGraph::<(), u32>::from_elements(min_spanning_tree(&roads));
    println!("spanning tree of weight {}", tree.edge_weights().sum::<u32>());

    let mut order = DiGraph::<&str, ()>::new();
    let [shirt, tie, jacket, trousers, shoes] = ["shirt", "tie", "jacket", "trousers", "shoes"].map(|name| order.add_node(name));
    order.extend_with_edges([(shirt, tie), (tie, jacket), (trousers, shoes), (trousers, jacket)]);
    let sorted = toposort(&order, None).unwrap();
    let place = |node| sorted.iter().position(|&each| each == node).unwrap();
    println!("{}", place(shirt) < place(tie) && place(tie) < place(jacket) && place(trousers) < place(shoes));
    order.extend_with_edges([(jacket, shirt)]);
    println!("cycle through {}", order[toposort(&order, None).unwrap_err().node_id()].len() > 0);
    let mut sizes: Vec<_> = tarjan_scc(&order).iter().map(Vec::len).collect();
    sizes.sort();
    println!("{sizes:?}");
}
