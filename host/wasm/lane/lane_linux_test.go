package lane_test

import (
	"bytes"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/culmhq/culm/host/wasm/lane"
)

const size = 4096 - 128

// pair returns the two ends of a lane, which are two mappings of one file, and the file.
func pair(t *testing.T) (host, worker *lane.Lane, f *os.File) {
	t.Helper()
	m, f, err := lane.New(1, size)
	if err != nil {
		t.Fatal(err)
	}
	other, err := lane.Open(f, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range []error{m.Close(), other.Close(), f.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return m.Lanes[0], other.Lanes[0], f
}

func TestCallsAndQuestionsGoOverAndBack(t *testing.T) {
	t.Parallel()
	host, worker, _ := pair(t)
	const calls = 2000
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range calls {
			call, body := worker.Next()
			if call != uint64(i) || len(body) != i%100 {
				t.Errorf("call %d has the number %d and %d bytes", i, call, len(body))
			}
			if !worker.Put([]byte("why?")) {
				t.Error("a question was not put")
			}
			answer, ok := worker.Answered()
			if !ok || !worker.Finish(append(answer, body...)) {
				t.Error("no answer")
			}
		}
	})
	for i := range calls {
		body := bytes.Repeat([]byte("x"), i%100)
		if !host.Ask(uint64(i), body) {
			t.Fatal("the call does not fit")
		}
		if o, piped := host.Await(time.Minute); o != lane.Question || piped {
			t.Fatalf("%v, over the pipe %v, for a question", o, piped)
		}
		if q, ok := host.Take(); !ok || string(q) != "why?" || !host.Answer([]byte("so")) {
			t.Fatalf("the question is %q", q)
		}
		if o, piped := host.Await(time.Minute); o != lane.Done || piped {
			t.Fatalf("%v, over the pipe %v, for a result", o, piped)
		}
		if r, ok := host.Take(); !ok || string(r) != "so"+string(body) {
			t.Fatalf("the result is %q", r)
		}
	}
	wg.Wait()
}

// TestWhatIsNotTakenUpIsWithdrawn: neither a call nor an answer can be taken from the
// lane any more when the host has given up on it there.
func TestWhatIsNotTakenUpIsWithdrawn(t *testing.T) {
	t.Parallel()
	host, worker, _ := pair(t)
	host.Ask(1, nil)
	if o, piped := host.Await(0); o != lane.Withdrawn || !piped {
		t.Fatalf("%v, over the pipe %v, for a call that nobody took up", o, piped)
	}
	host.Ask(2, nil)
	if call, _ := worker.Next(); call != 2 {
		t.Fatalf("the worker was given call %d", call)
	}
	worker.Put(nil)
	if o, _ := host.Await(0); o != lane.Question {
		t.Fatalf("%v for a question", o)
	}
	host.Answer([]byte("late"))
	if o, piped := host.Await(0); o != lane.Withdrawn || !piped {
		t.Fatalf("%v, over the pipe %v, for an answer that nobody took", o, piped)
	}
	if b, ok := worker.Answered(); ok {
		t.Fatalf("a withdrawn answer was taken: %q", b)
	}
	if worker.Put(nil) || worker.Finish(nil) {
		t.Error("the worker goes on at a lane that the host has left")
	}
}

func TestWhatDoesNotFitGoesOverThePipe(t *testing.T) {
	t.Parallel()
	host, worker, _ := pair(t)
	large := make([]byte, size+1)
	if host.Ask(1, large) {
		t.Error("the lane took too much")
	}
	host.Ask(1, large[:size])
	if _, body := worker.Next(); len(body) != size {
		t.Errorf("%d bytes came over", len(body))
	}
	if worker.Finish(large) {
		t.Error("the lane took too much")
	}
	if o, piped := host.Await(time.Minute); o != lane.Slow || !piped {
		t.Errorf("%v, over the pipe %v, for a result that does not fit", o, piped)
	}
}

// TestAHostileWorkerLeadsTheHostNowhere: while another process writes whatever it likes
// all over the memory, each wait of the host ends in time with one of the outcomes, and
// what it takes is no more than there is room for, and its own.
func TestAHostileWorkerLeadsTheHostNowhere(t *testing.T) {
	t.Parallel()
	host, _, f := pair(t)
	enemy(t, f, 1)
	seen := map[lane.Outcome]int{}
	for i := range 3000 {
		host.Ask(uint64(i), []byte("order"))
		for range 3 {
			began := time.Now()
			o, _ := host.Await(20 * time.Microsecond)
			if took := time.Since(began); took > 5*time.Second {
				t.Fatalf("the host waited %v", took)
			}
			seen[o]++
			b, ok := host.Take()
			if len(b) > size || ok != (b != nil) {
				t.Fatalf("%d bytes were taken, %v", len(b), ok)
			}
			mine := bytes.Clone(b)
			host.Answer([]byte("answer"))
			if !bytes.Equal(b, mine) {
				t.Fatal("what was taken changed")
			}
		}
	}
	if len(seen) < 3 {
		t.Errorf("the outcomes were %v: the enemy is not much of one", seen)
	}
}

// enemy writes all over the memory of n lanes, most of all the words of their headers, until
// the test ends.
func enemy(t *testing.T, f *os.File, n int) {
	t.Helper()
	raw, err := unix.Mmap(int(f.Fd()), 0, n*(size+128), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // a test
		for {
			select {
			case <-over:
				return
			default:
			}
			for range 1000 {
				at := r.IntN(n)*(size+128) + r.IntN(24)
				if r.IntN(4) == 0 {
					at = r.IntN(len(raw))
				}
				raw[at] = byte(r.IntN(9)) * byte(r.IntN(2)+r.IntN(2)*30)
			}
		}
	})
	t.Cleanup(func() {
		close(over)
		wg.Wait()
		if err := unix.Munmap(raw); err != nil {
			t.Error(err)
		}
	})
}

// TestTheMemoryCannotBeCutOff: a host that touched memory behind the end of its file
// would be killed.
func TestTheMemoryCannotBeCutOff(t *testing.T) {
	t.Parallel()
	_, _, f := pair(t)
	for _, n := range []int64{0, 128, 1 << 20} {
		if err := f.Truncate(n); err == nil {
			t.Errorf("the file was made %d bytes long", n)
		}
	}
	if _, err := unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE); err == nil {
		t.Error("the file took another seal")
	}
}

// TestAHammeredLaneLosesNothing: with a host that gives up all the time, each call and
// each answer arrives once, on the lane or over the pipe, and so does each result.
func TestAHammeredLaneLosesNothing(t *testing.T) {
	t.Parallel()
	host, worker, _ := pair(t)
	toWorker, toHost := make(chan []byte, 1), make(chan string, 1)
	const calls = 5000
	quit := uint64(calls)
	serve := func(onLane bool, body []byte) {
		said := "?" + string(body)
		answer, ok := []byte(nil), false
		if onLane = onLane && worker.Put([]byte(said)); onLane {
			answer, ok = worker.Answered()
			onLane = ok
		} else {
			toHost <- said
		}
		if !ok {
			answer = <-toWorker
		}
		if !onLane || !worker.Finish(answer) {
			toHost <- string(answer)
		}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			call, body := worker.Next()
			if call == quit {
				worker.Finish(nil)
				return
			}
			serve(true, body)
		}
	})
	r := rand.New(rand.NewPCG(3, 4)) //nolint:gosec // a test
	for i := range calls {
		h := hammer{lane: host, r: r, toWorker: toWorker, toHost: toHost, serve: serve, wg: &wg}
		order := []byte{byte('a' + i%26)}
		h.give(uint64(i), order)
		if q := h.hear(); q != "?"+string(order) {
			t.Fatalf("call %d: the question is %q", i, q)
		}
		h.answer(order)
		if a := h.hear(); a != string(order) {
			t.Fatalf("call %d: the result is %q", i, a)
		}
	}
	host.Ask(quit, nil)
	if o, _ := host.Await(time.Minute); o != lane.Done {
		t.Fatalf("%v at the end", o)
	}
	wg.Wait()
}

// hammer is a host that gives up at any time.
type hammer struct {
	lane     *lane.Lane
	r        *rand.Rand
	toWorker chan []byte
	toHost   chan string
	serve    func(onLane bool, body []byte)
	wg       *sync.WaitGroup
	piped    bool
	again    func()
}

func (h *hammer) give(call uint64, order []byte) {
	h.lane.Ask(call, order)
	h.again = func() { h.wg.Go(func() { h.serve(false, order) }) }
}

func (h *hammer) answer(b []byte) {
	if h.piped {
		h.toWorker <- b
		return
	}
	h.lane.Answer(b)
	h.again = func() { h.toWorker <- b }
}

func (h *hammer) hear() string {
	if h.piped {
		return <-h.toHost
	}
	o, piped := h.lane.Await(time.Duration(h.r.IntN(60)) * time.Microsecond)
	h.piped = piped
	switch o {
	case lane.Done, lane.Question:
		b, _ := h.lane.Take()
		return string(b)
	case lane.Withdrawn:
		h.again()
	case lane.Slow, lane.Running:
	}
	return <-h.toHost
}

// TestCallsGoOverWhetherSidesLookOrNot: what the host says of the processors changes how long a
// wait takes, not how it ends.
func TestCallsGoOverWhetherSidesLookOrNot(t *testing.T) {
	t.Parallel()
	host, worker, _ := pair(t)
	const calls = 500
	var wg sync.WaitGroup
	wg.Go(func() {
		for range calls {
			_, body := worker.Next()
			worker.Finish(body)
		}
	})
	for i := range calls {
		host.Crowd(i%3 != 0)
		body := []byte{byte(i)}
		host.Ask(uint64(i), body)
		if o, piped := host.Await(time.Minute); o != lane.Done || piped {
			t.Fatalf("call %d: %v, over the pipe %v", i, o, piped)
		}
		if b, ok := host.Take(); !ok || !bytes.Equal(b, body) {
			t.Fatalf("call %d said %q", i, b)
		}
	}
	wg.Wait()
}
