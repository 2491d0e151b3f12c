//go:build wasip1

package pdk

import (
	"encoding/json"
	"errors"

	"github.com/culmhq/culm/pdk/contract"
)

// registered is the plugin of this module. It is the one variable of the package: an
// export has no parameter to find its plugin by, and main does not run in a module.
var registered *Plugin

func register(p *Plugin) {
	registered = p
	var req contract.Request
	_ = json.Unmarshal([]byte(`{"context":{}}`), &req)
	_, _ = json.Marshal(contract.Answer{Status: contract.StatusSucceeded})
	for _, a := range p.Actions {
		a.warm()
	}
}

func (p *Plugin) main() {}

// Manifest is for the author's machine: a module does not hold what it takes to reflect
// its types, and this one always fails.
func (p *Plugin) Manifest(string) (contract.Manifest, error) {
	return contract.Manifest{}, errors.New("pdk: a module cannot make its manifest")
}

//go:wasmexport execute
func exportExecute() int32 { return export(contract.ExportExecute) }

//go:wasmexport resume
func exportResume() int32 { return export(contract.ExportResume) }

//go:wasmexport cancel
func exportCancel() int32 { return export(contract.ExportCancel) }

//go:wasmexport rollback
func exportRollback() int32 { return export(contract.ExportRollback) }

//go:wasmexport options
func exportOptions() int32 { return export(contract.ExportOptions) }

func export(name string) int32 {
	if registered == nil {
		setError("the module registered no plugin")
		return 1
	}
	out, err := registered.Handle(wasmHost{}, name, readInput())
	if err != nil {
		setError(err.Error())
		return 1
	}
	writeOutput(out)
	return 0
}
