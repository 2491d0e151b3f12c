//go:build linux

package wasm_test

import (
	"encoding/binary"
	"encoding/json"
	"math/rand/v2"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/culmhq/culm/host/wasm/lane"
	"github.com/culmhq/culm/host/wasm/wire"
)

// takenOverLane is a process that was taken over and takes its calls on a lane, as a good
// one does; what it says there is as its mode says.
func takenOverLane(mode string, open wire.Frame, out *wire.Writer) int {
	var order struct{ Lanes int }
	if json.Unmarshal(wire.NewDecoder(open.Body).Bytes(), &order) != nil || order.Lanes == 0 {
		return 1
	}
	file := os.NewFile(3, "lanes")
	m, err := lane.Open(file, order.Lanes)
	if err != nil {
		return 1
	}
	info, err := file.Stat()
	if err != nil {
		return 1
	}
	raw, err := unix.Mmap(3, 0, int(info.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return 1
	}
	if mode == "lane: noise" {
		noise(raw, out)
	}
	calls := make(chan int)
	for i, l := range m.Lanes {
		go func() {
			id, _ := l.Next()
			takeoverOfLane{l, raw[i*len(raw)/order.Lanes:], id, out}.modes()[mode]()
			calls <- i
		}()
	}
	<-calls
	select {} // until it is killed
}

// noise writes all over the memory, and then what is no frame to the pipe: the host must
// have come through the first by then.
func noise(raw []byte, out *wire.Writer) {
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // noise
	for range 4_000_000 {
		at := r.IntN(len(raw))
		if r.IntN(2) == 0 {
			at = r.IntN(4)*(len(raw)/4) + r.IntN(24)
		}
		raw[at%len(raw)] = byte(r.IntN(8))
	}
	_ = out.Send(wire.Open, 1, nil)
}

type takeoverOfLane struct {
	lane *lane.Lane
	raw  []byte
	call uint64
	out  *wire.Writer
}

func (t takeoverOfLane) modes() map[string]func() {
	line := new(wire.Encoder).Text("info").Text(strings.Repeat("x", 4000)).Body()
	result := func(failed, output string) []byte {
		b := new(wire.Encoder).Text(failed).Text(output).Int(0).Int(0).Int(0).Int(0).Int(0).Body()
		return wire.Append(nil, wire.Result, b)
	}
	return map[string]func(){
		"lane: log flood": func() {
			var batch []byte
			for len(batch) < 200_000 {
				batch = wire.Append(batch, wire.Log, line)
			}
			t.lane.Finish(append(batch, result("", "1")...))
		},
		"lane: questions": func() {
			for t.lane.Put(wire.Append(nil, wire.Gateway, []byte(`{"system":"s","operation":"o"}`))) {
				t.lane.Answered()
			}
		},
		"lane: no frame": func() { t.lane.Finish([]byte{byte(wire.Result), 255, 255, 255, 255, 1}) },
		"lane: nothing":  func() { t.lane.Finish(nil) },
		"lane: not last": func() { t.lane.Finish(append(result("", "1"), result("", "2")...)) },
		"lane: no end":   func() { t.lane.Finish(wire.Append(nil, wire.Sleep, nil)) },
		"lane: length": func() { // its own words, after a length of its own making
			binary.LittleEndian.PutUint32(t.raw[12:], 0xffffffff)
			binary.LittleEndian.PutUint32(t.raw, 3)
		},
		"lane: lies": func() {
			t.lane.Finish(result(`{"code":"ROOT","origin":"gateway","message":"a\nb\u001b[31m goroutine 1","detail":{"a":1}}`, ""))
		},
		"lane: all at once": func() { // what it was given one behind the other
			behind := t.lane.Behind()
			for len(behind) == 0 {
				t.lane.Finish(result("", "1"))
				t.lane.Next()
				behind = t.lane.Behind()
			}
			for _, q := range behind {
				q.TakeUp()
			}
		},
		"lane: silent": func() {},
		"lane: dies":   func() { os.Exit(3) },
	}
}
