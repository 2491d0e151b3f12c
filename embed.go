// Package culm holds what the program hands out of its own source: the library that Go
// plugins are written with, so that an author needs no access to this repository.
package culm

import "embed"

// PDK is the directory pdk with the module's go.mod and go.sum.
//
//go:embed pdk go.mod go.sum
var PDK embed.FS
