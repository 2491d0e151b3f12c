package runs

import (
	"regexp"
	"strconv"
)

// traceparent is version 00 of https://www.w3.org/TR/trace-context/; later versions begin as
// it does.
var traceparent = regexp.MustCompile(`^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$`)

// The ids that stand for none, and the version that there is not.
const (
	noTrace   = "00000000000000000000000000000000"
	noSpan    = "0000000000000000"
	noVersion = "ff"
)

// sampled is the flag of a trace that is sent.
const sampled = 1

// traceOf returns a traceparent as version 00 has it, or nothing for what is none: who starts
// a run must not fail because of a header that a proxy made.
func traceOf(header string) string {
	m := traceparent.FindStringSubmatch(header)
	if m == nil || m[1] == noVersion || m[1] == "00" && m[5] != "" || m[2] == noTrace || m[3] == noSpan {
		return ""
	}
	flags := "00"
	if n, err := strconv.ParseUint(m[4], 16, 8); err == nil && n&sampled != 0 {
		flags = "01"
	}
	return "00-" + m[2] + "-" + m[3] + "-" + flags
}
