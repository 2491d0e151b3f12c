// Command schemas writes the JSON Schemas of everything that other programs read or
// write into schemas/, from the Go types and their comments.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"

	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/engine/simulate"
	"github.com/culmhq/culm/host/forms"
	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

const module = "github.com/culmhq/culm"

func main() {
	if err := run("schemas"); err != nil {
		fmt.Fprintln(os.Stderr, "schemas:", err)
		os.Exit(1)
	}
}

// document is one schema file.
type document struct {
	file, title string
	value       any
}

func run(dir string) error {
	r := &jsonschema.Reflector{
		ExpandedStruct: true,
		Mapper:         mapped,
		Anonymous:      true,
	}
	for _, pkg := range []string{"./engine", "./engine/simulate", "./pdk/contract", "./host/systems"} {
		if err := r.AddGoComments(module, pkg, jsonschema.WithFullComment()); err != nil {
			return fmt.Errorf("read the comments of %s: %w", pkg, err)
		}
	}
	for _, d := range []document{
		{"flow.v1.json", "Culm flow document", &engine.Flow{}},
		{"script.v1.json", "Culm script of a simulation", &simulate.Script{}},
		{"system.v1.json", "Culm system document", &systems.System{}},
		{"plugin.v1.json", "Culm plugin manifest", &contract.Manifest{}},
		{"request.v1.json", "Request of a plugin call", &contract.Request{}},
		{"answer.v1.json", "Answer of a plugin call", &contract.Answer{}},
		{"gateway-request.v1.json", "Request of a gateway call", &contract.GatewayRequest{}},
		{"gateway-response.v1.json", "Response of a gateway call", &contract.GatewayResponse{}},
	} {
		s := r.Reflect(d.value)
		s.Version = jsonschema.Version
		s.Title = d.title
		b, err := json.MarshalIndent(s, "", "  ")
		if err != nil {
			return fmt.Errorf("%s: %w", d.file, err)
		}
		if err := os.WriteFile(filepath.Join(dir, d.file), append(b, '\n'), 0o644); err != nil { //nolint:gosec // schemas are public files of the repository
			return err
		}
	}
	//nolint:gosec // schemas are public files of the repository
	return os.WriteFile(filepath.Join(dir, "form.v1.json"), forms.ProfileSchema(), 0o644)
}

// mapped gives the schemas of types whose JSON is not what reflection sees.
func mapped(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[json.RawMessage]():
		return jsonschema.TrueSchema
	case reflect.TypeFor[contract.Text]():
		lang := jsonschema.NewProperties()
		lang.Set("en", &jsonschema.Schema{Type: "string"})
		lang.Set("zh", &jsonschema.Schema{Type: "string"})
		return &jsonschema.Schema{
			Description: "A text in one language for all, or one for each.",
			AnyOf: []*jsonschema.Schema{
				{Type: "string"},
				{Type: "object", Properties: lang, AdditionalProperties: jsonschema.FalseSchema},
			},
		}
	}
	if words, ok := closed()[t]; ok {
		enum := make([]any, 0, len(words))
		for _, w := range words {
			enum = append(enum, w)
		}
		return &jsonschema.Schema{Type: "string", Enum: enum}
	}
	return nil
}

// closed lists the words of every closed string type.
func closed() map[reflect.Type][]string {
	return map[reflect.Type][]string{
		reflect.TypeFor[engine.NodeType](): words(engine.TypeStart, engine.TypeEnd, engine.TypeTask, engine.TypeSubflow,
			engine.TypeExclusive, engine.TypeParallel, engine.TypeInclusive, engine.TypeJoin),
		reflect.TypeFor[engine.VariableSource](): words(engine.SourceInput, engine.SourceConstant, engine.SourceComputed, engine.SourceNode),
		reflect.TypeFor[engine.FailurePolicy]():  words(engine.FailureBlock, engine.FailureFail),
		reflect.TypeFor[engine.Strategy]():       words(engine.StrategyOnly, engine.StrategyFirst),
		reflect.TypeFor[simulate.On]():           words(simulate.OnExecute, simulate.OnRollback),
		reflect.TypeFor[simulate.Do](): words(simulate.DoPause, simulate.DoResume, simulate.DoRetry, simulate.DoSkip, simulate.DoForceFail,
			simulate.DoResolve, simulate.DoCallback, simulate.DoRevoke, simulate.DoFail, simulate.DoSetVariables, simulate.DoReschedule, simulate.DoRollback),
		reflect.TypeFor[engine.NodeState](): words(engine.NodeReady, engine.NodeRunning, engine.NodeWaiting, engine.NodeSuspended,
			engine.NodeSucceeded, engine.NodeFailed, engine.NodeSkipped, engine.NodeCancelled, engine.NodeUnknown, engine.NodeRollingBack,
			engine.NodeRolledBack, engine.NodeRollbackFailed),
		reflect.TypeFor[engine.RunState](): words(engine.RunCreated, engine.RunRunning, engine.RunSuspended, engine.RunBlocked,
			engine.RunSucceeded, engine.RunFailed, engine.RunRevoked),
		reflect.TypeFor[engine.Code](): words(engine.CodeConflict, engine.CodeWrongState, engine.CodeUnknownNode, engine.CodeInvalid,
			engine.CodeEnded),
		reflect.TypeFor[engine.Resolution]():   words(engine.ResolveDone, engine.ResolveRetry, engine.ResolveFail),
		reflect.TypeFor[engine.Repeated]():     words(engine.RepeatedAll, engine.RepeatedIteration),
		reflect.TypeFor[engine.RollbackMode](): words(engine.RollbackAny, engine.RollbackCompensate),
		reflect.TypeFor[contract.Level]():      words(contract.LevelDebug, contract.LevelInfo, contract.LevelWarn, contract.LevelError),
		reflect.TypeFor[contract.Reason](): words(contract.ReasonExecute, contract.ReasonPoll, contract.ReasonTimer, contract.ReasonCallback,
			contract.ReasonCancel, contract.ReasonRollback, contract.ReasonOptions),
		reflect.TypeFor[contract.Status](): words(contract.StatusSucceeded, contract.StatusFailed, contract.StatusWaiting),
		reflect.TypeFor[contract.Origin](): words(contract.OriginFlow, contract.OriginPlugin, contract.OriginLimit, contract.OriginGateway,
			contract.OriginSystem, contract.OriginHost),
		reflect.TypeFor[systems.AuthType]():   words(systems.AuthNone, systems.AuthBasic, systems.AuthBearer, systems.AuthAPIKey),
		reflect.TypeFor[systems.Retry]():      words(systems.RetrySafe, systems.RetryKeyed, systems.RetryNever),
		reflect.TypeFor[systems.Risk]():       words(systems.RiskRead, systems.RiskWrite, systems.RiskDestructive),
		reflect.TypeFor[systems.Place]():      words(systems.InPath, systems.InQuery, systems.InHeader),
		reflect.TypeFor[systems.ArrayStyle](): words(systems.ArrayRepeat, systems.ArrayComma),
		reflect.TypeFor[contract.CodecForm](): words(contract.CodecJSON, contract.CodecText, contract.CodecBase64, contract.CodecNone),
		reflect.TypeFor[contract.WaitKind]():  words(contract.WaitPoll, contract.WaitTimer, contract.WaitCallback, contract.WaitHuman),
	}
}

func words[T ~string](ws ...T) []string {
	out := make([]string, len(ws))
	for i, w := range ws {
		out[i] = strings.TrimSpace(string(w))
	}
	return out
}
