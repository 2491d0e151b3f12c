// Package culm holds what the program hands out of its own source: the library that Go
// plugins are written with, so that an author needs no access to this repository, and the
// texts that browser and command line share.
package culm

import "embed"

// PDK is the directory pdk with the module's go.mod and go.sum.
//
//go:embed pdk go.mod go.sum
var PDK embed.FS

// ZhTexts are the Chinese texts of the browser about what is refused and what fails, by
// codes and reasons: the command line says the same words.
//
//go:embed frontend/src/i18n/codes.zh.json frontend/src/i18n/manifest.zh.json frontend/src/i18n/reasons.zh.json frontend/src/i18n/wrong.zh.json
var ZhTexts embed.FS
