// Modules of the image: decimals, JSON paths, YAML, TOML, casts, UUIDs, and lo.
package main

import (
	"fmt"

	"github.com/BurntSushi/toml"
	"github.com/dustin/go-humanize"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/samber/lo"
	"github.com/shopspring/decimal"
	"github.com/spf13/cast"
	"github.com/tidwall/gjson"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
	"gopkg.in/yaml.v3"
)

type settings struct {
	Name  string         `yaml:"name" toml:"name"`
	Ports []int          `yaml:"ports" toml:"ports"`
	Limit map[string]int `yaml:"limit" toml:"limit"`
}

func main() {
	price := decimal.RequireFromString("0.1").Add(decimal.RequireFromString("0.2"))
	fmt.Println(price, price.Equal(decimal.NewFromFloat(0.3)), decimal.NewFromInt(10).DivRound(decimal.NewFromInt(3), 5))
	const text = `{"users": [{"name": "Ann", "age": 31}, {"name": "Bob", "age": 17}, {"name": "Cid", "age": 45}]}`
	fmt.Println(gjson.Get(text, "users.#(age>18)#.name"), gjson.Get(text, "users.#"))
	var one, two settings
	if err := yaml.Unmarshal([]byte("name: box\nports: [80, 443]\nlimit:\n  cpu: 2\n"), &one); err != nil {
		panic(err)
	}
	if _, err := toml.Decode("name = 'box'\nports = [80, 443]\n[limit]\ncpu = 2\n", &two); err != nil {
		panic(err)
	}
	fmt.Println(one, cmp.Equal(one, two))
	fmt.Println(cast.ToInt("42"), cast.ToBool("true"), cast.ToStringSlice([]any{1, "a", 2.5}))
	fmt.Println(uuid.NewSHA1(uuid.NameSpaceURL, []byte("soulbox")), len(uuid.NewString()))
	fmt.Println(lo.Uniq([]int{1, 2, 2, 3, 1}), lo.Chunk([]int{1, 2, 3, 4, 5}, 2), lo.SumBy([]string{"a", "bb"}, func(s string) int { return len(s) }))
	fmt.Println(humanize.Bytes(82854982), humanize.Ordinal(193), humanize.Comma(-1234567))
	fmt.Println(cases.Title(language.Dutch).String("ijsland en groenland"))
	message.NewPrinter(language.German).Printf("%d %.2f\n", 1234567, 9876.543)
}
