package main

import (
	"fmt"
	"os"

	"example.com/shop/cart"
	"example.com/shop/internal/tax"
	"github.com/shopspring/decimal"
)

func main() {
	c := cart.New(tax.Rates{"book": decimal.RequireFromString("0.07")})
	c.Add("book", "19.90", 2)
	c.Add("pen", "1.15", 10)
	if err := c.Add("air", "-1", 1); err != nil {
		fmt.Println("error:", err)
	}
	c.Print(os.Stdout)
}
