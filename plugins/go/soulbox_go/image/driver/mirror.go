package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// mirror makes a directory that looks as if it held the files of all the others, and can be
// written to: its files are links, and so are the directories of single modules. A cache of the
// go command can be had so from several that are read-only.
func mirror(to string, from ...string) error {
	for _, dir := range from {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			below, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			target := filepath.Join(to, below)
			module := strings.Contains(entry.Name(), "@") && entry.Name() != "@v"
			if entry.IsDir() && !module {
				return os.MkdirAll(target, 0o755)
			}
			if err := os.Symlink(path, target); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			if entry.IsDir() {
				return fs.SkipDir
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// mirrored makes a mirror in a directory, of what exists, and returns its path.
func mirrored(dir, name string, from ...string) (string, error) {
	to := filepath.Join(dir, name)
	return to, mirror(to, slices.DeleteFunc(from, func(path string) bool { return !exists(path) })...)
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}
