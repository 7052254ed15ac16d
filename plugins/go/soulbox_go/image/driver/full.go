package main

import (
	"bytes"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// plainModule is the module that plain files get, after what the go command calls a package of files
// without one.
const plainModule = "command-line-arguments"

const noDebug = "-dwarf=false"

// buildFull leaves a program to `go build`.
func buildFull(p *project, s *shelf, work, out string) error {
	if missing := missingModules(p, s); missing != "" && !p.mod.odd {
		return &toldError{missing}
	}
	if err := refuseC(p); err != nil {
		return err
	}
	args, err := fullArgs(p, s)
	if err != nil {
		return err
	}
	binary := filepath.Join(work, "main")
	cmd := exec.Command(filepath.Join(goroot, "bin/go"), append([]string{
		"build", "-o", binary, "-trimpath", "-buildvcs=false", "-ldflags=-s -w",
		"-gcflags=all=" + noDebug,
	}, args...)...)
	cmd.Dir = p.root
	if cmd.Env, err = goEnvironment(p, s, work); err != nil {
		return err
	}
	if said, err := cmd.CombinedOutput(); err != nil {
		if len(said) == 0 {
			said = []byte("go build: " + err.Error() + "\n")
		}
		return &toldError{relativeToBox(p, progress.ReplaceAllString(string(said), ""))}
	}
	return place(p, binary, filepath.Join(out, "main"))
}

// refuseC names the first import of C. The go command would leave out the file, and tell what is
// missing then.
func refuseC(p *project) error {
	names, err := filepath.Glob(filepath.Join(p.dir, "*.go"))
	if err != nil {
		return err
	}
	files := token.NewFileSet()
	for _, name := range names {
		file, err := parser.ParseFile(files, name, nil, parser.ImportsOnly)
		if err != nil {
			continue
		}
		for _, spec := range file.Imports {
			if spec.Path.Value != `"C"` {
				continue
			}
			at := files.Position(spec.Pos())
			at.Filename = strings.TrimPrefix(at.Filename, p.box+"/")
			return &toldError{at.String() + ": import \"C\": there is no cgo here\n"}
		}
	}
	return nil
}

// missingModules says which modules go.mod requires that are not on the shelf. The go command
// would say that it cannot look for them, and not what there is.
func missingModules(p *project, s *shelf) string {
	if p.mod == nil || p.odd {
		return ""
	}
	var said strings.Builder
	for _, path := range slices.Sorted(maps.Keys(p.mod.requires)) {
		version := p.mod.requires[path]
		switch there := s.modules[path]; there {
		case version:
		case "":
			fmt.Fprintf(&said, "go: go.mod requires %s %s, which is not available\n", path, version)
		default:
			const text = "go: go.mod requires %s %s, which is not available; %s is\n"
			fmt.Fprintf(&said, text, path, version, there)
		}
	}
	return said.String()
}

// goEnvironment makes the go command work offline, on caches that it cannot write. It copes with
// that, unless it wants to add a module.
func goEnvironment(p *project, s *shelf, work string) ([]string, error) {
	modules, cache := filepath.Join(home, "modules"), filepath.Join(home, "cache")
	var err error
	if s.dependencies != "" {
		there := filepath.Join(s.dependencies, "cache")
		cache, err = mirrored(work, "cache", there, cache)
	}
	if s.dependencies != "" || missingModules(p, s) != "" {
		there := filepath.Join(s.dependencies, "modules")
		var failed error
		modules, failed = mirrored(work, "modules", there, modules)
		err = errors.Join(err, failed)
	}
	return append(environment(),
		"GOCACHE="+cache,
		"GOMODCACHE="+modules,
		"GOPATH=/tmp/go",
		"GOPROXY=off",
		"GOSUMDB=off",
		"GOFLAGS=",
	), err
}

// fullArgs adds to the caller's go.mod what the shelf has, so that it can be imported without
// being required, and returns what to build, and how its files are named in tracebacks.
func fullArgs(p *project, s *shelf) ([]string, error) {
	// The paths that -trimpath would make up for the caller's files are undone again.
	const named = "=" + noDebug + " -trimpath="
	below, err := filepath.Rel(p.root, p.dir)
	if err != nil {
		return nil, err
	}
	module := plainModule
	if p.mod != nil {
		module = p.mod.path
	}
	args := []string{"-gcflags=" + module + "/..." + named, "./" + below}
	if p.odd {
		return args, nil
	}
	return append([]string{"-mod=mod"}, args...), shareModules(p, s)
}

// shareModules appends to go.mod and go.sum, or makes them; the caller's lines keep their numbers.
func shareModules(p *project, s *shelf) error {
	var lines strings.Builder
	if p.mod == nil {
		lines.WriteString("module " + plainModule + "\n\ngo " + newestLanguage() + "\n")
	}
	for path, version := range s.modules {
		if p.mod == nil || p.mod.requires[path] == "" && path != p.mod.path {
			lines.WriteString("\nrequire " + path + " " + version + " // indirect")
		}
	}
	lines.WriteString("\n")
	if err := appendTo(filepath.Join(p.root, "go.mod"), []byte(lines.String())); err != nil {
		return err
	}
	sums, err := os.ReadFile(filepath.Join(s.dir, "go.sum"))
	if err != nil {
		return err
	}
	return appendTo(filepath.Join(p.root, "go.sum"), append([]byte("\n"), sums...))
}

func appendTo(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	return errors.Join(err, file.Close())
}

// What the go command says of its search for modules, before it says that it found none.
var progress = regexp.MustCompile(`(?m)^go: (finding module for package|downloading) .*\n`)

var position = regexp.MustCompile(`(?m)(^|[ \t(])(\./)?([^\s:()]+\.go:\d+)`)

// relativeToBox names files as the caller did, who knows nothing of the module's directory.
func relativeToBox(p *project, said string) string {
	below, err := filepath.Rel(p.box, p.root)
	if err != nil || below == "." {
		return said
	}
	return position.ReplaceAllString(said, "${1}"+below+"/${3}")
}

// place moves the program to where it is wanted, if it is one: of a package that is not main, the
// go command makes an archive.
func place(p *project, from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil || !bytes.HasPrefix(text, []byte("\x7fELF")) {
		path := (&direct{project: p}).importPath(p.dir)
		return &toldError{"package " + path + " is not a main package\n"}
	}
	if os.Rename(from, to) == nil {
		return nil
	}
	return os.WriteFile(to, text, 0o755)
}
