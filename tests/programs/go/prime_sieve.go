// Primes below ten million, twins, gaps, and the factors of some numbers.
package main

import "fmt"

func sieve(limit int) []bool {
	composite := make([]bool, limit)
	composite[0], composite[1] = true, true
	for i := 2; i*i < limit; i++ {
		if composite[i] {
			continue
		}
		for j := i * i; j < limit; j += i {
			composite[j] = true
		}
	}
	return composite
}

func factors(n int) (found []int) {
	for p := 2; p*p <= n; p++ {
		for n%p == 0 {
			found = append(found, p)
			n /= p
		}
	}
	if n > 1 {
		found = append(found, n)
	}
	return found
}

func main() {
	composite := sieve(10_000_000)
	count, twins, gap, after, last := 0, 0, 0, 0, 2
	for n, no := range composite {
		if no {
			continue
		}
		count++
		if n-last == 2 {
			twins++
		}
		if n-last > gap {
			gap, after = n-last, last
		}
		last = n
	}
	fmt.Println(count, "primes,", twins, "twins, greatest gap", gap, "after", after)
	for _, n := range []int{360, 97, 1 << 20, 600851475143, 999999000001} {
		fmt.Println(n, "=", factors(n))
	}
}
