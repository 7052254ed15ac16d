use rayon::prelude::*;

fn main() {
    let numbers: Vec<u64> = (1..=200_000).collect();
    println!("{}", numbers.par_iter().map(|n| n * n).sum::<u64>());
    println!("{:?}", numbers.par_iter().find_first(|&&n| n * n > 1_000_000));
    let mut words: Vec<String> = (0..2000u32).into_par_iter().map(|n| format!("{:04}", n * 7919 % 2000)).collect();
    words.par_sort_unstable();
    println!("{} {} {}", words[0], words[999], words[1999]);
    let (even, odd) = rayon::join(
        || numbers.par_iter().filter(|&n| n % 2 == 0).count(),
        || numbers.par_chunks(1000).map(|part| part.iter().filter(|&n| n % 2 == 1).count()).sum::<usize>(),
    );
    println!("{even} {odd}");
    println!("{}", numbers.par_iter().copied().reduce(|| 0, |a, b| a ^ b));
    println!("{}", rayon::current_num_threads() >= 1);
}
