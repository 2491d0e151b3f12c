//go:build wasip1

// Command goplugin is a plugin in Go that uses github.com/extism/go-pdk as it is.
// The host's tests build it and call its exports.
package main

import (
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"math/rand"
	randv2 "math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/extism/go-pdk"
)

// gatewayCall is the host's way out: a block in, a block out.
//
//go:wasmimport culm:host/v1 gateway_call
func gatewayCall(request uint64) uint64

// made is a map from before the first call; its order must still differ.
var made = numbers()

func numbers() map[int]int {
	m := map[int]int{}
	for i := range 40 {
		m[i] = i
	}
	return m
}

// request and answer are the parts of the contract that execute needs.
type request struct {
	Inputs struct {
		Name string `json:"name"`
	} `json:"inputs"`
}

type answer struct {
	Status  string `json:"status"`
	Outputs struct {
		Greeting string `json:"greeting"`
	} `json:"outputs"`
}

// warm fills the caches of encoding/json, which are then part of the image that
// every call begins with.
var warm = greet([]byte(`{"inputs":{"name":"warm"}}`))

func greet(input []byte) []byte {
	var req request
	if err := json.Unmarshal(input, &req); err != nil {
		return nil
	}
	var a answer
	a.Status, a.Outputs.Greeting = "succeeded", "hello "+req.Inputs.Name
	out, _ := json.Marshal(a)
	return out
}

//go:wasmexport execute
func execute() int32 {
	out := greet(pdk.Input())
	if out == nil {
		pdk.SetErrorString("the request is not JSON")
		return 1
	}
	pdk.Output(out)
	return 0
}

//go:wasmexport random
func random() int32 {
	b := make([]byte, 16)
	_, _ = crand.Read(b)
	out, _ := json.Marshal(map[string]any{
		"v2": randv2.Uint64(), "v1": rand.Int63(), "many": many(), "crypto": fmt.Sprintf("%x", b),
		"old": order(made), "new": order(numbers()),
	})
	pdk.Output(out)
	return 0
}

// many draws more than the generator buffers, so that it refills and takes a new key.
func many() uint64 {
	var x uint64
	for range 1000 {
		x = randv2.Uint64()
	}
	return x
}

func order(m map[int]int) string {
	var s strings.Builder
	for k := range m {
		fmt.Fprintf(&s, "%d ", k)
	}
	return s.String()
}

//go:wasmexport echo
func echo() int32 {
	pdk.Output(pdk.Input())
	return 0
}

//go:wasmexport noop
func noop() int32 { return 0 }

var counter int

//go:wasmexport count
func count() int32 {
	counter++
	old := string(pdk.GetVar("last"))
	pdk.SetVar("last", []byte("x"))
	pdk.OutputString(fmt.Sprintf("%d %q", counter, old))
	return 0
}

//go:wasmexport clock
func clock() int32 {
	now := time.Now()
	time.Sleep(3 * time.Millisecond)
	pdk.OutputString(fmt.Sprintf("%d %d", now.UnixNano(), time.Since(now)))
	return 0
}

//go:wasmexport nap
func nap() int32 {
	time.Sleep(time.Hour)
	return 0
}

//go:wasmexport spin
func spin() int32 {
	for x := 1; ; x++ {
		if x == 0 {
			return 1
		}
	}
}

//go:wasmexport hoard
func hoard() int32 {
	var keep [][]byte
	for {
		keep = append(keep, make([]byte, 1<<20))
		keep[len(keep)-1][0] = 1
	}
}

//go:wasmexport nest
func nest() int32 { return int32(deep(1 << 30)) }

func deep(n int) int {
	var pad [64]byte
	pad[n%64] = 1
	return deep(n-1) + int(pad[(n+1)%64])
}

//go:wasmexport boom
func boom() int32 {
	var m map[string]int
	m["x"] = 1
	return 0
}

//go:wasmexport fail
func fail() int32 {
	pdk.SetErrorString("no such host: db-7")
	return 1
}

//go:wasmexport speak
func speak() int32 {
	pdk.Log(pdk.LogInfo, "one\ntwo\x1b[31m red")
	fmt.Println("printed")
	fmt.Fprintln(os.Stderr, "complained")
	return 0
}

//go:wasmexport look
func look() int32 {
	_, err := os.ReadFile("/etc/passwd")
	out, _ := json.Marshal(map[string]any{
		"args": len(os.Args), "env": len(os.Environ()), "file": fmt.Sprint(err),
	})
	pdk.Output(out)
	return 0
}

//go:wasmexport call
func call() int32 {
	m := pdk.AllocateBytes(pdk.Input())
	answer := pdk.FindMemory(gatewayCall(m.Offset()))
	pdk.Output(answer.ReadBytes())
	return 0
}

func main() {}
