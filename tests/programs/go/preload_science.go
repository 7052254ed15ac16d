// gonum: a linear system, eigenvalues, statistics, and a shortest path.
package main

import (
	"fmt"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/graph/path"
	"gonum.org/v1/gonum/graph/simple"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

func main() {
	a := mat.NewDense(3, 3, []float64{3, 2, -1, 2, -2, 4, -1, 0.5, -1})
	var x mat.VecDense
	if err := x.SolveVec(a, mat.NewVecDense(3, []float64{1, -2, 0})); err != nil {
		panic(err)
	}
	fmt.Printf("%.4f\n", mat.Formatted(&x))
	fmt.Printf("det %.4f\n", mat.Det(a))
	var eigen mat.EigenSym
	eigen.Factorize(mat.NewSymDense(2, []float64{2, 1, 1, 2}), false)
	fmt.Printf("%.4f\n", eigen.Values(nil))
	xs := []float64{1, 2, 3, 4, 5, 6}
	ys := []float64{2.1, 3.9, 6.2, 8.1, 9.8, 12.1}
	mean, deviation := stat.MeanStdDev(ys, nil)
	intercept, slope := stat.LinearRegression(xs, ys, nil, false)
	fmt.Printf("%.4f %.4f %.4f %.4f %.4f\n", mean, deviation, intercept, slope, stat.Correlation(xs, ys, nil))
	fmt.Println(floats.Sum(xs), floats.Max(ys))
	graph := simple.NewWeightedUndirectedGraph(0, 0)
	for _, edge := range [][3]float64{{0, 1, 7}, {0, 2, 9}, {0, 5, 14}, {1, 2, 10}, {1, 3, 15}, {2, 3, 11}, {2, 5, 2}, {3, 4, 6}, {4, 5, 9}} {
		graph.SetWeightedEdge(graph.NewWeightedEdge(simple.Node(int64(edge[0])), simple.Node(int64(edge[1])), edge[2]))
	}
	nodes, weight := path.DijkstraFrom(simple.Node(0), graph).To(4)
	fmt.Println(nodes, weight)
}
