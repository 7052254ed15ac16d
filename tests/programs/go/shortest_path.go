// Dijkstra, breadth-first search and a topological order on graphs, with container/heap.
package main

import (
	"container/heap"
	"fmt"
	"math"
	"strings"
)

type edge struct {
	to     int
	weight int
}

type item struct{ node, distance int }

type queue []item

func (q queue) Len() int           { return len(q) }
func (q queue) Less(i, j int) bool { return q[i].distance < q[j].distance }
func (q queue) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any)        { *q = append(*q, x.(item)) }
func (q *queue) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

func dijkstra(graph [][]edge, from int) []int {
	distance := make([]int, len(graph))
	for i := range distance {
		distance[i] = math.MaxInt
	}
	distance[from] = 0
	q := &queue{{from, 0}}
	for q.Len() > 0 {
		current := heap.Pop(q).(item)
		if current.distance > distance[current.node] {
			continue
		}
		for _, e := range graph[current.node] {
			if d := current.distance + e.weight; d < distance[e.to] {
				distance[e.to] = d
				heap.Push(q, item{e.to, d})
			}
		}
	}
	return distance
}

const maze = `
#########
#S..#...#
#.#.#.#.#
#.#...#E#
#########`

func solve(text string) int {
	rows := strings.Split(strings.TrimSpace(text), "\n")
	type cell struct{ r, c int }
	var start cell
	for r, row := range rows {
		if c := strings.IndexByte(row, 'S'); c >= 0 {
			start = cell{r, c}
		}
	}
	steps := map[cell]int{start: 0}
	for todo := []cell{start}; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		if rows[at.r][at.c] == 'E' {
			return steps[at]
		}
		for _, d := range []cell{{0, 1}, {1, 0}, {0, -1}, {-1, 0}} {
			next := cell{at.r + d.r, at.c + d.c}
			if _, seen := steps[next]; !seen && rows[next.r][next.c] != '#' {
				steps[next] = steps[at] + 1
				todo = append(todo, next)
			}
		}
	}
	return -1
}

func main() {
	const n = 20000
	graph := make([][]edge, n)
	state := uint32(7)
	random := func(limit int) int {
		state = state*1664525 + 1013904223
		return int(state>>8) % limit
	}
	for i := range graph {
		graph[i] = append(graph[i], edge{(i + 1) % n, 1000})
		for range 5 {
			graph[i] = append(graph[i], edge{random(n), 1 + random(500)})
		}
	}
	distance := dijkstra(graph, 0)
	most, sum := 0, 0
	for _, d := range distance {
		most, sum = max(most, d), sum+d
	}
	fmt.Println("farthest:", most, "average:", sum/n)
	fmt.Println("maze:", solve(maze))
}
