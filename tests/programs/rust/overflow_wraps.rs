// Optimised, it wraps, as in a build for release.
fn main() {
    let factorials = (1..=20u32).scan(1u32, |product, n| { *product *= n; Some(*product) });
    println!("{:?}", factorials.collect::<Vec<_>>());
    println!("{}", cfg!(debug_assertions));
}
