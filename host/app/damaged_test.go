package app_test

import (
	"math/rand/v2"
	"net/http"
	"slices"
	"testing"
)

// P10 where it is answered: a module that was cut off, or in which bits were flipped, is
// refused for what the client sent, or it is a module; the server is at fault for none, and
// goes on.
func TestADamagedModuleIsTheClientsFault(t *testing.T) {
	t.Parallel()
	s := start(t, false, "core")
	whole := stranger(t, "state")
	head := header{"Content-Type": "application/wasm"}
	r := rand.New(rand.NewPCG(4, 10)) // a fixed seed: the same modules every time
	refused := 0
	for n := range 24 {
		code := slices.Clone(whole)
		if n%2 == 0 {
			code = code[:r.IntN(len(code))]
		} else {
			for range 1 + r.IntN(4) {
				code[r.IntN(len(code))] ^= 1 << r.IntN(8)
			}
		}
		status, _, text := s.do(http.MethodPost, "/api/v1/plugins", head, string(code))
		switch {
		case status >= 400 && status < 500:
			refused++
		case status != http.StatusCreated:
			t.Errorf("module %d, %x: %d %s", n, code, status, text)
		}
	}
	if refused < 16 {
		t.Errorf("%d of 24 were refused", refused)
	}
	s.upload(whole, "?override=true", http.StatusCreated)
}
