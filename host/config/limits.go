package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Limits are the limits of plugins; docs/limits.md says what each is for and what
// happens beyond it. A manifest and a single call can only lower one.
type Limits struct {
	// What a module may declare.
	Module        Size `yaml:"module"`
	Manifest      Size `yaml:"manifest"`
	Function      Size `yaml:"function"`
	Functions     int  `yaml:"functions"`
	Locals        int  `yaml:"locals"`
	Types         int  `yaml:"types"`
	Globals       int  `yaml:"globals"`
	Exports       int  `yaml:"exports"`
	Elements      int  `yaml:"elements"`
	Imports       int  `yaml:"imports"`
	Customs       int  `yaml:"customs"`
	DataSegments  int  `yaml:"data_segments"`
	Tables        int  `yaml:"tables"`
	TableElements int  `yaml:"table_elements"`
	// Compiling and initialising it.
	Compile       time.Duration `yaml:"compile"`
	CompileMemory Size          `yaml:"compile_memory"`
	Start         time.Duration `yaml:"start"`
	// A call.
	Timeout    time.Duration `yaml:"timeout"`
	Guest      time.Duration `yaml:"guest"`
	Memory     Size          `yaml:"memory"`
	Blocks     Size          `yaml:"blocks"`
	Input      Size          `yaml:"input"`
	Output     Size          `yaml:"output"`
	Log        Size          `yaml:"log"`
	LogLine    Size          `yaml:"log_line"`
	HostCalls  int           `yaml:"host_calls"`
	SmallCalls int           `yaml:"small_calls"`
	Request    Size          `yaml:"request"`
	Response   Size          `yaml:"response"`
	Var        Size          `yaml:"var"`
	// The host as a whole. Parallel 0 takes the number of processors.
	Parallel int `yaml:"parallel"`
	Loaded   int `yaml:"loaded"`
	// Worker processes.
	Workers      int           `yaml:"workers"`
	WorkerCalls  int           `yaml:"worker_calls"`
	WorkerMemory Size          `yaml:"worker_memory"`
	WorkerIdle   time.Duration `yaml:"worker_idle"`
	WorkerGrace  time.Duration `yaml:"worker_grace"`
}

// defaultLimits are the limits that Culm ships with. A test of host/app holds them to
// those of the plugin host.
func defaultLimits() Limits {
	return Limits{
		Module: 16 << 20, Manifest: 1 << 20, Function: 7 << 20, Functions: 100_000, Locals: 50_000, Types: 10_000,
		Globals: 10_000, Exports: 10_000, Elements: 10_000, Imports: 500, Customs: 1_000, DataSegments: 300_000,
		Tables: 16, TableElements: 1 << 17,
		Compile: 20 * time.Second, CompileMemory: 400 << 20, Start: time.Second,
		Timeout: time.Minute, Guest: 5 * time.Second, Memory: 64 << 20, Blocks: 16 << 20, Input: 4 << 20, Output: 1 << 20,
		Log: 64 << 10, LogLine: 4 << 10, HostCalls: 64, SmallCalls: 1000, Request: 1 << 20, Response: 6 << 20, Var: 256 << 10,
		Loaded:  64,
		Workers: 16, WorkerCalls: 4, WorkerMemory: 512 << 20, WorkerIdle: 5 * time.Minute, WorkerGrace: time.Second,
	}
}

// Size is a number of bytes, written as a number or with KiB, MiB or GiB.
type Size int64

// units are the units of a Size, from the largest.
func units() []struct {
	name  string
	bytes Size
} {
	return []struct {
		name  string
		bytes Size
	}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
}

// String writes the size with the largest unit that it is a multiple of.
func (s Size) String() string {
	for _, u := range units() {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(s), 10)
}

// parseSize reads what String writes.
func parseSize(text string) (Size, error) {
	factor := Size(1)
	number := strings.TrimSpace(text)
	for _, u := range units() {
		if rest, ok := strings.CutSuffix(number, u.name); ok {
			number, factor = strings.TrimSpace(rest), u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/int64(factor) {
		return 0, fmt.Errorf("%q is not a size such as 64MiB", text)
	}
	return Size(n) * factor, nil
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (s *Size) UnmarshalYAML(n *yaml.Node) (err error) {
	*s, err = parseSize(n.Value)
	return err
}

// limit is one limit as a setting. Exactly one of the accessors is set.
type limit struct {
	field    string
	doc      string
	size     func(*Limits) *Size
	count    func(*Limits) *int
	duration func(*Limits) *time.Duration
	min, max int64 // bytes, number or nanoseconds
}

// Bounds of what may be set.
const (
	countMax = 10_000_000
	sizeMax  = 4 << 30
)

// limits lists the limits, in the order of the table in docs/limits.md.
func limits() []limit {
	size := func(field, doc string, low, high int64, p func(*Limits) *Size) limit {
		return limit{field: field, doc: doc, size: p, min: low, max: high}
	}
	count := func(field, doc string, low int64, p func(*Limits) *int) limit {
		return limit{field: field, doc: doc, count: p, min: low, max: countMax}
	}
	span := func(field, doc string, p func(*Limits) *time.Duration) limit {
		return limit{field: field, doc: doc, duration: p, min: int64(time.Millisecond), max: int64(24 * time.Hour)}
	}
	return []limit{
		size("module", "size of a module", 1<<10, 64<<20, func(l *Limits) *Size { return &l.Module }),
		size("manifest", "size of a manifest", 1<<10, 64<<20, func(l *Limits) *Size { return &l.Manifest }),
		size("function", "size of a function", 1<<10, 64<<20, func(l *Limits) *Size { return &l.Function }),
		count("functions", "functions of a module", 1, func(l *Limits) *int { return &l.Functions }),
		count("locals", "locals of a function", 1, func(l *Limits) *int { return &l.Locals }),
		count("types", "types of a module", 1, func(l *Limits) *int { return &l.Types }),
		count("globals", "globals of a module", 1, func(l *Limits) *int { return &l.Globals }),
		count("exports", "exports of a module", 1, func(l *Limits) *int { return &l.Exports }),
		count("elements", "element segments of a module", 1, func(l *Limits) *int { return &l.Elements }),
		count("imports", "imports of a module", 1, func(l *Limits) *int { return &l.Imports }),
		count("customs", "custom sections of a module", 1, func(l *Limits) *int { return &l.Customs }),
		count("data_segments", "data segments of a module", 1, func(l *Limits) *int { return &l.DataSegments }),
		count("tables", "tables of a module", 1, func(l *Limits) *int { return &l.Tables }),
		count("table_elements", "elements of a table", 1, func(l *Limits) *int { return &l.TableElements }),
		span("compile", "processor time of compiling a module", func(l *Limits) *time.Duration { return &l.Compile }),
		size("compile_memory", "memory of compiling a module", 64<<20, 64<<30, func(l *Limits) *Size { return &l.CompileMemory }),
		span("start", "time of initialising a module", func(l *Limits) *time.Duration { return &l.Start }),
		span("timeout", "time of a call", func(l *Limits) *time.Duration { return &l.Timeout }),
		span("guest", "time of a call in the plugin's own code", func(l *Limits) *time.Duration { return &l.Guest }),
		size("memory", "linear memory of a call", 64<<10, sizeMax, func(l *Limits) *Size { return &l.Memory }),
		size("blocks", "memory blocks of a call", 64<<10, sizeMax, func(l *Limits) *Size { return &l.Blocks }),
		size("input", "input of a call", 1<<10, sizeMax, func(l *Limits) *Size { return &l.Input }),
		size("output", "output of a call", 1<<10, sizeMax, func(l *Limits) *Size { return &l.Output }),
		size("log", "log of a call", 1<<10, sizeMax, func(l *Limits) *Size { return &l.Log }),
		size("log_line", "line of a log", 64, sizeMax, func(l *Limits) *Size { return &l.LogLine }),
		count("host_calls", "gateway calls of a call", 1, func(l *Limits) *int { return &l.HostCalls }),
		count("small_calls", "calls of eval, of variables and of progress, each", 1, func(l *Limits) *int { return &l.SmallCalls }),
		size("request", "gateway request", 1<<10, sizeMax, func(l *Limits) *Size { return &l.Request }),
		size("response", "gateway response", 1<<10, sizeMax, func(l *Limits) *Size { return &l.Response }),
		size("var", "variable", 1<<10, sizeMax, func(l *Limits) *Size { return &l.Var }),
		count("parallel", "plugins that compute at once; 0 takes the number of processors", 0, func(l *Limits) *int { return &l.Parallel }),
		count("loaded", "modules kept ready", 1, func(l *Limits) *int { return &l.Loaded }),
		count("workers", "worker processes", 1, func(l *Limits) *int { return &l.Workers }),
		count("worker_calls", "calls that a worker process serves at once", 1, func(l *Limits) *int { return &l.WorkerCalls }),
		size("worker_memory", "memory of a worker process", 128<<20, 64<<30, func(l *Limits) *Size { return &l.WorkerMemory }),
		span("worker_idle", "time for which an idle worker process is kept", func(l *Limits) *time.Duration { return &l.WorkerIdle }),
		span("worker_grace", "time after its limit until a call that does not end has its process killed", func(l *Limits) *time.Duration { return &l.WorkerGrace }),
	}
}

// value is the limit as a number.
func (k limit) value(l *Limits) int64 {
	switch {
	case k.size != nil:
		return int64(*k.size(l))
	case k.count != nil:
		return int64(*k.count(l))
	}
	return int64(*k.duration(l))
}

// write writes the number n as the limit is written.
func (k limit) write(n int64) string {
	switch {
	case k.size != nil:
		return Size(n).String()
	case k.count != nil:
		return strconv.FormatInt(n, 10)
	}
	return time.Duration(n).String()
}

// parse sets the limit from text.
func (k limit) parse(l *Limits, text string) (err error) {
	switch {
	case k.size != nil:
		*k.size(l), err = parseSize(text)
		return err
	case k.count != nil:
		if *k.count(l), err = strconv.Atoi(text); err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		return nil
	}
	if *k.duration(l), err = time.ParseDuration(text); err != nil {
		return fmt.Errorf("%q is not a duration such as 10s", text)
	}
	return nil
}

// limitSettings lists the limits as settings.
func limitSettings() []Setting {
	var ss []Setting
	for _, k := range limits() {
		ss = append(ss, named(Setting{
			Field: "limits." + k.field, Doc: "limit of plugins: " + k.doc, Limit: true,
			set: func(c *Config, v string) error { return k.parse(&c.Limits, v) },
			get: func(c *Config) string { return k.write(k.value(&c.Limits)) },
		}))
	}
	return ss
}

// workerBase is what a worker process needs besides the memories of its calls: the
// runtime, the module's code, and the native stack of a runaway recursion.
const workerBase = 128 << 20

// problems checks every limit, and those that depend on each other.
func (l *Limits) problems() []Problem {
	var ps []Problem
	for _, k := range limits() {
		if n := k.value(l); n < k.min || n > k.max {
			ps = append(ps, Problem{
				Field:   "limits." + k.field,
				Message: fmt.Sprintf("%s is not between %s and %s", k.write(n), k.write(k.min), k.write(k.max)),
			})
		}
	}
	if need := Size(l.WorkerCalls)*l.Memory + workerBase; ps == nil && l.WorkerMemory < need {
		ps = append(ps, Problem{
			Field: "limits.worker_memory",
			Message: fmt.Sprintf("%s do not hold %d calls (limits.worker_calls) of %s (limits.memory) and the process itself: %s are needed",
				l.WorkerMemory, l.WorkerCalls, l.Memory, need),
		})
	}
	return ps
}
