// In a build for debugging, arithmetic that overflows panics.
fn main() {
    let mut factorial: u32 = 1;
    for n in 1.. {
        println!("{factorial}");
        factorial *= n;
    }
}
