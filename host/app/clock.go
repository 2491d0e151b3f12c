package app

import "time"

// clock is the machine's clock. It implements the Clock ports of the engine and of the
// use cases.
type clock struct{}

// Now returns the time.
func (clock) Now() time.Time { return time.Now() }

// After sends the time on c once d has passed; stop releases it.
func (clock) After(d time.Duration) (c <-chan time.Time, stop func()) {
	t := time.NewTimer(d)
	return t.C, func() { t.Stop() }
}
