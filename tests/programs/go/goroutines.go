// A pipeline of goroutines: workers, results in order, a mutex, a WaitGroup, select, context.
package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

type result struct{ n, square int }

func worker(jobs <-chan int, results chan<- result, wait *sync.WaitGroup) {
	defer wait.Done()
	for n := range jobs {
		results <- result{n, n * n}
	}
}

func main() {
	jobs, results := make(chan int), make(chan result, 16)
	var wait sync.WaitGroup
	for range 8 {
		wait.Add(1)
		go worker(jobs, results, &wait)
	}
	go func() {
		for n := range 1000 {
			jobs <- n
		}
		close(jobs)
		wait.Wait()
		close(results)
	}()
	squares := make([]int, 1000)
	for r := range results {
		squares[r.n] = r.square
	}
	sum := 0
	for _, square := range squares {
		sum += square
	}
	fmt.Println("sum of squares:", sum)

	var mutex sync.Mutex
	var counter int
	var atomically atomic.Int64
	var group sync.WaitGroup
	for range 100 {
		group.Go(func() {
			for range 1000 {
				mutex.Lock()
				counter++
				mutex.Unlock()
				atomically.Add(1)
			}
		})
	}
	group.Wait()
	fmt.Println("counters:", counter, atomically.Load())

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	select {
	case <-ctx.Done():
		fmt.Println("context:", ctx.Err(), errors.Is(ctx.Err(), context.DeadlineExceeded))
	case <-time.After(10 * time.Second):
		fmt.Println("too late")
	}

	var once sync.Once
	for range 3 {
		once.Do(func() { fmt.Println("once") })
	}

	// A sieve in which every prime is a goroutine.
	numbers := make(chan int)
	go func(out chan<- int) {
		for n := 2; ; n++ {
			out <- n
		}
	}(numbers)
	for range 20 {
		prime := <-numbers
		fmt.Print(prime, " ")
		next := make(chan int)
		go func(in <-chan int, out chan<- int) {
			for n := range in {
				if n%prime != 0 {
					out <- n
				}
			}
		}(numbers, next)
		numbers = next
	}
	fmt.Println()
}
