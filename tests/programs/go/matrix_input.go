// Read matrices from stdin with fmt.Fscan, multiply them, and find a determinant.
package main

import (
	"bufio"
	"fmt"
	"os"
)

type matrix [][]float64

func read(in *bufio.Reader) matrix {
	var rows, columns int
	if _, err := fmt.Fscan(in, &rows, &columns); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	m := make(matrix, rows)
	for i := range m {
		m[i] = make([]float64, columns)
		for j := range m[i] {
			fmt.Fscan(in, &m[i][j])
		}
	}
	return m
}

func (a matrix) times(b matrix) matrix {
	product := make(matrix, len(a))
	for i := range a {
		product[i] = make([]float64, len(b[0]))
		for j := range b[0] {
			for k := range b {
				product[i][j] += a[i][k] * b[k][j]
			}
		}
	}
	return product
}

func (a matrix) determinant() float64 {
	if len(a) == 1 {
		return a[0][0]
	}
	sum, sign := 0.0, 1.0
	for column := range a {
		minor := make(matrix, 0, len(a)-1)
		for _, row := range a[1:] {
			minor = append(minor, append(append([]float64{}, row[:column]...), row[column+1:]...))
		}
		sum += sign * a[0][column] * minor.determinant()
		sign = -sign
	}
	return sum
}

func main() {
	in := bufio.NewReader(os.Stdin)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	a, b := read(in), read(in)
	for _, row := range a.times(b) {
		for _, value := range row {
			fmt.Fprintf(out, "%8.2f", value)
		}
		fmt.Fprintln(out)
	}
	fmt.Fprintf(out, "det = %g\n", b.determinant())
}
