// Package main in three files, and no go.mod.
package main

import "fmt"

func main() {
	s := newStack[int]()
	for i := range 5 {
		s.push(i * i)
	}
	for !s.empty() {
		fmt.Print(s.pop(), " ")
	}
	fmt.Println()
	fmt.Println(greeting("Welt"), initialized)
}
