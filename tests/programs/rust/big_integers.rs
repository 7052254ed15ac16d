use num::integer::{gcd, lcm};
use num::{BigInt, BigRational, BigUint, One, Zero};
use num_bigint::ToBigInt;

fn factorial(n: u32) -> BigUint {
    (1..=n).fold(BigUint::one(), |product, factor| product * factor)
}

fn fibonacci(n: u32) -> BigUint {
    let (mut a, mut b) = (BigUint::zero(), BigUint::one());
    for _ in 0..n {
        let next = &a + &b;
        a = std::mem::replace(&mut b, next);
    }
    a
}

fn main() {
    println!("2^200 = {}", BigUint::from(2u32).pow(200));
    println!("50! = {}", factorial(50));
    let digits = factorial(1000).to_string();
    println!("1000! has {} digits that add up to {}", digits.len(), digits.bytes().map(|d| (d - b'0') as u32).sum::<u32>());
    println!("fibonacci(300) = {}", fibonacci(300));

    let p = (BigInt::one() << 127) - 1;
    let a: BigInt = "123456789012345678901234567890".parse().unwrap();
    println!("a^(p-2) mod p = {}", a.modpow(&(&p - 2), &p));
    println!("a * inverse mod p = {}", (&a * a.modpow(&(&p - 2), &p)) % &p);
    println!("-a / 97 = {}, rest {}", -&a / 97, -&a % 97);
    println!("hex {:x}", a);

    let harmonic = (1..=30).fold(BigRational::zero(), |sum, n| {
        sum + BigRational::new(BigInt::one(), n.to_bigint().unwrap())
    });
    println!("H(30) = {harmonic}");
    println!("gcd {} lcm {}", gcd(462, 1071), lcm(21, 6));

    let wide: u128 = 0xffff_ffff_ffff_ffff_u128 * 0xffff_ffff_ffff_fffb_u128;
    println!("u128 {wide}, modulo 1e18+9: {}, i128 min {}", wide % 1_000_000_000_000_000_009, i128::MIN / 3);
}
