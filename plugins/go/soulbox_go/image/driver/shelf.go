package main

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
)

const (
	goroot = "/usr/local/go"
	home   = "/usr/local/lib/soulbox-go"
	// Names the directory with the dependencies that the request asked for, if it did.
	dependenciesVariable = "SOULBOX_GO_DEPENDENCIES"
)

// A shelf is what was compiled ahead of time: the standard library with the modules that the image
// holds, or, if the request asked for dependencies, with those that were installed for it.
type shelf struct {
	dependencies string            // where they are, or ""
	dir          string            // has the files below, and go.sum
	importcfg    string            // every compiled package, as compiler and linker read it
	packages     map[string]bool   // that a program may import
	modules      map[string]string // path to version
}

func openShelf() (*shelf, error) {
	dependencies := os.Getenv(dependenciesVariable)
	dir := filepath.Join(home, "shelf")
	if dependencies != "" {
		dir = filepath.Join(dependencies, "shelf")
	}
	s := &shelf{
		dependencies: dependencies,
		dir:          dir,
		importcfg:    filepath.Join(dir, "importcfg"),
		packages:     map[string]bool{},
		modules:      map[string]string{},
	}
	err := eachLine(filepath.Join(dir, "packages"), func(line string) { s.packages[line] = true })
	if err != nil {
		return nil, err
	}
	err = eachLine(filepath.Join(dir, "modules"), func(line string) {
		path, version, _ := strings.Cut(line, " ")
		s.modules[path] = version
	})
	return s, err
}

// The GODEBUG settings of a main module that says it was written for an older Go, and whether
// they are known.
func godebug(version string) (string, bool) {
	var found string
	var ok bool
	err := eachLine(filepath.Join(home, "godebug"), func(line string) {
		if name, settings, _ := strings.Cut(line, " "); name == version {
			found, ok = settings, true
		}
	})
	return found, ok && err == nil
}

func eachLine(path string, do func(string)) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		do(lines.Text())
	}
	return lines.Err()
}
