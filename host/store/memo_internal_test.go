package store

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
)

func TestAMemoForgetsWithEveryWrite(t *testing.T) {
	t.Parallel()
	type key struct{ id string }
	m := &memo{}
	reads := 0
	get := func() int {
		v, err := memorized(m, key{"a"}, func() (int, error) { reads++; return reads, nil })
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for range 2 {
		if got := get(); got != 1 {
			t.Errorf("it was read %d times", reads)
		}
	}
	m.forget()
	for range 2 {
		if got := get(); got != 2 {
			t.Errorf("after a write it was read %d times", reads)
		}
	}
	if _, err := memorized(m, key{"b"}, func() (int, error) { return 0, errors.New("gone") }); err == nil {
		t.Error("an error was swallowed")
	}
	if v, err := memorized(m, key{"b"}, func() (int, error) { return 7, nil }); err != nil || v != 7 {
		t.Errorf("after an error: %d, %v", v, err)
	}
	// What is read while something is written may be old, and is not kept.
	v, _ := memorized(m, key{"c"}, func() (int, error) { m.forget(); return 1, nil })
	if again, _ := memorized(m, key{"c"}, func() (int, error) { return 2, nil }); v != 1 || again != 2 {
		t.Errorf("got %d, then %d", v, again)
	}
}

// Readers and a writer at once: whoever asks after a write was done sees it or a later one.
func TestNobodySeesWhatWasThereBeforeAWrite(t *testing.T) {
	t.Parallel()
	type key struct{}
	m := &memo{}
	var stored, done atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				least := done.Load()
				v, err := memorized(m, key{}, func() (int64, error) { return stored.Load(), nil })
				if err != nil || v < least {
					t.Errorf("got %d after %d was written, %v", v, least, err)
					return
				}
			}
		})
	}
	for i := range int64(20_000) {
		stored.Store(i)
		m.forget()
		done.Store(i)
	}
	close(stop)
	wg.Wait()
}

func TestAMemoIsBounded(t *testing.T) {
	t.Parallel()
	m := &memo{}
	for i := range 3 * memoMax {
		if _, err := memorized(m, fmt.Sprint(i), func() (int, error) { return i, nil }); err != nil {
			t.Fatal(err)
		}
	}
	if len(m.kept) > memoMax {
		t.Errorf("it holds %d", len(m.kept))
	}
}
