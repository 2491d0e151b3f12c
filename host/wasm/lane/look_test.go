package lane_test

import (
	"slices"
	"testing"

	"github.com/culmhq/culm/host/wasm/lane"
)

// TestWaitsLookLessWhereLookingIsOfNoUse: each time that nothing was seen, twice as many waits
// are left to the kernel, and far more where a stranger took the processor; what was of use
// brings looking back by and by.
func TestWaitsLookLessWhereLookingIsOfNoUse(t *testing.T) {
	t.Parallel()
	var s lane.Sight
	if n := s.Blind(); n != 0 {
		t.Errorf("%d waits do not look, and nothing has happened", n)
	}
	blind := func(times int, what func()) (all []int) {
		for range times {
			what()
			all = append(all, s.Blind())
		}
		return all
	}
	if got, want := blind(9, s.LostGlance), []int{1, 2, 4, 8, 16, 32, 64, 128, 128}; !slices.Equal(got, want) {
		t.Errorf("after glances in vain: %v, want %v", got, want)
	}
	if got, want := blind(7, s.LostToStranger), []int{256, 512, 1024, 2048, 4096, 4096, 4096}; !slices.Equal(got, want) {
		t.Errorf("after turns of strangers: %v, want %v", got, want)
	}
	if got, want := blind(1, s.LostGlance), []int{4096}; !slices.Equal(got, want) {
		t.Errorf("a glance in vain shortens it: %v, want %v", got, want)
	}
	for range 13 {
		s.Seen()
	}
	if got, want := blind(2, s.LostGlance), []int{1, 2}; !slices.Equal(got, want) {
		t.Errorf("after looking was of use: %v, want %v", got, want)
	}
	if got, want := blind(1, s.LostToStranger), []int{64}; !slices.Equal(got, want) {
		t.Errorf("after the first turn of a stranger: %v, want %v", got, want)
	}
}
