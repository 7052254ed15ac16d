// Soulbox-go builds one program, offline, in a compile cell.
//
//	soulbox-go build ENTRYPOINT OUT      writes OUT/main
//	soulbox-go install DIRECTORY [MODULE[@VERSION]...]
//
// What `go build` does takes most of its time for finding out what is to be done: it looks at
// every package that the program needs, and hashes what goes into each. Here all but the program
// itself is known and compiled ahead of time. So the usual program, a few plain Go files, is
// compiled and linked at once (direct.go), and everything else is left to `go build` (full.go).
// The caller cannot tell which of them it was, but for the time it took: what one cannot do, or
// would not be sure to word as the go command does, it leaves to the other.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
)

func main() {
	// Nothing here lives long enough to be collected.
	debug.SetGCPercent(-1)
	if err := run(os.Args[1:]); err != nil {
		var told *toldError
		if errors.As(err, &told) {
			os.Stderr.WriteString(told.text)
		} else {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) == 3 && args[0] == "build":
		return build(args[1], args[2])
	case len(args) >= 2 && args[0] == "install":
		return install(args[1], args[2:])
	}
	return errors.New("usage: soulbox-go build ENTRYPOINT OUT | install DIRECTORY [MODULE...]")
}

func build(entrypoint, out string) error {
	project, err := findProject(entrypoint)
	if err != nil {
		return err
	}
	shelf, err := openShelf()
	if err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "go-build")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if plan := planDirect(project, shelf); plan != nil {
		return plan.build(work, out)
	}
	return buildFull(project, shelf, work, out)
}

// A toldError is what a tool said of the program, as the caller is to read it.
type toldError struct{ text string }

func (e *toldError) Error() string { return e.text }
