// In 2021 `gen` was no keyword yet, and many a program still says `rng.gen()`.
use rand::{Rng, SeedableRng, rngs::StdRng};

#[allow(deprecated)]
fn main() {
    let mut rng = StdRng::seed_from_u64(7);
    let gen: Vec<u8> = (0..5).map(|_| rng.gen_range(0..10)).collect();
    println!("{} {}", gen.len(), gen.iter().all(|&digit| digit < 10));
    let x: f64 = rng.gen();
    println!("{}", (0.0..1.0).contains(&x));
    let async_block = async { 5 };
    println!("{}", futures::executor::block_on(async_block));
}
