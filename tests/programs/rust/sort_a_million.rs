// A million numbers of a linear congruential generator, sorted by the library and by a radix sort.

fn numbers(count: usize) -> Vec<u32> {
    let mut state: u64 = 42;
    (0..count)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u32
        })
        .collect()
}

fn radix_sort(values: &mut Vec<u32>) {
    let mut other = vec![0; values.len()];
    for shift in (0..32).step_by(8) {
        let mut ends = [0usize; 257];
        for &value in values.iter() {
            ends[(value >> shift & 255) as usize + 1] += 1;
        }
        for digit in 0..256 {
            ends[digit + 1] += ends[digit];
        }
        for &value in values.iter() {
            let place = &mut ends[(value >> shift & 255) as usize];
            other[*place] = value;
            *place += 1;
        }
        std::mem::swap(values, &mut other);
    }
}

fn main() {
    let mut by_library = numbers(1_000_000);
    let mut by_digits = by_library.clone();
    by_library.sort_unstable();
    radix_sort(&mut by_digits);
    assert_eq!(by_library, by_digits);

    let checksum = by_library
        .iter()
        .enumerate()
        .fold(0u64, |sum, (index, &value)| sum.wrapping_mul(31).wrapping_add(value as u64 ^ index as u64));
    println!("smallest {}", by_library[0]);
    println!("median   {}", by_library[500_000]);
    println!("largest  {}", by_library[999_999]);
    println!("checksum {checksum:016x}");
}
