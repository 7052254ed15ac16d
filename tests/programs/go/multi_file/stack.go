package main

type stack[T any] struct{ items []T }

func newStack[T any]() *stack[T] { return &stack[T]{} }

func (s *stack[T]) push(item T) { s.items = append(s.items, item) }

func (s *stack[T]) empty() bool { return len(s.items) == 0 }

func (s *stack[T]) pop() T {
	last := s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return last
}
