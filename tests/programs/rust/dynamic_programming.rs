fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

fn common_subsequence(a: &[u8], b: &[u8]) -> String {
    let mut lengths = vec![vec![0u16; b.len() + 1]; a.len() + 1];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            lengths[i][j] =
                if a[i] == b[j] { lengths[i + 1][j + 1] + 1 } else { lengths[i + 1][j].max(lengths[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut found) = (0, 0, String::new());
    while i < a.len() && j < b.len() {
        if a[i] == b[j] {
            found.push(a[i] as char);
            (i, j) = (i + 1, j + 1);
        } else if lengths[i + 1][j] >= lengths[i][j + 1] {
            i += 1;
        } else {
            j += 1;
        }
    }
    found
}

fn knapsack(items: &[(usize, u64)], capacity: usize) -> u64 {
    let mut best = vec![0; capacity + 1];
    for &(weight, value) in items {
        for room in (weight..=capacity).rev() {
            best[room] = best[room].max(best[room - weight] + value);
        }
    }
    best[capacity]
}

fn coins(amount: usize, kinds: &[usize]) -> u64 {
    let mut ways = vec![0u64; amount + 1];
    ways[0] = 1;
    for &kind in kinds {
        for sum in kind..=amount {
            ways[sum] += ways[sum - kind];
        }
    }
    ways[amount]
}

fn rising(values: &[i32]) -> usize {
    let mut ends: Vec<i32> = Vec::new();
    for &value in values {
        match ends.partition_point(|&end| end < value) {
            place if place == ends.len() => ends.push(value),
            place => ends[place] = value,
        }
    }
    ends.len()
}

fn main() {
    println!("{} {} {}", edit_distance("kitten", "sitting"), edit_distance("", "abc"), edit_distance("Grüße", "Grüsse"));
    println!("{}", common_subsequence(b"AGGTABXXQWERTYGHIJK", b"GXTXAYBQWTYHJKLM"));
    println!("{}", knapsack(&[(12, 4), (2, 2), (1, 1), (1, 2), (4, 10)], 15));
    println!("{} ways", coins(500, &[1, 2, 5, 10, 20, 50, 100, 200]));
    println!("{}", rising(&[10, 9, 2, 5, 3, 7, 101, 18, 4, 20, 6, 21]));
}
