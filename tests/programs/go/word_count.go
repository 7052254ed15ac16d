// Count words of stdin, the most frequent first.
package main

import (
	"bufio"
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode"
)

func main() {
	counts := map[string]int{}
	letters, lines := 0, 0
	reader := bufio.NewScanner(os.Stdin)
	for reader.Scan() {
		lines++
		words := strings.FieldsFunc(reader.Text(), func(r rune) bool {
			return !unicode.IsLetter(r) && r != '\''
		})
		for _, word := range words {
			counts[strings.ToLower(word)]++
			letters += len([]rune(word))
		}
	}
	words := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
	for _, word := range words[:8] {
		fmt.Printf("%6s %s %d\n", word, strings.Repeat("#", counts[word]), counts[word])
	}
	fmt.Println(lines, "lines,", len(words), "different words,", letters, "letters")
	title := strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, "Grüße aus Köln")
	fmt.Println(title, len(title), strings.Count(title, ""))
}
