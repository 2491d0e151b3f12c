package main

import (
	"io/fs"

	"github.com/culmhq/culm/frontend"
)

// assets is the built canvas application, nil where it was not built.
func assets() fs.FS {
	files, built := frontend.Assets()
	if !built {
		return nil
	}
	return files
}
