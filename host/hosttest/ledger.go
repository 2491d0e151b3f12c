package hosttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strings"
	"sync"

	"github.com/culmhq/culm/host/systems"
)

// LedgerSystem is the id under which a ledger is registered as a system.
const LedgerSystem = "ledger"

// ledgerDocument describes the ledger to the gateway: an operation of every retry class.
const ledgerDocument = `
format: culm.system/v1
id: ledger
title: {en: Ledger}
base_url: BASE
auth: {type: none}
limits: {timeout_ms: 10000, concurrency: 64}
operations:
  - {id: look, title: {en: Look}, method: GET, path: /looks, retry: safe, risk: read}
  - {id: mark, title: {en: Mark}, method: PUT, path: /marks, retry: keyed, risk: write, body_required: true, body: {type: object}}
  - {id: book, title: {en: Book}, method: POST, path: /books, retry: never, risk: write, body_required: true, body: {type: object}}
`

// Ledger is an outside system that counts what it carries out: an http.Handler. It drops
// a repetition of a mark by its key, as a system with keys does; a booking is carried out
// whenever it is asked for. The first mark of an entry whose name begins with "flaky" is
// refused. The body of a request is {"run", "entry"}. It is safe for concurrent use.
type Ledger struct {
	// Around, if not nil, is called before a request has an effect and after it; when
	// the first call returns an error the request is as good as lost. It is set before
	// the ledger is used.
	Around func(when string) error

	mu      sync.Mutex
	marks   map[string][]string // keys under which an entry was carried out
	books   map[string]int      // how often an entry was
	refused map[string]bool
	keys    map[string]bool
}

// NewLedger makes an empty ledger.
func NewLedger() *Ledger {
	return &Ledger{marks: map[string][]string{}, books: map[string]int{}, refused: map[string]bool{}, keys: map[string]bool{}}
}

// System is the ledger's document, for an address.
func (*Ledger) System(base string) (*systems.System, error) {
	return systems.Parse([]byte(strings.Replace(ledgerDocument, "BASE", base, 1)))
}

// ServeHTTP implements http.Handler.
func (l *Ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := l.around("before the effect"); err != nil {
		panic(http.ErrAbortHandler)
	}
	status := http.StatusOK
	if r.Method != http.MethodGet {
		var in struct{ Run, Entry string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Run == "" || in.Entry == "" {
			status = http.StatusBadRequest
		} else {
			status = l.enter(r, in.Run+"/"+in.Entry, strings.HasPrefix(in.Entry, "flaky"))
		}
	}
	_ = l.around("after the effect")
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"status":%d}`, status)
}

func (l *Ledger) around(when string) error {
	if l.Around == nil {
		return nil
	}
	return l.Around(when)
}

func (l *Ledger) enter(r *http.Request, entry string, flaky bool) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Method == http.MethodPost {
		l.books[entry]++
		return http.StatusOK
	}
	key := r.Header.Get("Idempotency-Key")
	switch {
	case key == "":
		return http.StatusBadRequest
	case flaky && !l.refused[entry]:
		l.refused[entry] = true
		return http.StatusServiceUnavailable
	case l.keys[key]:
		return http.StatusOK
	}
	l.keys[key] = true
	l.marks[entry] = append(l.marks[entry], key)
	return http.StatusOK
}

// Has reports whether an entry was carried out.
func (l *Ledger) Has(run, entry string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.books[run+"/"+entry] > 0 || len(l.marks[run+"/"+entry]) > 0
}

// HasAny reports whether an entry of that name was carried out for any run.
func (l *Ledger) HasAny(entry string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for e := range l.marks {
		if strings.HasSuffix(e, "/"+entry) {
			return true
		}
	}
	return false
}

// Count is how many effects there were.
func (l *Ledger) Count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.marks) + len(l.books)
}

// Repeated names the entries that were carried out more than once.
func (l *Ledger) Repeated() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for e, keys := range l.marks {
		if len(keys) > 1 {
			out = append(out, fmt.Sprintf("mark %s under %v", e, keys))
		}
	}
	for e, n := range l.books {
		if n > 1 {
			out = append(out, fmt.Sprintf("book %s %d times", e, n))
		}
	}
	sort.Strings(out)
	return out
}

// Missing names those of a run's entries that were not carried out.
func (l *Ledger) Missing(run string, marks, books []string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []string
	for _, e := range marks {
		if len(l.marks[run+"/"+e]) == 0 {
			out = append(out, "mark "+e)
		}
	}
	for _, e := range books {
		if l.books[run+"/"+e] == 0 {
			out = append(out, "book "+e)
		}
	}
	return out
}
