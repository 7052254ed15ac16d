package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
)

// Tools run the programs of the Go distribution.
type tools struct {
	dir string
	env []string
}

func newTools(dir string) *tools {
	return &tools{dir: dir, env: append(environment(), "GOROOT=", "PWD="+dir)}
}

// environment is all that a tool is to know: none of it is the caller's.
func environment() []string {
	return []string{
		"PATH=" + goroot + "/bin:/usr/local/bin:/usr/bin:/bin",
		"HOME=/tmp",
		"LANG=C.UTF-8",
		"GOMAXPROCS=" + os.Getenv("GOMAXPROCS"),
		// Collecting garbage only pays off for a program of a size that few have.
		"GOGC=400",
		"GOMEMLIMIT=" + os.Getenv("GOMEMLIMIT"),
		"CGO_ENABLED=0",
		"GOTOOLCHAIN=local",
		"GOENV=off",
		"XDG_CONFIG_HOME=" + filepath.Join(home, "config"), // says that telemetry is off
	}
}

// run runs a compiler or linker, whose words about a package become a `toldError`.
func (t *tools) run(name, path string, args []string) error {
	tool := filepath.Join(goroot, "pkg/tool", runtime.GOOS+"_"+runtime.GOARCH, name)
	cmd := exec.Command(tool, args...)
	cmd.Dir, cmd.Env = t.dir, t.env
	said, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return nil
	case len(said) == 0:
		return &toldError{"# " + path + "\n" + name + ": " + err.Error() + "\n"}
	}
	if !bytes.HasSuffix(said, []byte("\n")) {
		said = append(said, '\n')
	}
	return &toldError{"# " + path + "\n" + t.shortened(string(said))}
}

// shortened makes paths relative that a tool tells in full, as the go command does.
func (t *tools) shortened(said string) string {
	inDir := regexp.MustCompile(regexp.QuoteMeta(t.dir) + `/([^\s:/]+:)?`)
	return inDir.ReplaceAllStringFunc(said, func(found string) string {
		below := strings.TrimPrefix(found, t.dir+"/")
		if below == "" {
			return ""
		}
		return "./" + below
	})
}
