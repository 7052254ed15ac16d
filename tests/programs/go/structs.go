// Structs, embedding, interfaces, method values, errors with %w, Stringer, type switches, defer.
package main

import (
	"errors"
	"fmt"
	"math"
	"os"
)

type Shape interface {
	Area() float64
	Perimeter() float64
}

type Named struct{ Name string }

func (n Named) String() string { return "<" + n.Name + ">" }

type Circle struct {
	Named
	Radius float64
}

type Rectangle struct {
	Named
	Width, Height float64
}

func (c Circle) Area() float64         { return math.Pi * c.Radius * c.Radius }
func (c Circle) Perimeter() float64    { return 2 * math.Pi * c.Radius }
func (r Rectangle) Area() float64      { return r.Width * r.Height }
func (r Rectangle) Perimeter() float64 { return 2 * (r.Width + r.Height) }

type Account struct {
	Owner   string
	Balance int
}

type InsufficientFunds struct{ Need, Have int }

func (e *InsufficientFunds) Error() string {
	return fmt.Sprintf("need %d, have %d", e.Need, e.Have)
}

var ErrClosed = errors.New("account is closed")

func (a *Account) Withdraw(amount int) error {
	if a == nil {
		return ErrClosed
	}
	if amount > a.Balance {
		return fmt.Errorf("withdraw for %s: %w", a.Owner, &InsufficientFunds{amount, a.Balance})
	}
	a.Balance -= amount
	return nil
}

func describe(value any) string {
	switch v := value.(type) {
	case nil:
		return "nothing"
	case int, int64:
		return fmt.Sprintf("integer %v", v)
	case fmt.Stringer:
		return "stringer " + v.String()
	case error:
		return "error " + v.Error()
	case []string:
		return fmt.Sprintf("%d strings", len(v))
	default:
		return fmt.Sprintf("%T", v)
	}
}

func safely(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("recovered: %v", r)
		}
	}()
	f()
	return nil
}

func main() {
	shapes := []Shape{Circle{Named{"circle"}, 2}, Rectangle{Named{"rectangle"}, 3, 4.5}}
	for _, shape := range shapes {
		fmt.Printf("%v: area %.3f, perimeter %.3f\n", shape, shape.Area(), shape.Perimeter())
	}
	account := &Account{"Ada", 100}
	withdraw := account.Withdraw
	fmt.Println(withdraw(30), account.Balance)
	err := withdraw(100)
	var short *InsufficientFunds
	fmt.Println(err, errors.As(err, &short), short.Need-short.Have)
	account = nil
	fmt.Println(errors.Is(account.Withdraw(1), ErrClosed))
	for _, value := range []any{nil, 7, int64(8), Named{"n"}, ErrClosed, []string{"a"}, 1.5, struct{}{}} {
		fmt.Println(describe(value))
	}
	var empty []int
	index := 5
	fmt.Println(safely(func() { fmt.Println(empty[index]) }))
	fmt.Println(safely(func() { var m map[string]int; m["a"] = 1 }))
	fmt.Printf("%+v %#v\n", Account{"Bob", 1}, Account{"Bob", 1})
	for i := range 3 {
		defer fmt.Fprintln(os.Stdout, "deferred", i)
	}
}
