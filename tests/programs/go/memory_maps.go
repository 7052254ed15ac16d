// A million map entries, strings, slices that grow, and the memory that comes back.
package main

import (
	"fmt"
	"runtime"
	"strings"
)

func main() {
	counts := make(map[int]int)
	for n := range 1_000_000 {
		counts[n*7919%100_003] += n & 7
	}
	sum := 0
	for key, count := range counts {
		sum += key ^ count
	}
	fmt.Println(len(counts), sum)
	words := map[string][]int{}
	for n := range 100_000 {
		key := fmt.Sprintf("k%03d", n%1000)
		words[key] = append(words[key], n)
	}
	fmt.Println(len(words), len(words["k042"]), words["k042"][99])
	var builder strings.Builder
	for n := range 200_000 {
		builder.WriteByte(byte('a' + n%26))
	}
	fmt.Println(builder.Len(), strings.Count(builder.String(), "xyz"))
	total := 0
	for n := range 2000 {
		garbage := make([]byte, 1<<20)
		garbage[n] = 1
		total += len(garbage)
	}
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	fmt.Println(total>>20, "MiB came and went,", stats.HeapAlloc < 100<<20)
	fmt.Println(runtime.GOMAXPROCS(0) >= 1, runtime.GOOS)
}
