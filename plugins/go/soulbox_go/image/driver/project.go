package main

import (
	"os"
	"path/filepath"
	"strings"
)

// A project is the caller's files, as far as they belong to the program.
type project struct {
	box  string  // where all of the caller's files are
	root string  // the main module's directory; the entrypoint's if there is no module
	dir  string  // the entrypoint's
	mod  *module // nil for plain files
	odd  bool    // has something that only the go command understands
}

// A module is what a go.mod file says, if it says nothing unusual.
type module struct {
	path     string
	version  string            // of Go, such as 1.21 or 1.21.3
	requires map[string]string // path to version, of what its packages import
	indirect map[string]string // the same for what only others import: the go command writes these
	odd      bool              // says more than that
}

func findProject(entrypoint string) (*project, error) {
	box, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(filepath.Join(box, entrypoint))
	p := &project{box: box, root: dir, dir: dir}
	for up := dir; ; up = filepath.Dir(up) {
		if p.mod == nil && exists(filepath.Join(up, "go.mod")) {
			p.root = up
			p.mod, err = readModule(filepath.Join(up, "go.mod"))
			if err != nil {
				return nil, err
			}
		}
		if exists(filepath.Join(up, "go.work")) {
			p.odd = true
		}
		if up == box {
			break
		}
	}
	p.odd = p.odd || exists(filepath.Join(p.root, "vendor"))
	return p, nil
}

// readModule understands what `go mod init` and `go mod tidy` write.
func readModule(path string) (*module, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	m := &module{requires: map[string]string{}, indirect: map[string]string{}}
	block := ""
	for line := range strings.Lines(string(text)) {
		line, comment, _ := strings.Cut(line, "//")
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
		case block == "" && len(words) == 2 && words[1] == "(":
			block = words[0]
		case len(words) == 1 && words[0] == ")":
			block = ""
		default:
			if block != "" {
				words = append([]string{block}, words...)
			}
			m.take(words, strings.TrimSpace(comment) == "indirect")
		}
	}
	m.odd = m.odd || m.path == "" || m.version == ""
	return m, nil
}

func (m *module) take(words []string, indirect bool) {
	switch {
	case words[0] == "module" && len(words) == 2 && m.path == "":
		m.path = words[1]
	case words[0] == "go" && len(words) == 2:
		m.version = words[1]
	case words[0] == "toolchain" && len(words) == 2:
	case words[0] == "require" && len(words) == 3 && indirect:
		m.indirect[words[1]] = words[2]
	case words[0] == "require" && len(words) == 3:
		m.requires[words[1]] = words[2]
	default:
		m.odd = true
	}
	for _, word := range words {
		m.odd = m.odd || strings.ContainsAny(word, "\"`")
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
