// Pull fields out of log lines from stdin with regular expressions.
package main

import (
	"bufio"
	"fmt"
	"os"
	"regexp"
	"sort"
	"strconv"
)

var line = regexp.MustCompile(`^(?P<ip>\S+) \S+ \S+ \[(?P<when>[^\]]+)\] "(?P<method>[A-Z]+) (?P<path>\S+)[^"]*" (?P<status>\d{3}) (?P<size>\d+|-)$`)

func main() {
	perStatus, perPath, bytes := map[string]int{}, map[string]int{}, 0
	bad := 0
	scanner := bufio.NewScanner(os.Stdin)
	for scanner.Scan() {
		found := line.FindStringSubmatch(scanner.Text())
		if found == nil {
			bad++
			continue
		}
		perStatus[found[line.SubexpIndex("status")]]++
		perPath[found[line.SubexpIndex("path")]]++
		size, _ := strconv.Atoi(found[line.SubexpIndex("size")])
		bytes += size
	}
	for _, counts := range []map[string]int{perStatus, perPath} {
		names := make([]string, 0, len(counts))
		for name := range counts {
			names = append(names, name)
		}
		sort.Slice(names, func(i, j int) bool {
			if counts[names[i]] != counts[names[j]] {
				return counts[names[i]] > counts[names[j]]
			}
			return names[i] < names[j]
		})
		for _, name := range names {
			fmt.Printf("%-12s %d\n", name, counts[name])
		}
		fmt.Println("--")
	}
	fmt.Println(bytes, "bytes,", bad, "unreadable")
	email := regexp.MustCompile(`(\w+)@(\w+)\.com`)
	fmt.Println(email.ReplaceAllString("ann@corp.com, bob@home.com", "$2/$1"))
}
