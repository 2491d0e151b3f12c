package gateway_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No switch turns the verification of TLS off: the field is named nowhere.
func TestNothingCanTurnTLSVerificationOff(t *testing.T) {
	t.Parallel()
	field := "Insecure" + "SkipVerify"
	read := 0
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".go" {
			return err
		}
		data, err := os.ReadFile(path)
		if strings.Contains(string(data), field) {
			t.Errorf("%s names %s", path, field)
		}
		read++
		return err
	})
	if err != nil || read < 50 {
		t.Fatalf("%d files were read, %v", read, err)
	}
}
