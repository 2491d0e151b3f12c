package systems

import (
	"cmp"
	"math"
	"time"
)

// The limits that hold where a document names none.
const (
	DefaultTimeout         = 30 * time.Second
	DefaultConcurrency     = 16
	DefaultRequestBytes    = 1 << 20
	DefaultResponseBytes   = 4 << 20
	DefaultBreakerFailures = 10
	DefaultBreakerOpen     = 10 * time.Second
	DefaultBreakerHalfOpen = 1
	DefaultRetryAttempts   = 3
	DefaultRetryBase       = 200 * time.Millisecond
	DefaultRetryMax        = 5 * time.Second
)

// Limits bound every call of a system; zero takes the default. They hold for the calls
// of one project: projects do not share them.
type Limits struct {
	// TimeoutMS bounds one call from the first byte to the last, its repetitions and the
	// pauses between them included, in milliseconds.
	TimeoutMS int64 `json:"timeout_ms,omitempty"`
	// Concurrency is how many calls of one project are under way at once.
	Concurrency int `json:"concurrency,omitempty"`
	// Rate is how many requests a second go out for one project, repetitions included;
	// absent means as many as there are.
	Rate float64 `json:"rate,omitempty"`
	// Burst is how many of them may go at once after a pause; absent means Rate, rounded up.
	Burst int `json:"burst,omitempty"`
	// QueueMS is how long a call waits for its turn, in milliseconds; absent means TimeoutMS.
	QueueMS int64 `json:"queue_ms,omitempty"`
	// RequestBytes and ResponseBytes bound the bodies; that of the response after
	// decompression.
	RequestBytes  int64   `json:"request_bytes,omitempty"`
	ResponseBytes int64   `json:"response_bytes,omitempty"`
	Breaker       Breaker `json:"breaker,omitzero"`
	Retry         Retries `json:"retry,omitzero"`
}

// Breaker says when a system that fails is left alone; zero takes the default.
type Breaker struct {
	// Failures is how many calls must fail within ten seconds, and be half of all calls in
	// that time, for the next ones to be refused.
	Failures int `json:"failures,omitempty"`
	// OpenMS is how long they are refused before one is tried again, in milliseconds.
	OpenMS int64 `json:"open_ms,omitempty"`
	// HalfOpen is how many are then tried at once, and must all succeed.
	HalfOpen int `json:"half_open,omitempty"`
}

// Retries says how often a call goes out that may be made again; zero takes the default.
type Retries struct {
	// Attempts counts the first one too: 1 means that nothing is repeated.
	Attempts int `json:"attempts,omitempty"`
	// BaseMS and MaxMS bound the pause before a repetition, in milliseconds: it is a random
	// part of BaseMS, doubled for each further one, and never more than MaxMS. A system that
	// names a time itself (Retry-After) is given that.
	BaseMS int64 `json:"base_ms,omitempty"`
	MaxMS  int64 `json:"max_ms,omitempty"`
}

// Timeout returns the time limit of one call.
func (l Limits) Timeout() time.Duration {
	return cmp.Or(time.Duration(l.TimeoutMS)*time.Millisecond, DefaultTimeout)
}

// Queue returns how long a call waits for its turn.
func (l Limits) Queue() time.Duration {
	return cmp.Or(time.Duration(l.QueueMS)*time.Millisecond, l.Timeout())
}

// WithDefaults returns the limits with every zero replaced by its default.
func (l Limits) WithDefaults() Limits {
	l.TimeoutMS = l.Timeout().Milliseconds()
	l.QueueMS = l.Queue().Milliseconds()
	l.Concurrency = cmp.Or(l.Concurrency, DefaultConcurrency)
	l.RequestBytes = cmp.Or(l.RequestBytes, DefaultRequestBytes)
	l.ResponseBytes = cmp.Or(l.ResponseBytes, DefaultResponseBytes)
	if l.Rate > 0 {
		l.Burst = cmp.Or(l.Burst, max(1, int(math.Ceil(l.Rate))))
	}
	l.Breaker = l.Breaker.withDefaults()
	l.Retry = l.Retry.withDefaults()
	return l
}

func (b Breaker) withDefaults() Breaker {
	return Breaker{
		Failures: cmp.Or(b.Failures, DefaultBreakerFailures),
		OpenMS:   cmp.Or(b.OpenMS, DefaultBreakerOpen.Milliseconds()),
		HalfOpen: cmp.Or(b.HalfOpen, DefaultBreakerHalfOpen),
	}
}

func (r Retries) withDefaults() Retries {
	r.Attempts = cmp.Or(r.Attempts, DefaultRetryAttempts)
	r.BaseMS = cmp.Or(r.BaseMS, DefaultRetryBase.Milliseconds())
	r.MaxMS = cmp.Or(r.MaxMS, max(r.BaseMS, DefaultRetryMax.Milliseconds()))
	return r
}

// The limits of a document's limits.
const (
	maxTimeoutMS   = 10 * 60 * 1000
	maxConcurrency = 1024
	maxBodyBytes   = 64 << 20
	maxRate        = 100_000
	maxFailures    = 10_000
	maxAttempts    = 10
)

func (l Limits) validate(c check) {
	between := func(c check, field string, v, most int64) {
		c.in(field).that(v >= 0 && v <= most, CodeRange, "must be between 1 and %d, or absent", most)
	}
	between(c, "timeout_ms", l.TimeoutMS, maxTimeoutMS)
	between(c, "concurrency", int64(l.Concurrency), maxConcurrency)
	between(c, "burst", int64(l.Burst), maxRate)
	between(c, "queue_ms", l.QueueMS, maxTimeoutMS)
	between(c, "request_bytes", l.RequestBytes, maxBodyBytes)
	between(c, "response_bytes", l.ResponseBytes, maxBodyBytes)
	c.in("rate").that(l.Rate == 0 || l.Rate >= 0.001 && l.Rate <= maxRate, CodeRangeRate, "must be between 0.001 and %d a second, or absent", maxRate)
	c.in("burst").that(l.Burst == 0 || l.Rate > 0, CodeOnlyRate, "is only for a system with a rate")
	b := c.in("breaker")
	between(b, "failures", int64(l.Breaker.Failures), maxFailures)
	between(b, "open_ms", l.Breaker.OpenMS, maxTimeoutMS)
	between(b, "half_open", int64(l.Breaker.HalfOpen), maxConcurrency)
	r := c.in("retry")
	between(r, "attempts", int64(l.Retry.Attempts), maxAttempts)
	between(r, "base_ms", l.Retry.BaseMS, maxTimeoutMS)
	between(r, "max_ms", l.Retry.MaxMS, maxTimeoutMS)
	r.in("max_ms").that(l.Retry.MaxMS == 0 || l.Retry.MaxMS >= l.Retry.BaseMS, CodeRangePause, "must not be less than base_ms")
}
