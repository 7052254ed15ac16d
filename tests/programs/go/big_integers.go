// Numbers of arbitrary size: a factorial, a Fibonacci number, pi, modular powers, fractions.
package main

import (
	"fmt"
	"math/big"
)

func fibonacci(n int) *big.Int {
	a, b := big.NewInt(0), big.NewInt(1)
	for range n {
		a.Add(a, b)
		a, b = b, a
	}
	return a
}

// pi returns floor(pi * 10^digits), by Machin's formula.
func pi(digits int) *big.Int {
	unity := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits+10)), nil)
	arccot := func(x int64) *big.Int {
		sum := new(big.Int).Div(unity, big.NewInt(x))
		term := new(big.Int).Set(sum)
		square := big.NewInt(x * x)
		for n, sign := int64(3), int64(-1); term.Sign() != 0; n, sign = n+2, -sign {
			term.Div(term, square)
			part := new(big.Int).Div(term, big.NewInt(n))
			sum.Add(sum, part.Mul(part, big.NewInt(sign)))
		}
		return sum
	}
	four := new(big.Int).Sub(new(big.Int).Mul(big.NewInt(4), arccot(5)), arccot(239))
	four.Mul(four, big.NewInt(4))
	return four.Div(four, big.NewInt(10_000_000_000))
}

func main() {
	factorial := new(big.Int).MulRange(1, 1000)
	text := factorial.String()
	fmt.Println("1000! has", len(text), "digits:", text[:20], "...", text[len(text)-252:len(text)-245])
	fmt.Println("fib(300) =", fibonacci(300))
	fmt.Println("pi =", pi(60))
	p, _ := new(big.Int).SetString("170141183460469231731687303715884105727", 10)
	fmt.Println("2^127-1 is prime:", p.ProbablyPrime(20))
	fmt.Println("3^(p-1) mod p =", new(big.Int).Exp(big.NewInt(3), new(big.Int).Sub(p, big.NewInt(1)), p))
	harmonic := new(big.Rat)
	for n := int64(1); n <= 20; n++ {
		harmonic.Add(harmonic, big.NewRat(1, n))
	}
	fmt.Println("H(20) =", harmonic, "=", harmonic.FloatString(15))
	root := new(big.Float).SetPrec(200).Sqrt(new(big.Float).SetPrec(200).SetInt64(2))
	fmt.Println("sqrt(2) =", root.Text('f', 50))
}
