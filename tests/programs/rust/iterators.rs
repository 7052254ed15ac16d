use itertools::{Itertools, iproduct};

struct Collatz(u64);

impl Iterator for Collatz {
    type Item = u64;
    fn next(&mut self) -> Option<u64> {
        let now = self.0;
        self.0 = match now {
            0 => return None,
            1 => 0,
            n if n % 2 == 0 => n / 2,
            n => 3 * n + 1,
        };
        Some(now)
    }
}

fn main() {
    println!("{:?}", Collatz(6).collect::<Vec<_>>());
    let (start, length) = (1..10_000u64).map(|n| (n, Collatz(n).count())).max_by_key(|&(_, length)| length).unwrap();
    println!("longest below 10000: {start} with {length} steps");

    let text = "the quick brown fox jumps over the lazy dog";
    println!("{}", text.split(' ').map(|word| word.chars().rev().collect::<String>()).join(" "));
    println!("{:?}", text.chars().filter(|c| c.is_alphabetic()).counts().into_iter().sorted_by_key(|&(c, n)| (std::cmp::Reverse(n), c)).take(3).collect_vec());
    println!("{:?}", (1..=3).flat_map(|n| std::iter::repeat_n(n, n)).collect_vec());
    println!("{:?}", (1..=10).scan(1u64, |state, n| { *state *= n; Some(*state) }).take_while(|&f| f < 5000).collect_vec());
    println!("{:?}", [1, 1, 2, 3, 3, 3].iter().chunk_by(|&&n| n).into_iter().map(|(n, group)| (n, group.count())).collect_vec());
    println!("{:?}", ["a", "b", "c", "d"].iter().tuple_windows().map(|(a, b)| format!("{a}{b}")).collect_vec());
    println!("{:?}", (1..=4).combinations(2).map(|pair| pair.iter().product::<i32>()).collect_vec());
    println!("{:?}", iproduct!(0..2, 'x'..='z').collect_vec());
    println!("{:?}", (0..20).step_by(5).zip("abcd".bytes().rev()).collect_vec());
    let (even, odd): (Vec<i32>, Vec<i32>) = (1..10).partition(|n| n % 2 == 0);
    println!("{even:?} {odd:?} {:?}", even.iter().interleave(&odd).collect_vec());
    println!("{:?}", ["3", "x", "5"].iter().map(|s| s.parse::<i32>()).collect::<Result<Vec<_>, _>>().map_err(|e| e.to_string()));
    println!("{:?}", [5, 3, 8, 1].iter().minmax().into_option());
    println!("{:?}", vec![3.5, -1.0, 2.25].into_iter().fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x))));
}
