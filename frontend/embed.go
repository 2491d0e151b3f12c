// Package frontend embeds the built canvas application.
package frontend

import (
	"embed"
	"io/fs"
)

// The directory holds only .gitkeep until the application was built, so that the
// program also compiles without Node.
//
//go:embed all:dist
var dist embed.FS

// Assets returns the built application, rooted at its index.html, and whether it was
// built at all. Beside every larger text file lies the same file in Brotli (.br) and
// gzip (.gz). Names under assets/ carry a hash of their content and never change;
// every path of the application that is no file is answered with index.html.
func Assets() (files fs.FS, built bool) {
	files, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the pattern above guarantees the directory
	}
	_, err = fs.Stat(files, "index.html")
	return files, err == nil
}
