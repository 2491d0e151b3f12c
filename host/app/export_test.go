package app

import "github.com/culmhq/culm/host/runs"

// Executor makes the calls of the program's nodes.
func (c *Core) Executor() *runs.Executor { return c.executor }
