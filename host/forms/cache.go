package forms

import (
	"crypto/sha256"
	"encoding/json"
	"strings"
	"sync"
)

// cacheMax bounds how many compiled schemas are kept.
const cacheMax = 1024

// Cache compiles each schema once. The zero value is ready; it is safe for concurrent
// use and holds at most a fixed number of schemas.
type Cache struct {
	mu    sync.Mutex
	forms map[[sha256.Size]byte]compiled
}

type compiled struct {
	form *Form
	err  error
}

// Form is Parse with a memory.
func (c *Cache) Form(schema json.RawMessage) (*Form, error) {
	return c.get(schema, "", func() (*Form, error) { return Parse(schema) })
}

// Relaxed is ParseRelaxed with a memory.
func (c *Cache) Relaxed(schema json.RawMessage, literal ...string) (*Form, error) {
	return c.get(schema, "relaxed "+strings.Join(literal, "/"), func() (*Form, error) { return ParseRelaxed(schema, literal...) })
}

// RelaxedValue is ParseRelaxedValue with a memory.
func (c *Cache) RelaxedValue(schema json.RawMessage) (*Form, error) {
	return c.get(schema, "value", func() (*Form, error) { return ParseRelaxedValue(schema) })
}

func (c *Cache) get(schema json.RawMessage, how string, make func() (*Form, error)) (*Form, error) {
	key := sha256.Sum256(append([]byte(how+"\x00"), schema...))
	c.mu.Lock()
	got, ok := c.forms[key]
	c.mu.Unlock()
	if ok {
		return got.form, got.err
	}
	f, err := make()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forms == nil || len(c.forms) >= cacheMax {
		// Starting over is simple, rare, and costs one compilation a schema.
		c.forms = map[[sha256.Size]byte]compiled{}
	}
	c.forms[key] = compiled{f, err}
	return f, err
}
