// Files that are compiled in, and a file for another system that is left out.
package main

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed data
var data embed.FS

//go:embed data/poem.txt
var poem string

func main() {
	fmt.Print(poem)
	err := fs.WalkDir(data, ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			fmt.Println(path)
		}
		return err
	})
	fmt.Println(err, system)
}
