fn sieve(limit: usize) -> Vec<usize> {
    let mut composite = vec![false; limit + 1];
    let mut primes = Vec::new();
    for n in 2..=limit {
        if !composite[n] {
            primes.push(n);
            let mut multiple = n * n;
            while multiple <= limit {
                composite[multiple] = true;
                multiple += n;
            }
        }
    }
    primes
}

fn power(base: u64, mut exponent: u64, modulus: u64) -> u64 {
    let (mut result, mut base) = (1, base % modulus);
    while exponent > 0 {
        if exponent & 1 == 1 {
            result = (result as u128 * base as u128 % modulus as u128) as u64;
        }
        base = (base as u128 * base as u128 % modulus as u128) as u64;
        exponent >>= 1;
    }
    result
}

/// Miller and Rabin; with these bases right for all of 64 bits.
fn is_prime(n: u64) -> bool {
    const BASES: [u64; 12] = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37];
    if n < 2 || BASES.iter().any(|&p| n != p && n % p == 0) {
        return false;
    }
    let twos = (n - 1).trailing_zeros();
    BASES.iter().filter(|&&base| base != n).all(|&base| {
        let mut x = power(base, (n - 1) >> twos, n);
        x == 1 || (0..twos).any(|_| {
            let found = x == n - 1;
            x = (x as u128 * x as u128 % n as u128) as u64;
            found
        })
    })
}

fn factors(mut n: u64) -> Vec<(u64, u32)> {
    let mut found = Vec::new();
    let mut p = 2;
    while p * p <= n {
        let mut times = 0;
        while n % p == 0 {
            n /= p;
            times += 1;
        }
        if times > 0 {
            found.push((p, times));
        }
        p += 1;
    }
    if n > 1 {
        found.push((n, 1));
    }
    found
}

fn main() {
    let primes = sieve(1_000_000);
    println!("{} primes below a million, the last {:?}", primes.len(), primes.last().unwrap());
    let twins = primes.windows(2).filter(|pair| pair[1] - pair[0] == 2).count();
    println!("{twins} twins, widest gap {}", primes.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap());
    for n in [561, 1_000_000_007, 18_446_744_073_709_551_557, 18_446_744_073_709_551_556, 3_825_123_056_546_413_051] {
        println!("{n}: {}", if is_prime(n) { "prime" } else { "composite" });
    }
    println!("{:?}", factors(600_851_475_143));
    println!("{:?}", factors(2u64.pow(10) * 3u64.pow(5) * 101));
}
