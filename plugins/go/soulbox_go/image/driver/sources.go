package main

import (
	"bytes"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A directory is one package's Go files.
type directory struct {
	name    string   // of the package
	files   []string // names within the directory
	imports []string
}

// Whatever has one of these has to be read by the go command: it decides whether the file belongs
// to the program, or how it is compiled.
var special = [][]byte{
	[]byte("//go:build"), []byte("// +build"), []byte("//+build"),
	[]byte("//go:embed"), []byte("//go:debug"), []byte("//go:cgo_"), []byte("//line "),
}

const foreign = " .c .cc .cpp .cxx .m .h .hh .hpp .hxx .f .F .for .f90 .s .S .sx .swig .swigcxx .syso "

// The systems and architectures that a file's name can end in, which makes it a file for those.
const (
	systems = " aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd " +
		"openbsd plan9 solaris wasip1 windows zos "
	architectures = " 386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 " +
		"mips64le mips64p32 mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm "
)

// platform returns the system and the architecture that a file's name says it is for, or "".
func platform(name string) (system, architecture string) {
	stem, _, _ := strings.Cut(name, ".")
	words := strings.Split(stem, "_")[1:]
	if n := len(words); n > 0 && strings.Contains(architectures, " "+words[n-1]+" ") {
		architecture, words = words[n-1], words[:n-1]
	}
	if n := len(words); n > 0 && strings.Contains(systems, " "+words[n-1]+" ") {
		system = words[n-1]
	}
	return system, architecture
}

func forPlatform(name string) bool {
	system, architecture := platform(name)
	return (system == "" || system == runtime.GOOS) &&
		(architecture == "" || architecture == runtime.GOARCH)
}

// readDirectory returns nil for a directory that it does not understand in full.
func readDirectory(path string) *directory {
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil
	}
	d := &directory{}
	for _, entry := range entries {
		name := entry.Name()
		switch {
		case entry.IsDir(), strings.HasPrefix(name, "."), strings.HasPrefix(name, "_"):
		case strings.HasSuffix(name, "_test.go"):
		case strings.Contains(foreign, " "+filepath.Ext(name)+" "):
			return nil
		case !strings.HasSuffix(name, ".go"):
		case !d.read(path, name):
			return nil
		}
	}
	if len(d.files) == 0 {
		return nil
	}
	return d
}

func (d *directory) read(dir, name string) bool {
	if system, architecture := platform(name); system != "" || architecture != "" {
		return false
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return false
	}
	for _, word := range special {
		if bytes.Contains(text, word) {
			return false
		}
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, text, parser.ImportsOnly)
	if err != nil {
		return false
	}
	if d.name != "" && d.name != file.Name.Name {
		return false
	}
	d.name = file.Name.Name
	d.files = append(d.files, name)
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil || path == "C" {
			return false
		}
		if !slices.Contains(d.imports, path) {
			d.imports = append(d.imports, path)
		}
	}
	return true
}
