package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// Readers copy commands out of the documents: each is there, with the flags that are named.
func TestTheCommandsOfTheDocumentsAreThere(t *testing.T) {
	t.Parallel()
	called := regexp.MustCompile("(?:^|[`\\s(])culm ([a-z][^`\n#|&>]*)")
	flag := regexp.MustCompile(`\s(--?[a-z][a-z-]*)`)
	root := (&program{}).root()
	const top = "../../.."
	found := 0
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && slices.Contains([]string{"node_modules", "testdata", ".git", "templates"}, d.Name()):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, m := range called.FindAllStringSubmatch(strings.ReplaceAll(string(text), "bin/culm ", "culm "), -1) {
			words := strings.Fields(m[1])
			c := commandOf(root, words)
			if c == root {
				if flag.MatchString(m[1]) {
					t.Errorf("%s: there is no culm %s", path, m[1])
				}
				continue // prose
			}
			found++
			for _, f := range flag.FindAllStringSubmatch(m[1], -1) {
				name := strings.TrimLeft(f[1], "-")
				if name != "help" && c.Flag(name) == nil && (len(name) > 1 || c.Flags().ShorthandLookup(name) == nil) {
					t.Errorf("%s: %s has no %s", path, c.CommandPath(), f[1])
				}
			}
		}
		return nil
	})
	if err != nil || found < 50 {
		t.Errorf("%d commands, %v", found, err)
	}
}

// commandOf follows words down to the command that they name, root where they name none.
func commandOf(root *cobra.Command, words []string) *cobra.Command {
	c := root
	for _, w := range words {
		at := slices.IndexFunc(c.Commands(), func(sub *cobra.Command) bool { return sub.Name() == w })
		if at < 0 {
			break
		}
		c = c.Commands()[at]
	}
	return c
}
