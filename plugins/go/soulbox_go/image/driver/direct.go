package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A direct is a program that can be compiled and linked without the go command.
type direct struct {
	project  *project
	shelf    *shelf
	units    []*unit // each after those that it imports; the last is package main
	language string  // version of Go that the program is written for, or "" for ours
	godebug  string
}

// A unit is one package of the program's own.
type unit struct {
	*directory
	dir     string
	path    string  // by which others import it
	imports []*unit // those of the program's own
	object  string
	done    chan struct{} // closed when it is compiled, or need not be any more
	err     error
}

// planDirect returns nil for a program that is the go command's business.
func planDirect(p *project, s *shelf) *direct {
	d := &direct{project: p, shelf: s}
	if p.odd || p.mod != nil && !d.takeModule(p.mod) {
		return nil
	}
	main := d.add(p.dir, map[string]*unit{})
	if main == nil || main.name != "main" {
		return nil
	}
	return d
}

// takeModule reports whether a module wants nothing but what is on the shelf.
func (d *direct) takeModule(m *module) bool {
	var known bool
	d.godebug, known = godebug(m.version)
	// A module that is called like a package of the standard library would hide it, or not.
	if m.odd || !known || d.shelf.packages[m.path] {
		return false
	}
	for path, version := range m.requires {
		if d.shelf.modules[path] != version {
			return false
		}
	}
	major, rest, _ := strings.Cut(m.version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	d.language = major + "." + minor
	return true
}

// add reads a package of the program's and, first, those that it imports. A nil in `seen` is a
// package that is being read, and to meet it means that packages import each other in a circle.
func (d *direct) add(dir string, seen map[string]*unit) *unit {
	if unit, ok := seen[dir]; ok {
		return unit
	}
	seen[dir] = nil
	files := readDirectory(dir)
	if files == nil {
		return nil
	}
	u := &unit{directory: files, dir: dir, path: d.importPath(dir), done: make(chan struct{})}
	for _, path := range files.imports {
		local, ok := d.localDir(path)
		switch {
		case !ok && (path == "unsafe" || d.shelf.packages[path]):
		case !ok || !visible(path, u.path) || exists(filepath.Join(local, "go.mod")):
			return nil
		default:
			imported := d.add(local, seen)
			if imported == nil || imported.name == "main" {
				return nil
			}
			u.imports = append(u.imports, imported)
		}
	}
	seen[dir] = u
	d.units = append(d.units, u)
	return u
}

func (d *direct) importPath(dir string) string {
	if d.project.mod == nil {
		return plainModule
	}
	below, err := filepath.Rel(d.project.root, dir)
	if err != nil || below == "." {
		return d.project.mod.path
	}
	return d.project.mod.path + "/" + filepath.ToSlash(below)
}

// localDir is the directory of a package of the main module.
func (d *direct) localDir(path string) (string, bool) {
	if d.project.mod == nil {
		return "", false
	}
	below, ok := strings.CutPrefix(path+"/", d.project.mod.path+"/")
	if !ok || below != "" && filepath.ToSlash(filepath.Clean(below))+"/" != below {
		return "", false
	}
	return filepath.Join(d.project.root, below), true
}

// visible reports whether a package may import another one of the same module: those below a
// directory called internal are for the packages around that directory.
func visible(path, importer string) bool {
	if strings.Contains("/"+path+"/", "/vendor/") {
		return false
	}
	at := strings.LastIndex("/"+path+"/", "/internal/")
	return at < 0 || strings.HasPrefix(importer+"/", path[:at]+"/") || at == 0
}

func (d *direct) build(work, out string) error {
	importcfg, err := d.writeImportcfg(work)
	if err != nil {
		return err
	}
	main := d.units[len(d.units)-1]
	tools := newTools(d.project.box)
	for _, u := range d.units {
		go func() {
			defer close(u.done)
			for _, imported := range u.imports {
				<-imported.done
				if imported.err != nil {
					u.err = errSkipped
					return
				}
			}
			u.err = d.compile(tools, u, importcfg)
		}()
	}
	if err := d.wait(); err != nil {
		return err
	}
	return d.link(tools, main, importcfg, filepath.Join(out, "main"))
}

var errSkipped = &toldError{}

// wait returns what all compilers said, as the go command would.
func (d *direct) wait() error {
	var said strings.Builder
	failed := false
	for _, u := range d.units {
		<-u.done
		if u.err != nil {
			failed = true
			said.WriteString(u.err.Error())
		}
	}
	if failed {
		return &toldError{said.String()}
	}
	return nil
}

// writeImportcfg says where the object files of the program's packages will be.
func (d *direct) writeImportcfg(work string) (string, error) {
	if len(d.units) == 1 && d.shelf.dependencies == "" {
		d.units[0].object = filepath.Join(work, "main.a")
		return d.shelf.importcfg, nil
	}
	text, err := os.ReadFile(d.shelf.importcfg)
	if err != nil {
		return "", err
	}
	there := []byte("=" + d.shelf.dependencies + "/")
	text = bytes.ReplaceAll(text, []byte("="+inDependencies), there)
	for number, u := range d.units {
		u.object = filepath.Join(work, strconv.Itoa(number)+".a")
		text = fmt.Appendf(text, "packagefile %s=%s\n", u.path, u.object)
	}
	path := filepath.Join(work, "importcfg")
	return path, os.WriteFile(path, text, 0o600)
}

func (d *direct) compile(tools *tools, u *unit, importcfg string) error {
	name := u.path
	if u.name == "main" {
		name = "main"
	}
	args := []string{"-o", u.object, "-p", name, "-complete", "-dwarf=false"}
	if d.language != "" {
		args = append(args, "-lang=go"+d.language)
	}
	args = append(args, "-c=2", "-nolocalimports", "-importcfg", importcfg, "-pack")
	prefix := "./"
	if below, err := filepath.Rel(d.project.box, u.dir); err == nil && below != "." {
		prefix = below + "/"
	}
	if strings.HasPrefix(prefix, "-") {
		prefix = "./" + prefix // or it would be taken for an option
	}
	for _, file := range u.files {
		args = append(args, prefix+file)
	}
	return tools.run("compile", u.path, args)
}

func (d *direct) link(tools *tools, u *unit, importcfg, out string) error {
	// Tracebacks come from the runtime's own tables: -s and -w leave out what debuggers read.
	args := []string{"-o", out, "-importcfg", importcfg, "-buildmode=exe", "-s", "-w"}
	if d.godebug != "" {
		args = append(args, "-X=runtime.godebugDefault="+d.godebug)
	}
	return tools.run("link", u.path, append(args, u.object))
}
