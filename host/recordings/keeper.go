package recordings

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/host/secrets"
	"github.com/culmhq/culm/pdk/contract"
)

// The limits of what waits to be stored.
const (
	queueMax      = 256
	queueBytesMax = 32 << 20
	batchMax      = 32
	// storeTimeout bounds each access to the store. To scrub and encode a full batch takes as
	// long as the machine needs, and no access that follows may pay for it.
	storeTimeout = 10 * time.Second
	// trimEvery is how often old recordings are looked for.
	trimEvery = time.Hour
	// keepWait bounds how long a failed call waits for its recording to be stored.
	keepWait = 5 * time.Second
)

// Options are what a keeper needs; all fields are required.
type Options struct {
	Repository Repository
	Secrets    Secrets
	Clock      Clock
	Logger     *slog.Logger
	Policy     Policy
}

// Keeper keeps recordings. Make one with New and Close it when no call runs any more. It
// is safe for concurrent use.
type Keeper struct {
	o Options

	mu      sync.Mutex
	queue   chan item
	waiting int64 // bytes in the queue
	dropped int   // since it was last said
	closed  bool
	done    chan struct{}

	// stored is how many bytes are stored; it belongs to the goroutine that stores.
	stored int64
}

// item is one thing to do: a call to keep, an attempt that ended well, a look for what
// is too old, or nothing but to be told when everything before it is done.
type item struct {
	call    *Call
	settled *Place
	trim    bool
	bytes   int64
	done    chan struct{} // closed when it is done, if not nil
}

// New makes a keeper. What is too old or too much goes only once Run is called or
// something new is stored: a program that only looks has another policy.
func New(o Options) *Keeper {
	if o.Policy.Mode == "" {
		o.Policy.Mode = Off
	}
	k := &Keeper{o: o, queue: make(chan item, queueMax), done: make(chan struct{})}
	go k.run()
	return k
}

// Run removes what is too old or too much, at once and from time to time, until ctx is
// done.
func (k *Keeper) Run(ctx context.Context) {
	for {
		k.put(item{trim: true})
		tick, stop := k.o.Clock.After(trimEvery)
		select {
		case <-tick:
			stop()
		case <-ctx.Done():
			stop()
			return
		}
	}
}

// Close stores what is waiting and ends the keeper.
func (k *Keeper) Close() error {
	k.mu.Lock()
	if !k.closed {
		k.closed = true
		close(k.queue)
	}
	k.mu.Unlock()
	<-k.done
	return nil
}

// Bytes bounds the recording of a call; zero says that none is wanted.
func (k *Keeper) Bytes() int64 {
	if k.o.Policy.Mode == Off {
		return 0
	}
	return k.o.Policy.CallBytes
}

// Keep keeps the recording of a call that ended, if the policy wants it. For a call that
// failed it returns once the recording is stored or cannot be; others are stored in the
// background. What cannot be stored is logged: a call never fails because of it.
func (k *Keeper) Keep(ctx context.Context, c Call) {
	it := item{}
	switch {
	case k.o.Policy.Mode == Off || c.Recording == nil:
		return
	case k.o.Policy.Mode == Failures && c.Status == Succeeded:
		if c.Phase != "" || c.Call == 0 {
			return // nothing was kept of it
		}
		it.settled = &c.Place
	default:
		it.call, it.bytes = &c, size(&c)
	}
	if (c.Status == Failed || c.Status == Unknown) && c.Run != "" { // nobody waits for a form's
		it.done = make(chan struct{})
	}
	if !k.put(it) || it.done == nil {
		return
	}
	// The call is over even when its context is: a recording of a call that was stopped
	// is worth as much.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepWait)
	defer cancel()
	select {
	case <-it.done:
	case <-ctx.Done():
	}
}

// size is about how much memory a call that waits holds.
func size(c *Call) int64 {
	n := int64(len(c.Recording.Input) + len(c.Recording.Outcome.Output) + len(c.Inputs))
	for i := range c.Recording.Events {
		n += 128 + int64(len(c.Recording.Events[i].Ask)+len(c.Recording.Events[i].Answer))
	}
	return n
}

// put queues an item, or drops it when too much is waiting.
func (k *Keeper) put(it item) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return false
	}
	full := k.waiting+it.bytes > queueBytesMax && k.waiting > 0
	if !full {
		select {
		case k.queue <- it:
			k.waiting += it.bytes
			return true
		default:
		}
	}
	k.dropped++
	return false
}

// flush waits until everything that was handed over before is stored.
func (k *Keeper) flush(ctx context.Context) {
	it := item{done: make(chan struct{})}
	k.mu.Lock()
	if k.closed {
		k.mu.Unlock()
		return
	}
	select {
	case k.queue <- it:
		k.mu.Unlock()
	default:
		k.mu.Unlock()
		return // it never empties under this load: what is stored is shown
	}
	select {
	case <-it.done:
	case <-ctx.Done():
	}
}

// run stores what is queued, in batches, until the queue is closed.
func (k *Keeper) run() {
	defer close(k.done)
	for it := range k.queue {
		items := []item{it}
	gather:
		for len(items) < batchMax {
			select {
			case more, ok := <-k.queue:
				if !ok {
					break gather
				}
				items = append(items, more)
			default:
				break gather
			}
		}
		k.store(items)
	}
}

// store stores a batch of items and tells those who wait.
func (k *Keeper) store(items []item) {
	batch := k.batch(context.Background(), items)
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	if err := k.save(ctx, batch); err != nil {
		k.o.Logger.WarnContext(ctx, "recordings of plugin calls were not stored", "error", err)
	}
	if k.stored > k.o.Policy.TotalBytes || slices.ContainsFunc(items, func(it item) bool { return it.trim }) {
		if err := k.trim(ctx); err != nil {
			k.o.Logger.WarnContext(ctx, "old recordings of plugin calls were not removed", "error", err)
		}
	}
	k.mu.Lock()
	dropped := k.dropped
	k.dropped = 0
	for _, it := range items {
		k.waiting -= it.bytes
	}
	k.mu.Unlock()
	if dropped > 0 {
		k.o.Logger.WarnContext(ctx, "recordings of plugin calls were dropped: they came faster than they can be stored", "count", dropped)
	}
	for _, it := range items {
		if it.done != nil {
			close(it.done)
		}
	}
}

func (k *Keeper) save(ctx context.Context, b Batch) (err error) {
	if len(b.Save)+len(b.Settled) > 0 {
		k.stored, err = k.o.Repository.SaveRecordings(ctx, b)
	}
	return err
}

// trim removes what is too old or too much. A tenth more than needed goes, so that it
// does not have to go one by one.
func (k *Keeper) trim(ctx context.Context) error {
	now := k.o.Clock.Now()
	total := k.o.Policy.TotalBytes
	if k.stored > total {
		total -= total / 10
	}
	stored, err := k.o.Repository.TrimRecordings(ctx, now.Add(-k.o.Policy.Age), total)
	if err != nil {
		return err
	}
	k.stored = stored
	return nil
}

// batch makes rows of the calls. One whose secrets cannot be found is not kept.
func (k *Keeper) batch(ctx context.Context, items []item) Batch {
	var b Batch
	scrubbers := map[string]*secrets.Scrubber{}
	for _, it := range items {
		if it.settled != nil {
			b.Settled = append(b.Settled, *it.settled)
		}
		if it.call == nil {
			continue
		}
		project := it.call.Project
		if _, ok := scrubbers[project]; !ok {
			s, err := k.scrubber(ctx, project)
			if err != nil {
				k.o.Logger.WarnContext(ctx, "a recording is not kept: the secrets of its project cannot be read", "project", project, "error", err)
				continue
			}
			scrubbers[project] = s
		}
		row, err := row(it.call, scrubbers[project])
		if err != nil {
			k.o.Logger.WarnContext(ctx, "a recording cannot be encoded", "run_id", it.call.Run, "node_id", it.call.Node, "error", err)
			continue
		}
		b.Save = append(b.Save, row)
	}
	return b
}

func (k *Keeper) scrubber(ctx context.Context, project string) (*secrets.Scrubber, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	return k.o.Secrets.Scrubber(ctx, project)
}

// row scrubs a recording and encodes it.
func row(c *Call, s *secrets.Scrubber) (Row, error) {
	if s == nil {
		s = secrets.NewScrubber()
	}
	c.Recording.Scrub(s.With(forms.Secrets(c.Form, c.Inputs)...).Any)
	var body bytes.Buffer
	z := gzip.NewWriter(&body)
	if err := json.NewEncoder(z).Encode(c.Recording); err != nil {
		return Row{}, err
	}
	if err := z.Close(); err != nil {
		return Row{}, err
	}
	m := Meta{
		Place: c.Place, At: c.Recording.At, Reason: c.Reason, Plugin: c.Plugin, Action: c.Action, Digest: c.Recording.Digest,
		Status: c.Status, Events: len(c.Recording.Events), Bytes: int64(body.Len()), Truncated: c.Recording.Truncated,
	}
	if c.Failure != nil {
		m.Code = c.Failure.Code
	}
	return Row{Meta: m, Body: body.Bytes()}, nil
}

// bodyMax bounds a recording when it is read back.
const bodyMax = 256 << 20

func decode(body []byte, into any) error {
	z, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return json.NewDecoder(io.LimitReader(z, bodyMax)).Decode(into)
}

// PhaseOf returns the Phase of a call's Place.
func PhaseOf(r contract.Reason) string {
	switch r {
	case contract.ReasonCancel, contract.ReasonRollback, contract.ReasonOptions:
		return string(r)
	case contract.ReasonExecute, contract.ReasonPoll, contract.ReasonTimer, contract.ReasonCallback:
		return ""
	}
	return ""
}
