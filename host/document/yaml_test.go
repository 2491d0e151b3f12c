package document_test

import (
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"github.com/culmhq/culm/host/document"
)

// The canvas writes YAML too. Its tests read the same file: what one of them writes, the
// other reads as the same JSON.
func TestTheYAMLOfTheCanvasIsReadAsTheSameJSON(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("../../schemas/testdata/yaml.json")
	if err != nil {
		t.Fatal(err)
	}
	var vectors []struct {
		About string          `json:"about"`
		Value json.RawMessage `json:"value"`
		YAML  string          `json:"yaml"`
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		t.Run(v.About, func(t *testing.T) {
			t.Parallel()
			js, _, err := document.JSON([]byte(v.YAML))
			if err != nil {
				t.Fatalf("%v in\n%s", err, v.YAML)
			}
			if got, want := decoded(t, js), decoded(t, v.Value); !reflect.DeepEqual(got, want) {
				t.Errorf("got %s\nwant %s", js, v.Value)
			}
		})
	}
}

func decoded(t *testing.T, js []byte) any {
	t.Helper()
	var v any
	if err := json.Unmarshal(js, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
