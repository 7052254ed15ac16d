// Package tax is for this module alone.
package tax

import "github.com/shopspring/decimal"

type Rates map[string]decimal.Decimal

var usual = decimal.RequireFromString("0.19")

func (r Rates) Of(name string, net decimal.Decimal) decimal.Decimal {
	rate, ok := r[name]
	if !ok {
		rate = usual
	}
	return net.Mul(rate).Round(2)
}
