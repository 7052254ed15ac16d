use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, LinkedList, VecDeque};

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Task {
    priority: u8,
    name: &'static str,
}

fn main() {
    let mut stock: HashMap<&str, i32> = HashMap::from([("apple", 3), ("pear", 0)]);
    for (fruit, change) in [("apple", -1), ("plum", 7), ("pear", 2)] {
        match stock.entry(fruit) {
            Entry::Occupied(mut slot) => *slot.get_mut() += change,
            Entry::Vacant(slot) => {
                slot.insert(change);
            }
        }
    }
    let mut sorted: Vec<_> = stock.iter().collect();
    sorted.sort();
    println!("{sorted:?}");

    let years: BTreeMap<u32, &str> = [(1991, "Python"), (2015, "Rust"), (2009, "Go"), (1995, "Java")].into();
    println!("{:?}", years.range(1995..2015).map(|(_, name)| *name).collect::<Vec<_>>());
    println!("{:?} {:?}", years.first_key_value(), years.last_key_value());

    let (a, b): (BTreeSet<u8>, BTreeSet<u8>) = ((1..6).collect(), (4..9).collect());
    println!("{:?} {:?} {:?}", &a & &b, &a - &b, &a ^ &b);

    let mut heap = BinaryHeap::from(vec![
        Task { priority: 2, name: "write" },
        Task { priority: 9, name: "breathe" },
        Task { priority: 5, name: "eat" },
    ]);
    heap.push(Task { priority: 7, name: "sleep" });
    while let Some(Task { priority, name }) = heap.pop() {
        print!("{name}({priority}) ");
    }
    println!();

    let mut queue: VecDeque<i32> = (1..=5).collect();
    queue.rotate_left(2);
    queue.push_front(0);
    println!("{queue:?} {:?}", queue.iter().rev().step_by(2).collect::<Vec<_>>());

    let unique: HashSet<char> = "mississippi".chars().collect();
    println!("{} letters", unique.len());

    let mut list: LinkedList<&str> = ["b", "c"].into();
    list.push_front("a");
    let mut tail = list.split_off(1);
    list.append(&mut tail);
    println!("{list:?}");

    let mut values = vec![5, 3, 8, 3, 1, 8];
    values.sort_unstable();
    values.dedup();
    println!("{values:?} {:?} {:?}", values.binary_search(&5), values.binary_search(&4));
    values.retain(|value| value % 2 == 1);
    println!("{values:?} {:?}", values.drain(1..).collect::<Vec<_>>());
}
