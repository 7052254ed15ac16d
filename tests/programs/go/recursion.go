// Recursive classics: Hanoi, queens, permutations, Ackermann, and a recursion a million deep.
package main

import "fmt"

func hanoi(n int, from, to, via string, move func(string, string)) {
	if n == 0 {
		return
	}
	hanoi(n-1, from, via, to, move)
	move(from, to)
	hanoi(n-1, via, to, from, move)
}

func queens(n, row int, columns, left, right uint) int {
	if row == n {
		return 1
	}
	count := 0
	for free := ^(columns | left | right) & (1<<n - 1); free != 0; free &= free - 1 {
		bit := free & -free
		count += queens(n, row+1, columns|bit, (left|bit)<<1, (right|bit)>>1)
	}
	return count
}

func permutations(a []rune, k int, visit func(string)) {
	if k == len(a) {
		visit(string(a))
		return
	}
	for i := k; i < len(a); i++ {
		a[k], a[i] = a[i], a[k]
		permutations(a, k+1, visit)
		a[k], a[i] = a[i], a[k]
	}
}

func ackermann(m, n int) int {
	if m == 0 {
		return n + 1
	}
	if n == 0 {
		return ackermann(m-1, 1)
	}
	return ackermann(m-1, ackermann(m, n-1))
}

func depth(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + depth(n-1)
}

func main() {
	moves := 0
	hanoi(16, "A", "C", "B", func(from, to string) {
		moves++
		if moves <= 3 {
			fmt.Println(from, "->", to)
		}
	})
	fmt.Println("moves:", moves)
	for n := 4; n <= 10; n++ {
		fmt.Printf("queens(%d) = %d\n", n, queens(n, 0, 0, 0, 0))
	}
	permutations([]rune("abc"), 0, func(s string) { fmt.Print(s, " ") })
	fmt.Println()
	fmt.Println("ackermann:", ackermann(2, 9), ackermann(3, 6))
	fmt.Println("depth:", depth(1_000_000))
}
