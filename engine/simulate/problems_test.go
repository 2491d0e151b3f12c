package simulate_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
)

func TestScriptProblemsNameTheirPlace(t *testing.T) {
	t.Parallel()
	f := flow(t, "start -> a -> b -> end\n b: {\"action\":\"ask\"}")
	for name, c := range map[string]struct{ script, want string }{
		"all is well":   {`{"nodes":{"a":[{"after":"1s","log":[{"after":"1s","level":"warn","text":"x"}],"progress":[{"percent":100}],"waits":[{"kind":"poll"}]}]}}`, ""},
		"begin":         {`{"begin":"tomorrow"}`, "SCRIPT_VALUE_INVALID /begin"},
		"start":         {`{"start":{"at":"x","without":["y"]}}`, "SCRIPT_NODE_UNKNOWN /start/at\nSCRIPT_NODE_UNKNOWN /start/without/0"},
		"unknown node":  {`{"nodes":{"x/y":[{}]}}`, "SCRIPT_NODE_UNKNOWN /nodes/x~1y"},
		"inside a task": {`{"nodes":{"a.b":[{}]}}`, "SCRIPT_NODE_UNKNOWN /nodes/a.b"},
		"not a task":    {`{"nodes":{"start":[{}]}}`, "SCRIPT_FIELD_MISPLACED /nodes/start/0"},
		"two ends":      {`{"nodes":{"a":[{"succeed":{},"fail":{}}]}}`, "SCRIPT_VALUE_INVALID /nodes/a/0"},
		"outputs":       {`{"nodes":{"a":[{"succeed":{"x":1}},{"outputs":{"x":"1"}}],"b":[{"succeed":{"approved":1}},{"succeed":[]},{"succeed":{}}]}}`, "SCRIPT_OUTPUTS_INVALID /nodes/a/0/succeed/x\nSCRIPT_FIELD_MISPLACED /nodes/a/1/outputs\nSCRIPT_OUTPUTS_INVALID /nodes/a/1/outputs/x\nSCRIPT_OUTPUTS_INVALID /nodes/b/0/succeed/approved\nSCRIPT_VALUE_INVALID /nodes/b/1/succeed"},
		"revoked":       {`{"nodes":{"a":[{"revoked":true}]}}`, "SCRIPT_FIELD_MISPLACED /nodes/a/0/revoked"},
		"counts":        {`{"nodes":{"a":[{"times":-1,"on":"options"}]}}`, "SCRIPT_VALUE_INVALID /nodes/a/0/on\nSCRIPT_VALUE_INVALID /nodes/a/0"},
		"durations":     {`{"nodes":{"a":[{"after":"soon"},{"after":"-1s"}]}}`, "SCRIPT_VALUE_INVALID /nodes/a/0/after\nSCRIPT_VALUE_INVALID /nodes/a/1/after"},
		"what is said":  {`{"nodes":{"a":[{"log":[{"after":"2s","level":"loud","text":""}],"progress":[{"after":"1m","percent":101}]}]}}`, "SCRIPT_VALUE_INVALID /nodes/a/0/log/0/after\nSCRIPT_VALUE_INVALID /nodes/a/0/log/0/level\nSCRIPT_VALUE_INVALID /nodes/a/0/progress/0/after\nSCRIPT_VALUE_INVALID /nodes/a/0/progress/0/percent"},
		"waits":         {`{"nodes":{"a":[{"waits":[{"kind":"timer"},{"kind":"moon"},{"kind":"run"},{"kind":"poll","after":"1s","expire":{}},{"kind":"callback","every":"1s","times":-2,"schema":{"type":1},"after":"1us"}]}]}}`, "SCRIPT_VALUE_INVALID /nodes/a/0/waits/0/after\nSCRIPT_VALUE_INVALID /nodes/a/0/waits/1/kind\nSCRIPT_VALUE_INVALID /nodes/a/0/waits/2/kind\nSCRIPT_FIELD_MISPLACED /nodes/a/0/waits/3/after\nSCRIPT_FIELD_MISPLACED /nodes/a/0/waits/3/expire\nSCRIPT_VALUE_INVALID /nodes/a/0/waits/4\nSCRIPT_FIELD_MISPLACED /nodes/a/0/waits/4/every\nSCRIPT_FIELD_MISPLACED /nodes/a/0/waits/4/times\nSCRIPT_VALUE_INVALID /nodes/a/0/waits/4/times\nSCRIPT_VALUE_INVALID /nodes/a/0/waits/4/schema\nSCRIPT_WAIT_UNDECLARED /nodes/a/0/waits/1/kind\nSCRIPT_WAIT_UNDECLARED /nodes/a/0/waits/2/kind"},
		"undeclared":    {`{"nodes":{"b":[{"waits":[{"kind":"poll"}]}]}}`, "SCRIPT_WAIT_UNDECLARED /nodes/b/0/waits/0/kind"},
		"defaults":      {`{"defaults":{"*":{"times":2},"test/none":{},"test/ask":{"succeed":{"approved":null}}}}`, "SCRIPT_FIELD_MISPLACED /defaults/*\nSCRIPT_OUTPUTS_INVALID /defaults/test~1ask/succeed/approved\nSCRIPT_VALUE_INVALID /defaults/test~1none"},
		"actions":       {`{"actions":[{"do":"jump"},{"do":"pause","inputs":{}},{"do":"retry"},{"do":"revoke","node":"a"},{"do":"rollback","from":"b","to":"x"},{"do":"set_variables"},{"do":"reschedule","node":"a"},{"at":"x","when":{"idle":true},"do":"pause","in":"a"},{"do":"callback","node":"a","attempt":-1},{"do":"fail","reason":"x","refused":"WRONG"}]}`, "SCRIPT_VALUE_INVALID /actions/0/do\nSCRIPT_FIELD_MISPLACED /actions/1/inputs\nSCRIPT_VALUE_INVALID /actions/2/node\nSCRIPT_FIELD_MISPLACED /actions/3/node\nSCRIPT_NODE_UNKNOWN /actions/4/to\nSCRIPT_VALUE_INVALID /actions/5/values\nSCRIPT_VALUE_INVALID /actions/6/delay\nSCRIPT_VALUE_INVALID /actions/7/at\nSCRIPT_FIELD_MISPLACED /actions/7/at\nSCRIPT_VALUE_INVALID /actions/7/in\nSCRIPT_VALUE_INVALID /actions/8\nSCRIPT_VALUE_INVALID /actions/9/refused"},
		"conditions":    {`{"actions":[{"when":{},"do":"pause"},{"when":{"node":"a","state":"tired"},"do":"pause"},{"when":{"state":"failed","attempt":1,"iteration":0,"run":"created"},"do":"pause"}]}`, "SCRIPT_VALUE_INVALID /actions/0/when\nSCRIPT_VALUE_INVALID /actions/1/when/state\nSCRIPT_FIELD_MISPLACED /actions/2/when/state\nSCRIPT_FIELD_MISPLACED /actions/2/when/attempt\nSCRIPT_FIELD_MISPLACED /actions/2/when/iteration\nSCRIPT_VALUE_INVALID /actions/2/when/run"},
		"expectations":  {`{"expect":{"run":"fine","nodes":{"x":"failed","a":""},"failures":{"x":"Y"},"attempts":{"x":1},"executed":["x"],"not_executed":["a","x"],"elapsed":"long"}}`, "SCRIPT_VALUE_INVALID /expect/elapsed\nSCRIPT_VALUE_INVALID /expect/run\nSCRIPT_VALUE_INVALID /expect/nodes/a\nSCRIPT_NODE_UNKNOWN /expect/nodes/x\nSCRIPT_NODE_UNKNOWN /expect/failures/x\nSCRIPT_NODE_UNKNOWN /expect/attempts/x\nSCRIPT_NODE_UNKNOWN /expect/executed/0\nSCRIPT_NODE_UNKNOWN /expect/not_executed/1"},
		"limits":        {`{"limits":{"virtual_time":"x","steps":-1}}`, "SCRIPT_VALUE_INVALID /limits/virtual_time\nSCRIPT_VALUE_INVALID /limits/steps"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range script(t, c.script).Problems(f, catalogue{}) {
				got = append(got, p.Code+" "+p.Field)
				if p.Level != engine.SeverityError || p.Message == "" {
					t.Errorf("%+v", p)
				}
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), c.want)
			}
		})
	}
	if ps := (&simulate.Script{Format: "culm.script/v9"}).Problems(f, catalogue{}); len(ps) != 1 || ps[0].Code != simulate.ProblemFormat {
		t.Errorf("an unknown format: %+v", ps)
	}
}

func TestParseScriptRefusesWhatIsNoScript(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{"format":"culm.script/v1"}`:                  "",
		`{"nodez":{}}`:                                 engine.ParseUnknown + " /nodez",
		`{"nodes":{"a":[{"after":1}]}}`:                engine.ParseType + " /nodes/a/0/after",
		`{"nodes":{"a":[{"fail":{"kode":1}}]}}`:        engine.ParseUnknown + " /nodes/a/0/fail/kode",
		`{"format":"x","format":"y"}`:                  engine.ParseDuplicate + " /format",
		`{"actions":[{"Do":"pause"}]}`:                 engine.ParseUnknown + " /actions/0/Do",
		`{} {}`:                                        engine.ParseSyntax + " ",
		`[`:                                            engine.ParseType + " ",
		"{\"format\":\"\xff\"}":                        engine.ParseSyntax + " ",
		`{"limits":{"steps":1.5}}`:                     engine.ParseType + " ",
		strings.Repeat(" ", simulate.ScriptBytesMax+1): engine.ParseTooLarge + " ",
	} {
		_, err := simulate.ParseScript([]byte(text))
		var e *engine.ParseError
		got := ""
		if errors.As(err, &e) {
			got = e.Code + " " + e.Pointer
		}
		if got != want {
			t.Errorf("%.60s: got %q (%v), want %q", text, got, err, want)
		}
	}
}

// FuzzParseScript: what is accepted is the same script when it is written and read
// again, and neither its check nor its simulation fails in an unknown way.
func FuzzParseScript(f *testing.F) {
	files, err := os.ReadDir("testdata/scripts")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile("testdata/scripts/" + file.Name())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, c := range features() {
		f.Add([]byte(`{"format":"culm.script/v1",` + strings.TrimPrefix(c.script, "{")))
	}
	drawn := flow(f, "start -> a -> p -> b -> j -> i -> c -> end\n p -> s -> j\n b: {\"action\":\"ask\"}\n p: parallel\n j: join\n i: "+independent+"\n s: "+inline+
		"\n c: {\"repeat\":{\"times\":2},\"retry\":{\"max\":1,\"delay_ms\":1000},\"timeout\":{\"after_ms\":60000}}")
	drawn.Subflows = map[string]*engine.Flow{"child": flow(f, "start -> c -> end"), "leaf": flow(f, "start -> c -> d -> end")}
	if _, problems := engine.Compile(drawn, catalogue{}); len(problems) > 0 {
		f.Fatal(problems)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := simulate.ParseScript(b)
		if err != nil {
			var e *engine.ParseError
			if !errors.As(err, &e) {
				t.Fatalf("%T: %v", err, err)
			}
			return
		}
		first, err := json.Marshal(s)
		if err != nil {
			t.Skip(err) // a raw value that JSON lets in and the encoder does not
		}
		again, err := simulate.ParseScript(first)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if second, err := json.Marshal(again); err != nil || string(second) != string(first) {
			t.Fatalf("differs: %v\n%s\n%s", err, first, second)
		}
		_, err = simulate.Run(t.Context(), simulate.Request{
			Flow: drawn, Catalogue: catalogue{}, Script: s, Limits: simulate.Limits{Steps: 200, RecordBytes: 1 << 20},
		})
		var e *simulate.Error
		if err != nil && (!errors.As(err, &e) || e.Code == simulate.CodeHistory || e.Code == simulate.CodeInternal) {
			t.Fatalf("%s: %v", first, err)
		}
	})
}
