// Sort a million numbers in three ways and check that they agree.
package main

import (
	"fmt"
	"slices"
	"sort"
)

func numbers(n int) []int {
	state := uint64(42)
	out := make([]int, n)
	for i := range out {
		state = state*6364136223846793005 + 1442695040888963407
		out[i] = int(state >> 33)
	}
	return out
}

func mergeSort(a, tmp []int) {
	if len(a) < 2 {
		return
	}
	mid := len(a) / 2
	mergeSort(a[:mid], tmp[:mid])
	mergeSort(a[mid:], tmp[mid:])
	copy(tmp, a)
	i, j := 0, mid
	for k := range a {
		if j >= len(a) || i < mid && tmp[i] <= tmp[j] {
			a[k] = tmp[i]
			i++
		} else {
			a[k] = tmp[j]
			j++
		}
	}
}

func main() {
	a := numbers(1_000_000)
	b, c := slices.Clone(a), slices.Clone(a)
	slices.Sort(a)
	sort.Ints(b)
	mergeSort(c, make([]int, len(c)))
	fmt.Println(slices.IsSorted(a), slices.Equal(a, b), slices.Equal(a, c))
	sum := 0
	for i, x := range a {
		if i%1000 == 0 {
			sum += x
		}
	}
	fmt.Println(a[0], a[len(a)/2], a[len(a)-1], sum)
}
