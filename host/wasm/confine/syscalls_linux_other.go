//go:build linux && !amd64 && !arm64

package confine

// There is no filter for this machine; wazero has no compiler for it either.
const (
	auditArch = 0
	x32Bit    = 0
)

// allowedHere lists calls that only this machine has.
func allowedHere() []uint32 { return nil }
