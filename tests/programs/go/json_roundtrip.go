// Decode JSON into structs and into maps, change it, encode it again.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

type Person struct {
	Name    string         `json:"name"`
	Age     int            `json:"age"`
	Email   *string        `json:"email,omitempty"`
	Tags    []string       `json:"tags"`
	Extra   map[string]any `json:"extra,omitempty"`
	Joined  time.Time      `json:"joined"`
	private string
}

const input = `[
  {"name": "Ada", "age": 36, "email": "ada@example.com", "tags": ["math", "code"], "joined": "1843-09-05T00:00:00Z"},
  {"name": "Grace Hopper", "age": 85, "tags": null, "extra": {"rank": "Rear Admiral", "years": 43.5, "ok": true}, "joined": "1944-07-02T08:30:00+02:00"}
]`

func main() {
	var people []Person
	if err := json.Unmarshal([]byte(input), &people); err != nil {
		panic(err)
	}
	for i := range people {
		people[i].Age++
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(people); err != nil {
		panic(err)
	}
	var loose any
	decoder := json.NewDecoder(strings.NewReader(`{"a": [1, 2.5, "x", null, {"b": false}], "n": 12345678901234567890}`))
	decoder.UseNumber()
	if err := decoder.Decode(&loose); err != nil {
		panic(err)
	}
	text, _ := json.Marshal(loose)
	fmt.Println(string(text))
	var number struct{ N int }
	err := json.Unmarshal([]byte(`{"N": "seven"}`), &number)
	var wrong *json.UnmarshalTypeError
	fmt.Println(errors.As(err, &wrong))
}
