// Conway's game of life on a torus: a glider comes back to where it was.
package main

import (
	"fmt"
	"strings"
)

type board [][]bool

func parse(text string, size int) board {
	b := make(board, size)
	for y := range b {
		b[y] = make([]bool, size)
	}
	for y, row := range strings.Fields(text) {
		for x, cell := range row {
			b[y+1][x+1] = cell == 'O'
		}
	}
	return b
}

func (b board) next() board {
	n := len(b)
	out := make(board, n)
	for y := range b {
		out[y] = make([]bool, n)
		for x := range b[y] {
			alive := 0
			for dy := -1; dy <= 1; dy++ {
				for dx := -1; dx <= 1; dx++ {
					if (dx != 0 || dy != 0) && b[(y+dy+n)%n][(x+dx+n)%n] {
						alive++
					}
				}
			}
			out[y][x] = alive == 3 || alive == 2 && b[y][x]
		}
	}
	return out
}

func (b board) String() string {
	var s strings.Builder
	for _, row := range b {
		for _, cell := range row {
			s.WriteString(map[bool]string{true: "O ", false: ". "}[cell])
		}
		s.WriteByte('\n')
	}
	return s.String()
}

func main() {
	b := parse(".O. ..O OOO", 8)
	first := b.String()
	fmt.Println(first)
	for range 5 {
		b = b.next()
	}
	fmt.Println(b)
	for range 27 {
		b = b.next()
	}
	fmt.Println("back after 32 generations:", b.String() == first)
}
