package main

import "io/fs"

// assets is the built canvas application, nil where it was not built.
func assets() fs.FS { return nil }
