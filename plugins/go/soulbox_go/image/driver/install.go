package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// inDependencies begins, in an importcfg, the path of a file below the directory with the
// dependencies, which is installed in one place and used in another.
const inDependencies = "@/"

// An installer fills a directory with a shelf, a module cache and a build cache. The image's own is
// made from nothing; one with a request's dependencies is made upon it, and holds only what the
// image's has not.
type installer struct {
	dir    string
	module string // directory of a module that requires all that is wanted
	image  bool
}

func install(dir string, wanted []string) error {
	module, err := os.MkdirTemp("", "go-install")
	if err != nil {
		return err
	}
	defer os.RemoveAll(module)
	i := &installer{dir: dir, module: module, image: dir == home}
	roots, err := i.begin()
	if err != nil {
		return err
	}
	if len(wanted) > 0 {
		if err := i.run(nil, append([]string{"get"}, wanted...)...); err != nil {
			return err
		}
	}
	for _, word := range wanted {
		path, _, _ := strings.Cut(word, "@")
		path = strings.TrimSuffix(path, "/...")
		if !slices.Contains(roots, path) {
			roots = append(roots, path)
		}
	}
	if err := i.compile(roots); err != nil {
		return err
	}
	return i.finish(roots)
}

// begin returns the modules that the shelf, or the one it is made upon, has been asked for.
func (i *installer) begin() ([]string, error) {
	base := filepath.Join(home, "shelf")
	if err := os.MkdirAll(filepath.Join(i.dir, "shelf"), 0o755); err != nil {
		return nil, err
	}
	if i.image {
		// Without any module nothing else would make these.
		err := errors.Join(
			i.write("go.sum", ""), os.MkdirAll(filepath.Join(i.dir, "modules"), 0o755),
		)
		if err != nil {
			return nil, err
		}
		text := "module main\n\ngo " + newestLanguage() + "\n"
		return nil, os.WriteFile(filepath.Join(i.module, "go.mod"), []byte(text), 0o644)
	}
	for _, name := range []string{"modules", "cache"} {
		if err := mirror(filepath.Join(i.dir, name), filepath.Join(home, name)); err != nil {
			return nil, err
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := copyFile(filepath.Join(base, name), filepath.Join(i.module, name)); err != nil {
			return nil, err
		}
	}
	var roots []string
	err := eachLine(filepath.Join(base, "roots"), func(line string) { roots = append(roots, line) })
	return roots, err
}

// compile compiles the standard library and all packages of the modules, and writes what came of
// it to the shelf. Left out is a package that cannot be compiled here, such as one that needs C, or
// one that needs a module that `go get` did not find a use for: gonum's examples draw with another
// module, which would bring ten more. Of each module there must be a package that can be compiled.
func (i *installer) compile(roots []string) error {
	patterns := []string{"std"}
	for _, root := range roots {
		patterns = append(patterns, root+"/...")
	}
	// All that is needed is fetched before anything of it is removed.
	if err := i.run(nil, append([]string{"list", "-e", "-deps"}, patterns...)...); err != nil {
		return err
	}
	if i.image {
		err := errors.Join(prune(filepath.Join(i.dir, "modules")), prune(goroot+"/src"))
		if err != nil {
			return err
		}
	}
	public, err := i.public(patterns)
	if err != nil {
		return err
	}
	const format = "{{if .Export}}{{.ImportPath}}={{.Export}}{{end}}"
	var listed bytes.Buffer
	err = i.run(&listed, append([]string{
		"list", "-e", "-deps", "-export", "-trimpath", "-gcflags=all=" + noDebug, "-f", format,
	}, public...)...)
	if err != nil {
		return err
	}
	return i.writePackages(roots, listed.String())
}

// public lists the packages that a program may import, out of those that are there.
func (i *installer) public(patterns []string) ([]string, error) {
	const format = "{{if and (ne .Name `main`) .GoFiles}}{{.ImportPath}}{{end}}"
	var listed bytes.Buffer
	err := i.run(&listed, append([]string{"list", "-e", "-f", format}, patterns...)...)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(strings.Fields(listed.String()), hidden), nil
}

func hidden(path string) bool {
	padded := "/" + path + "/"
	return strings.Contains(padded, "/internal/") || strings.Contains(padded, "/vendor/")
}

func (i *installer) writePackages(roots []string, listed string) error {
	var importcfg, packages strings.Builder
	found := map[string]bool{}
	for line := range strings.Lines(listed) {
		path, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		if path == "" {
			continue
		}
		file, err := i.where(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&importcfg, "packagefile %s=%s\n", path, file)
		if !hidden(path) {
			fmt.Fprintln(&packages, path)
		}
		for _, root := range roots {
			found[root] = found[root] || strings.HasPrefix(path+"/", root+"/")
		}
	}
	for _, root := range roots {
		if !found[root] {
			return fmt.Errorf("%s: no package of it can be compiled here", root)
		}
	}
	return errors.Join(
		i.write("importcfg", importcfg.String()), i.write("packages", packages.String()),
	)
}

// where is a compiled package's place when the shelf is used.
func (i *installer) where(file string) (string, error) {
	if i.image {
		return file, nil
	}
	real, err := filepath.EvalSymlinks(file)
	if err != nil {
		return "", err
	}
	dir, err := filepath.EvalSymlinks(i.dir)
	if err != nil {
		return "", err
	}
	if below, ok := strings.CutPrefix(real, dir+"/"); ok {
		return inDependencies + below, nil
	}
	return real, nil
}

// finish writes the rest of the shelf, and removes what has had its use.
func (i *installer) finish(roots []string) error {
	// It fetches what the go command will want to know of other modules when it is offline.
	if err := i.run(nil, "list", "-m", "all"); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		err := copyFile(filepath.Join(i.module, name), filepath.Join(i.dir, "shelf", name))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	mod, err := readModule(filepath.Join(i.module, "go.mod"))
	if err != nil {
		return err
	}
	var modules strings.Builder
	maps.Copy(mod.requires, mod.indirect)
	for _, path := range slices.Sorted(maps.Keys(mod.requires)) {
		fmt.Fprintln(&modules, path, mod.requires[path])
	}
	return errors.Join(
		i.write("modules", modules.String()),
		i.write("roots", strings.Join(roots, "\n")),
		filepath.WalkDir(i.dir, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && (entry.Type()&fs.ModeSymlink != 0 || filepath.Ext(path) == ".zip") {
				err = os.Remove(path)
			}
			return err
		}),
	)
}

func (i *installer) write(name, text string) error {
	return os.WriteFile(filepath.Join(i.dir, "shelf", name), []byte(text), 0o644)
}

// run runs the go command with network, for that is what installing is for; what it prints goes
// to `out`, and nowhere if that is nil.
func (i *installer) run(out *bytes.Buffer, args ...string) error {
	cmd := exec.Command(filepath.Join(goroot, "bin/go"), args...)
	cmd.Dir = i.module
	cmd.Env = append(environment(),
		"GOCACHE="+filepath.Join(i.dir, "cache"),
		"GOMODCACHE="+filepath.Join(i.dir, "modules"),
		"GOPATH=/tmp/go",
		"GOFLAGS=-modcacherw",
	)
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); network(name) {
			cmd.Env = append(cmd.Env, variable)
		}
	}
	var said bytes.Buffer
	cmd.Stderr = &said
	if out != nil {
		cmd.Stdout = out
	}
	if err := cmd.Run(); err != nil {
		return &toldError{said.String() + "go " + args[0] + ": " + err.Error() + "\n"}
	}
	return nil
}

// network reports whether a variable says how to reach a registry.
func network(name string) bool {
	upper := strings.ToUpper(name)
	return strings.HasSuffix(upper, "_PROXY") || strings.HasPrefix(name, "SSL_CERT_") ||
		slices.Contains([]string{
			"GOPROXY", "GONOPROXY", "GOSUMDB", "GONOSUMDB", "GOPRIVATE", "GOINSECURE", "GOAUTH",
			"NETRC",
		}, name)
}

// prune removes sources that no program is made of here.
func prune(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !entry.IsDir() && needless(entry.Name()):
			return os.Remove(path)
		case entry.IsDir() && entry.Name() == "testdata":
			if err := os.RemoveAll(path); err != nil {
				return err
			}
			return fs.SkipDir
		}
		return nil
	})
}

func needless(name string) bool {
	ext := filepath.Ext(name)
	if strings.HasSuffix(name, "_test.go") || ext == ".md" {
		return true
	}
	return (ext == ".go" || ext == ".s") && !forPlatform(name)
}

func newestLanguage() string { return strings.TrimPrefix(runtime.Version(), "go") }
