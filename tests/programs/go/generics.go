// Type parameters: a heap, a set, an ordered map, Map/Filter/Reduce, and iterators.
package main

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
)

type Number interface{ ~int | ~int64 | ~float64 }

func Sum[T Number](values ...T) (sum T) {
	for _, value := range values {
		sum += value
	}
	return sum
}

func Map[T, U any](values []T, f func(T) U) []U {
	out := make([]U, 0, len(values))
	for _, value := range values {
		out = append(out, f(value))
	}
	return out
}

func Filter[T any](values iter.Seq[T], keep func(T) bool) iter.Seq[T] {
	return func(yield func(T) bool) {
		for value := range values {
			if keep(value) && !yield(value) {
				return
			}
		}
	}
}

type Set[T comparable] map[T]struct{}

func SetOf[T comparable](values ...T) Set[T] {
	s := Set[T]{}
	for _, value := range values {
		s[value] = struct{}{}
	}
	return s
}

func (s Set[T]) Intersect(other Set[T]) Set[T] {
	out := Set[T]{}
	for value := range s {
		if _, ok := other[value]; ok {
			out[value] = struct{}{}
		}
	}
	return out
}

type Heap[T any] struct {
	items []T
	less  func(a, b T) bool
}

func (h *Heap[T]) Push(item T) {
	h.items = append(h.items, item)
	for i := len(h.items) - 1; i > 0; {
		parent := (i - 1) / 2
		if !h.less(h.items[i], h.items[parent]) {
			break
		}
		h.items[i], h.items[parent] = h.items[parent], h.items[i]
		i = parent
	}
}

func (h *Heap[T]) Pop() T {
	top := h.items[0]
	last := len(h.items) - 1
	h.items[0] = h.items[last]
	h.items = h.items[:last]
	for i := 0; ; {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && h.less(h.items[child+1], h.items[child]) {
			child++
		}
		if !h.less(h.items[child], h.items[i]) {
			break
		}
		h.items[i], h.items[child] = h.items[child], h.items[i]
		i = child
	}
	return top
}

type Tree[K cmp.Ordered, V any] struct {
	key         K
	value       V
	left, right *Tree[K, V]
}

func (t *Tree[K, V]) Put(key K, value V) *Tree[K, V] {
	switch {
	case t == nil:
		return &Tree[K, V]{key: key, value: value}
	case key < t.key:
		t.left = t.left.Put(key, value)
	case key > t.key:
		t.right = t.right.Put(key, value)
	default:
		t.value = value
	}
	return t
}

func (t *Tree[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { t.walk(yield) }
}

func (t *Tree[K, V]) walk(yield func(K, V) bool) bool {
	return t == nil || t.left.walk(yield) && yield(t.key, t.value) && t.right.walk(yield)
}

func main() {
	fmt.Println(Sum(1, 2, 3), Sum(1.5, 2.25))
	fmt.Println(Map([]string{"a", "bb", "ccc"}, func(s string) int { return len(s) }))
	even := Filter(slices.Values([]int{1, 2, 3, 4, 5, 6}), func(n int) bool { return n%2 == 0 })
	fmt.Println(slices.Collect(even))
	common := SetOf(1, 2, 3, 4).Intersect(SetOf(3, 4, 5))
	fmt.Println(len(common), common)
	heap := &Heap[string]{less: func(a, b string) bool { return len(a) < len(b) }}
	for word := range strings.SplitSeq("banana fig apple kiwi strawberry", " ") {
		heap.Push(word)
	}
	for len(heap.items) > 0 {
		fmt.Print(heap.Pop(), " ")
	}
	fmt.Println()
	var tree *Tree[string, int]
	for i, key := range []string{"m", "c", "x", "a", "d", "z", "m"} {
		tree = tree.Put(key, i)
	}
	for key, value := range tree.All() {
		if key == "z" {
			break
		}
		fmt.Printf("%s=%d ", key, value)
	}
	fmt.Println()
}
