package lane_test

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/culmhq/culm/host/wasm/lane"
)

// several returns the two ends of some lanes, and their file.
func several(t *testing.T, n int) (host, worker []*lane.Lane, f *os.File) {
	t.Helper()
	m, f, err := lane.New(n, size)
	if err != nil {
		t.Fatal(err)
	}
	other, err := lane.Open(f, n)
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
	return m.Lanes, other.Lanes, f
}

// TestCallsBehindAnotherAreServedInTheirOrder: each once, and the host is woken at the end.
func TestCallsBehindAnotherAreServedInTheirOrder(t *testing.T) {
	t.Parallel()
	host, worker, _ := several(t, 4)
	const rounds = 500
	var wg sync.WaitGroup
	var served []uint64
	wg.Go(func() {
		for range rounds {
			id, body := worker[0].Next()
			served = append(served, id)
			behind := worker[0].Behind()
			worker[0].Finish(body)
			for _, q := range behind {
				id, body, ok := q.TakeUp()
				if !ok {
					t.Error("a call could not be taken up")
				}
				served = append(served, id)
				q.Lane.Finish(body)
			}
		}
	})
	var want []uint64
	for i := range uint64(rounds) {
		behind := host[1 : 2+i%3]
		want = append(want, 10*i)
		for j, l := range behind {
			l.Queue(10*i+uint64(j)+1, []byte{byte(i), byte(j)})
			want = append(want, 10*i+uint64(j)+1)
		}
		host[0].Ask(10*i, []byte{byte(i)}, behind...)
		behind[len(behind)-1].AwaitLast(time.Minute)
		for j := len(behind) - 1; j >= 0; j-- {
			if o := behind[j].Settle(); o != lane.Done {
				t.Fatalf("round %d: call %d is %v", i, j, o)
			}
			if b, ok := behind[j].Take(); !ok || string(b) != string([]byte{byte(i), byte(j)}) {
				t.Fatalf("round %d: call %d said %q", i, j, b)
			}
		}
		if !host[0].IsDone() {
			t.Fatalf("round %d: the first is not done", i)
		}
	}
	wg.Wait()
	if !slices.Equal(served, want) {
		t.Error("the calls were not served in their order")
	}
}

// TestCallsBehindOneThatIsNotShortComeBack: those that the worker gives back wake the host,
// and none is taken up that was given back, withdrawn, or is another call by now.
func TestCallsBehindOneThatIsNotShortComeBack(t *testing.T) {
	t.Parallel()
	host, worker, _ := several(t, 3)
	host[1].Queue(2, nil)
	host[2].Queue(3, nil)
	host[0].Ask(1, nil, host[1:]...)
	worker[0].Next()
	behind := worker[0].Behind()
	var wg sync.WaitGroup
	wg.Go(func() { lane.Return(behind) })
	host[2].AwaitLast(time.Minute)
	for _, l := range []*lane.Lane{host[2], host[1]} {
		if o := l.Settle(); o != lane.Withdrawn {
			t.Errorf("a call that was given back is %v", o)
		}
	}
	wg.Wait()
	if worker[0].Put(nil); host[0].IsDone() {
		t.Error("a call that asks is said to be done")
	}

	host[1].Queue(4, nil) // another call, behind another one
	if _, _, ok := behind[0].TakeUp(); ok {
		t.Error("a call was taken up by who was not told of it")
	}
	if o := host[1].Settle(); o != lane.Withdrawn {
		t.Errorf("a call that nobody took up is %v", o)
	}
	host[1].Queue(5, nil)
	host[0].Ask(6, nil, host[1])
	worker[0].Next()
	next := worker[0].Behind()
	if _, _, ok := next[0].TakeUp(); !ok {
		t.Error("a call was not taken up")
	}
	if o := host[1].Settle(); o != lane.Running {
		t.Errorf("a call that was taken up is %v", o)
	}
	if o, piped := host[1].Await(0); o != lane.Slow || !piped {
		t.Errorf("%v, over the pipe %v, for a call that takes its time", o, piped)
	}
}

// TestAHostileWorkerHoldsNoQueue: whatever stands in the lanes of calls behind another, the
// host soon has an outcome for each.
func TestAHostileWorkerHoldsNoQueue(t *testing.T) {
	t.Parallel()
	const n = 4
	host, _, f := several(t, n)
	enemy(t, f, n)
	seen := map[lane.Outcome]int{}
	for i := range uint64(3000) {
		for j, l := range host[1:] {
			l.Queue(n*i+uint64(j)+1, []byte("order"))
		}
		host[0].Ask(n*i, []byte("order"), host[1:]...)
		began := time.Now()
		host[n-1].AwaitLast(20 * time.Microsecond)
		for j := n - 1; j > 0; j-- {
			seen[host[j].Settle()]++
			if b, ok := host[j].Take(); len(b) > size || ok != (b != nil) {
				t.Fatalf("%d bytes were taken, %v", len(b), ok)
			}
		}
		host[0].IsDone()
		if took := time.Since(began); took > 5*time.Second {
			t.Fatalf("the host waited %v", took)
		}
	}
	if seen[lane.Withdrawn] == 0 || seen[lane.Running] == 0 {
		t.Errorf("the outcomes were %v: the enemy is not much of one", seen)
	}
}
