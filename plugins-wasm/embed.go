// Package shipped embeds the plugins that come with the binary: the modules that
// scripts/plugins built into this directory, and their index. A tree in which nothing
// was built yet still compiles, and ships none.
package shipped

import "embed"

// Files holds index.json and, for every plugin in it that was built, its module.
//
//go:embed *
var Files embed.FS
