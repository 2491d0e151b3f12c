package main

import (
	"fmt"
	"runtime"
	"slices"
	"syscall"
	"time"
)

// figures are those of one operation.
type figures struct {
	min, median time.Duration // wall time of single operations
	cpu, cpuMin time.Duration // processor time of the process per operation, median and least of blocks
	n           int
}

// blockTime is the least duration of a block of the same operation.
const blockTime = 4 * time.Millisecond

// compare runs operations by turns, in blocks, until the budget is spent.
func compare(budget time.Duration, ops ...func() error) ([]figures, error) {
	per := make([]int, len(ops))
	singles, cpus := make([][]time.Duration, len(ops)), make([][]time.Duration, len(ops))
	for i, op := range ops {
		began := time.Now()
		for n := 1; ; n++ {
			if err := op(); err != nil {
				return nil, err
			}
			if spent := time.Since(began); n >= 3 && spent > blockTime || spent > 10*blockTime {
				per[i] = max(1, int(blockTime/(spent/time.Duration(n))))
				break
			}
		}
	}
	runtime.GC()
	for round, began := 0, time.Now(); round < 5 || time.Since(began) < budget*time.Duration(len(ops)); round++ {
		for k := range ops {
			i := (k + round) % len(ops)
			cpu := cpuTime()
			for range per[i] {
				at := time.Now()
				if err := ops[i](); err != nil {
					return nil, err
				}
				singles[i] = append(singles[i], time.Since(at))
			}
			cpus[i] = append(cpus[i], (cpuTime()-cpu)/time.Duration(per[i]))
		}
	}
	all := make([]figures, len(ops))
	for i := range ops {
		slices.Sort(singles[i])
		slices.Sort(cpus[i])
		all[i] = figures{
			min: singles[i][0], median: singles[i][len(singles[i])/2], cpu: cpus[i][len(cpus[i])/2], cpuMin: cpus[i][0], n: len(singles[i]),
		}
	}
	return all, nil
}

// cpuTime is the processor time of this process so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// µs writes a duration in microseconds.
func µs(d time.Duration) string {
	f := float64(d) / 1e3
	switch {
	case f < 10:
		return fmt.Sprintf("%.2f", f)
	case f < 1000:
		return fmt.Sprintf("%.1f", f)
	default:
		return fmt.Sprintf("%.0f", f)
	}
}

// ratio writes a/b.
func ratio(a, b time.Duration) string { return fmt.Sprintf("%.2f", float64(a)/float64(b)) }
