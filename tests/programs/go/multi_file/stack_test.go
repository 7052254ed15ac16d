package main

import "testing"

func TestStack(t *testing.T) {
	if !newStack[int]().empty() {
		t.Fatal("not empty")
	}
}
