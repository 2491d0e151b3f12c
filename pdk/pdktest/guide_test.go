package pdktest_test

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

// BuildIn is what the guide's action is told.
type BuildIn struct {
	// The branch.
	Branch string `json:"branch"`
}

// BuildOut is what the system calls back with.
type BuildOut struct {
	// The build.
	Build int `json:"build"`
}

// building is the action of docs/plugins/callbacks.md, as it stands there.
func building() *pdk.Plugin {
	return pdk.Register(pdk.Plugin{
		ID: "ci", Version: "1.0.0", Title: pdk.Text{En: "CI"},
		Needs: []pdk.Need{{System: "ci", Operation: "start_build"}},
		Actions: []pdk.Actor{
			pdk.Action[BuildIn, BuildOut]{
				ID: "build", Title: pdk.Text{En: "Build"},
				Waits: []contract.WaitKind{contract.WaitCallback},
				Execute: func(c *pdk.Ctx, in BuildIn) (BuildOut, error) {
					body := map[string]any{"branch": in.Branch, "notify": c.CallbackURL()}
					if err := c.Gateway("ci", "start_build", nil, body, nil); err != nil {
						return BuildOut{}, err
					}
					return BuildOut{}, pdk.Callback(nil)
				},
				Resume: func(c *pdk.Ctx, in BuildIn) (out BuildOut, err error) {
					return out, c.Callback(&out)
				},
			},
		},
	})
}

// DeployIn has the fields of docs/foreign.md.
type DeployIn struct {
	// The service.
	Service string `json:"service"`
	// The hosts.
	Hosts []string `json:"hosts" x:"source=hosts;depends=service"`
	// The system.
	System string `json:"system" x:"operation=system"`
	// The operation.
	Operation string `json:"operation" x:"operation=operation"`
	// Its parameters.
	Params map[string]json.RawMessage `json:"params,omitempty" x:"operation=params;placeholders={callback_url}"`
}

func deploying() *pdk.Plugin {
	return pdk.Register(pdk.Plugin{
		ID: "deploy", Version: "1.0.0", Title: pdk.Text{En: "Deploy"},
		Actions: []pdk.Actor{pdk.Action[DeployIn, BuildOut]{
			ID: "deploy", Title: pdk.Text{En: "Deploy"},
			Execute: func(*pdk.Ctx, DeployIn) (BuildOut, error) { return BuildOut{}, nil },
			Options: func(c *pdk.Ctx, source string, form DeployIn) ([]pdk.Choice, error) {
				return []pdk.Choice{{Value: json.RawMessage(`"` + form.Service + `-1"`), Label: source}}, nil
			},
		}},
	})
}

// The Go of the documents is the Go of this file, which is compiled and run: each line stands
// here, in its order.
func TestTheGoOfTheDocumentsIsCompiledAndRun(t *testing.T) {
	t.Parallel()
	here, err := os.ReadFile("guide_test.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, name := range []string{"plugins/callbacks.md", "foreign.md"} {
		page, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
			found++
			rest := oneSpaced(string(here))
			for line := range strings.Lines(block[1]) {
				line = strings.TrimSuffix(oneSpaced(line), " ... }") // the body of a function
				_, after, ok := strings.Cut(rest, line)
				if !ok {
					t.Fatalf("%s: %q does not stand in this file, behind the lines before it", name, line)
				}
				rest = after
			}
		}
	}
	if found != 3 {
		t.Errorf("%d blocks of Go in the documents", found)
	}

	b := pdktest.New(t, building())
	b.Context.CallbackURL = "https://culm.example.com/callbacks/" + contract.CallbackToken
	b.Reply("ci", "start_build", 202, `{}`)
	if a := b.Execute("build", BuildIn{"main"}); a.Status != contract.StatusWaiting || a.Wait.Kind != contract.WaitCallback {
		t.Errorf("answered %+v", a)
	}
	if sent := string(b.Calls()[0].Body); !strings.Contains(sent, contract.CallbackToken) {
		t.Errorf("sent %s", sent)
	}
	if out := pdktest.Succeeded[BuildOut](t, b.CallBack(map[string]int{"build": 7})); out.Build != 7 {
		t.Errorf("called back with %+v", out)
	}

	d := pdktest.New(t, deploying())
	d.Execute("deploy", DeployIn{Service: "web", Hosts: []string{}, System: "s", Operation: "o"})
	if a := d.Options("deploy", "hosts", DeployIn{Service: "web"}); a.Status != contract.StatusSucceeded || !strings.Contains(string(a.Outputs), "web-1") {
		t.Errorf("choices %+v", a)
	}
}

// oneSpaced is a text without the spaces that lay it out.
func oneSpaced(s string) string { return strings.Join(strings.Fields(s), " ") }
