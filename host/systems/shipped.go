package systems

import (
	"embed"
	"fmt"
	"io/fs"
)

//go:embed data/*.yaml
var shipped embed.FS

// Shipped returns the systems that come with the program, in the order of their ids.
// Their base URLs are where such a server listens by default; an administrator sets
// his own.
func Shipped() ([]*System, error) {
	files, err := fs.Glob(shipped, "data/*.yaml")
	if err != nil {
		return nil, fmt.Errorf("systems: list the shipped documents: %w", err)
	}
	out := make([]*System, 0, len(files))
	for _, name := range files {
		data, err := shipped.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("systems: read %s: %w", name, err)
		}
		s, err := Parse(data)
		if err != nil {
			return nil, fmt.Errorf("systems: %s: %w", name, err)
		}
		out = append(out, s)
	}
	return out, nil
}
