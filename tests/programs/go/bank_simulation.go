// Commands from stdin change accounts; arguments and the environment say how to print them.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

type bank map[string]int

func (b bank) do(words []string) error {
	amount := func(word string) (int, error) {
		n, err := strconv.Atoi(word)
		if err == nil && n <= 0 {
			err = fmt.Errorf("amount %d is not positive", n)
		}
		return n, err
	}
	switch {
	case len(words) == 3 && words[0] == "deposit":
		n, err := amount(words[2])
		if err != nil {
			return err
		}
		b[words[1]] += n
	case len(words) == 4 && words[0] == "transfer":
		n, err := amount(words[3])
		if err != nil {
			return err
		}
		if b[words[1]] < n {
			return fmt.Errorf("%s has only %d", words[1], b[words[1]])
		}
		b[words[1]] -= n
		b[words[2]] += n
	default:
		return fmt.Errorf("unknown command %q", strings.Join(words, " "))
	}
	return nil
}

func main() {
	currency := flag.String("currency", "EUR", "what to print")
	quiet := flag.Bool("quiet", false, "do not tell errors")
	flag.Parse()
	b := bank{}
	in := bufio.NewReader(os.Stdin)
	for number := 1; ; number++ {
		line, err := in.ReadString('\n')
		if words := strings.Fields(line); len(words) > 0 {
			if failed := b.do(words); failed != nil && !*quiet {
				fmt.Printf("line %d: %v\n", number, failed)
			}
		}
		if err != nil {
			break
		}
	}
	names := make([]string, 0, len(b))
	for name := range b {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		fmt.Printf("%-8s%6d %s\n", name, b[name], *currency)
	}
	fmt.Println(flag.Args(), os.Getenv("BRANCH"))
}
