package systems

import "time"

// The limits that hold where a document names none.
const (
	DefaultTimeout       = 30 * time.Second
	DefaultConcurrency   = 16
	DefaultRequestBytes  = 1 << 20
	DefaultResponseBytes = 4 << 20
)

// Limits bound every call of a system; zero takes the default.
type Limits struct {
	// TimeoutMS bounds one call from the first byte to the last, in milliseconds.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
	// Concurrency is how many calls of one project are under way at once.
	Concurrency int `json:"concurrency,omitempty"`
	// RequestBytes and ResponseBytes bound the bodies; that of the response after
	// decompression.
	RequestBytes  int64 `json:"request_bytes,omitempty"`
	ResponseBytes int64 `json:"response_bytes,omitempty"`
}

// Timeout returns the time limit of one call.
func (l Limits) Timeout() time.Duration {
	if l.TimeoutMS == 0 {
		return DefaultTimeout
	}
	return time.Duration(l.TimeoutMS) * time.Millisecond
}

// WithDefaults returns the limits with every zero replaced by its default.
func (l Limits) WithDefaults() Limits {
	l.TimeoutMS = l.Timeout().Milliseconds()
	if l.Concurrency == 0 {
		l.Concurrency = DefaultConcurrency
	}
	if l.RequestBytes == 0 {
		l.RequestBytes = DefaultRequestBytes
	}
	if l.ResponseBytes == 0 {
		l.ResponseBytes = DefaultResponseBytes
	}
	return l
}
