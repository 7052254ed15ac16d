use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn main() {
    let mut rng = ChaCha8Rng::seed_from_u64(2024);

    let inside = (0..100_000)
        .filter(|_| {
            let (x, y): (f64, f64) = (rng.random(), rng.random());
            x * x + y * y <= 1.0
        })
        .count();
    let pi = 4.0 * inside as f64 / 100_000.0;
    println!("pi is about 3.1: {}", (pi - std::f64::consts::PI).abs() < 0.02);

    let mut position = 0i32;
    let (mut low, mut high) = (0, 0);
    for _ in 0..10_000 {
        position += if rng.random_bool(0.5) { 1 } else { -1 };
        (low, high) = (low.min(position), high.max(position));
    }
    println!("walked to {position}, between {low} and {high}");

    let mut deck: Vec<u32> = (1..=10).collect();
    deck.shuffle(&mut rng);
    println!("{deck:?}, then {:?}", deck.choose(&mut rng).unwrap());
    let dice: Vec<u32> = (0..10).map(|_| rng.random_range(1..=6)).collect();
    println!("{dice:?}");

    let mut again = ChaCha8Rng::seed_from_u64(2024);
    let mut other = ChaCha8Rng::seed_from_u64(2025);
    let first: u64 = again.random();
    println!("{first:016x} {}", first != other.random::<u64>());

    let unseeded: u64 = rand::rng().random();
    println!("{}", unseeded != rand::random::<u64>());
}
