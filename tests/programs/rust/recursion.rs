fn queens(size: usize, row: usize, columns: u32, left: u32, right: u32) -> u32 {
    if row == size {
        return 1;
    }
    let mut free = !(columns | left | right) & ((1 << size) - 1);
    let mut count = 0;
    while free != 0 {
        let bit = free & free.wrapping_neg();
        free ^= bit;
        count += queens(size, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    count
}

fn ackermann(m: u64, n: u64) -> u64 {
    match (m, n) {
        (0, n) => n + 1,
        (m, 0) => ackermann(m - 1, 1),
        (m, n) => ackermann(m - 1, ackermann(m, n - 1)),
    }
}

fn permutations(items: &mut Vec<char>, from: usize, found: &mut Vec<String>) {
    if from == items.len() {
        found.push(items.iter().collect());
        return;
    }
    for other in from..items.len() {
        items.swap(from, other);
        permutations(items, from + 1, found);
        items.swap(from, other);
    }
}

fn hanoi(discs: u32, from: char, to: char, via: char, moves: &mut Vec<(char, char)>) {
    if discs > 0 {
        hanoi(discs - 1, from, via, to, moves);
        moves.push((from, to));
        hanoi(discs - 1, via, to, from, moves);
    }
}

fn depth(left: u32) -> u32 {
    if left == 0 { 0 } else { 1 + depth(left - 1) }
}

fn main() {
    for size in 4..=9 {
        println!("{size} queens: {}", queens(size, 0, 0, 0, 0));
    }
    println!("ackermann(2, 9) = {}", ackermann(2, 9));
    let mut found = Vec::new();
    permutations(&mut "rust".chars().collect(), 0, &mut found);
    found.sort();
    println!("{} permutations, from {} to {}", found.len(), found[0], found[23]);
    let mut moves = Vec::new();
    hanoi(10, 'A', 'C', 'B', &mut moves);
    println!("{} moves, the first {:?}", moves.len(), &moves[..3]);
    println!("{} deep", depth(20_000));
}
