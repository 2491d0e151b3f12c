//go:build wasip1

// Command go is the benchmark's plugin in Go, as an author would write it with Extism's own library.
package main

import (
	"encoding/json"

	"github.com/extism/go-pdk"
)

// document is what execute reads.
type document struct {
	Items []struct {
		Name  string   `json:"name"`
		Count int      `json:"count"`
		Tags  []string `json:"tags"`
	} `json:"items"`
}

// report is what it answers.
type report struct {
	Numbers int    `json:"numbers"`
	Sum     int    `json:"sum"`
	Strings int    `json:"strings"`
	Longest string `json:"longest"`
}

// warm fills the caches of encoding/json at initialisation, as Culm's plugin library does.
var warm = read([]byte(`{"items":[{"name":"a","count":1,"tags":["b"]}]}`))

func read(input []byte) []byte {
	var d document
	if err := json.Unmarshal(input, &d); err != nil {
		return nil
	}
	var r report
	for _, i := range d.Items {
		r.Numbers++
		r.Sum += i.Count
		r.Strings += 1 + len(i.Tags)
		if len(i.Name) > len(r.Longest) {
			r.Longest = i.Name
		}
	}
	out, _ := json.Marshal(r)
	return out
}

//go:wasmexport execute
func execute() int32 {
	out := read(pdk.Input())
	if out == nil {
		pdk.SetErrorString("the document is not JSON")
		return 1
	}
	pdk.Output(out)
	return 0
}

//go:wasmexport echo
func echo() int32 {
	pdk.Output(pdk.Input())
	return 0
}

//go:wasmexport park
func park() int32 {
	status := execute()
	pdk.Log(pdk.LogInfo, "parked")
	return status
}

//go:wasmexport spin
func spin() int32 {
	for x := uint32(1); ; x = x*1664525 + 1013904223 {
		if x == 0 {
			return 1
		}
	}
}

//go:wasmexport compute
func compute() int32 {
	x := uint64(88172645463325252)
	for range 20_000_000 {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
	}
	if x == 1 {
		return 1
	}
	return 0
}

func main() {}
