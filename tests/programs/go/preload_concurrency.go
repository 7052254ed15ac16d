// errgroup, semaphores, an LRU cache, sets and trees, assertions outside of a test.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/emirpasic/gods/maps/treemap"
	"github.com/emirpasic/gods/sets/hashset"
	"github.com/google/btree"
	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/stretchr/testify/assert"
	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
)

type recorder struct{ failures int }

func (r *recorder) Errorf(string, ...any) { r.failures++ }

func main() {
	group, ctx := errgroup.WithContext(context.Background())
	group.SetLimit(4)
	var sum atomic.Int64
	for n := range int64(100) {
		group.Go(func() error {
			sum.Add(n)
			return nil
		})
	}
	fmt.Println(group.Wait(), sum.Load(), ctx.Err())
	group = new(errgroup.Group)
	group.Go(func() error { return errors.New("boom") })
	fmt.Println(group.Wait())
	gate := semaphore.NewWeighted(2)
	fmt.Println(gate.TryAcquire(2), gate.TryAcquire(1))
	cache, err := lru.New[string, int](2)
	if err != nil {
		panic(err)
	}
	for i, key := range []string{"a", "b", "a", "c"} {
		cache.Add(key, i)
	}
	fmt.Println(cache.Keys())
	tree := treemap.NewWithStringComparator()
	for i, word := range []string{"pear", "apple", "fig"} {
		tree.Put(word, i)
	}
	fmt.Println(tree.Keys(), hashset.New(1, 2, 2, 3).Size())
	numbers := btree.NewG(4, func(a, b int) bool { return a < b })
	for n := range 1000 {
		numbers.ReplaceOrInsert(n * 37 % 1000)
	}
	least, _ := numbers.Min()
	fmt.Println(numbers.Len(), least)
	r := &recorder{}
	assert.Equal(r, 4, 2+2)
	assert.ElementsMatch(r, []int{1, 2, 3}, []int{3, 1, 2})
	assert.Contains(r, "hello", "xyz")
	fmt.Println(r.failures, "failure")
}
