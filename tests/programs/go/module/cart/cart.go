// Package cart adds things up.
package cart

import (
	"fmt"
	"io"

	"example.com/shop/internal/tax"
	"github.com/shopspring/decimal"
)

type line struct {
	name  string
	price decimal.Decimal
	count int64
}

type Cart struct {
	lines []line
	rates tax.Rates
}

func New(rates tax.Rates) *Cart { return &Cart{rates: rates} }

func (c *Cart) Add(name, price string, count int64) error {
	value, err := decimal.NewFromString(price)
	if err != nil {
		return err
	}
	if value.IsNegative() {
		return fmt.Errorf("%s: negative price %s", name, value)
	}
	c.lines = append(c.lines, line{name, value, count})
	return nil
}

func (c *Cart) Print(out io.Writer) {
	total := decimal.Zero
	for _, one := range c.lines {
		net := one.price.Mul(decimal.NewFromInt(one.count))
		gross := net.Add(c.rates.Of(one.name, net))
		total = total.Add(gross)
		fmt.Fprintf(out, "%-5s %3d x %6s = %s\n", one.name, one.count, one.price.StringFixed(2), gross.StringFixed(2))
	}
	fmt.Fprintln(out, "total", total.StringFixed(2))
}
