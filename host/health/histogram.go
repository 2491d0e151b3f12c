package health

import (
	"maps"
	"math"
	"slices"
	"time"
)

// The buckets of a Histogram: the first ends at shortest, each next one at a fourth of
// an octave more, so that a quantile is told at most 19 % too long. The last one holds
// everything longer: about an hour and more.
const (
	shortest      = 100 * time.Microsecond
	perOctave     = 4
	histogramSize = 102
)

// Histogram counts durations by bucket. The zero value is empty; it is not safe for
// concurrent use. Its size is bounded.
type Histogram map[int]uint64

func bucketOf(d time.Duration) int {
	if d <= shortest {
		return 0
	}
	i := int(math.Ceil(perOctave * math.Log2(float64(d)/float64(shortest))))
	return min(i, histogramSize-1)
}

// bucketEnd is the longest duration of a bucket.
func bucketEnd(i int) time.Duration {
	return time.Duration(float64(shortest) * math.Exp2(float64(i)/perOctave))
}

// Quantile returns a duration that the share q (0 to 1) of what was counted does not
// exceed, and 0 when nothing was counted.
func (h Histogram) Quantile(q float64) time.Duration {
	var all uint64
	for _, n := range h {
		all += n
	}
	if all == 0 {
		return 0
	}
	rank := max(uint64(math.Ceil(q*float64(all))), 1)
	var seen uint64
	for _, i := range slices.Sorted(maps.Keys(h)) {
		if seen += h[i]; seen >= rank {
			return bucketEnd(i)
		}
	}
	return bucketEnd(histogramSize - 1)
}

// add counts what another histogram counted. What a store gives back may be anything:
// a bucket that there is not is the last one.
func (h Histogram) add(o Histogram) {
	for i, n := range o {
		h[min(max(i, 0), histogramSize-1)] += n
	}
}
