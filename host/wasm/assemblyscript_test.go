package wasm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/culmhq/culm/host/wasm"
	"github.com/culmhq/culm/pdk/contract"
)

// assemblyScript reads the example plugin in AssemblyScript as it is committed.
func assemblyScript(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "restock.wasm"))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// TestAssemblyScript runs a plugin of another language and library from request to
// answer.
func TestAssemblyScript(t *testing.T) {
	t.Parallel()
	m := load(t, newHost(t), assemblyScript(t))
	if id := m.Info().Manifest.ID; id != "example-assemblyscript" {
		t.Errorf("the manifest is that of %q", id)
	}
	request := contract.Request{
		Action: "missing", Reason: contract.ReasonExecute,
		Inputs: json.RawMessage(`{"system":"cmdb","service":"订单","wanted":5}`),
	}
	var asked contract.GatewayRequest
	s := &services{gateway: func(_ context.Context, r contract.GatewayRequest) contract.GatewayResponse {
		asked = r
		return contract.GatewayResponse{Status: 200, Body: json.RawMessage(`{"instances":["a","b"]}`)}
	}}
	a, r, err := m.Invoke(t.Context(), request, s)
	if err != nil {
		t.Fatal(err)
	}
	if a.Status != contract.StatusSucceeded || string(a.Outputs) != `{"service":"订单","found":2,"missing":3}` {
		t.Errorf("answer %s %s", a.Status, a.Outputs)
	}
	if asked.System != "cmdb" || asked.Operation != "list_instances" || string(asked.Params["service"]) != `"订单"` {
		t.Errorf("the gateway was asked for %+v", asked)
	}
	if r.HostCalls != 1 || r.PeakMemoryBytes == 0 || r.Duration <= 0 || r.Guest > r.Duration {
		t.Errorf("result %+v", r)
	}
	s.gateway = nil
	if a, _, err = m.Invoke(t.Context(), request, s); err != nil {
		t.Fatal(err)
	}
	if a.Status != contract.StatusFailed || a.Failure.Code != "GATEWAY_ABSENT" || a.Failure.Origin != contract.OriginGateway {
		t.Errorf("a denied call gives %s %+v", a.Status, a.Failure)
	}
	request.Inputs = json.RawMessage(`{"system":7}`)
	_, _, err = m.Invoke(t.Context(), request, s)
	wantFailure(t, err, wasm.CodeTrap, contract.OriginPlugin)
	request.Action = "other"
	_, _, err = m.Invoke(t.Context(), request, s)
	wantFailure(t, err, wasm.CodeExportMissing, contract.OriginFlow)
	request.Action, request.Reason = "missing", contract.ReasonCancel
	_, _, err = m.Invoke(t.Context(), request, s)
	wantFailure(t, err, wasm.CodeExportMissing, contract.OriginPlugin)
}

// TestAssemblyScriptBuild builds the example as its README says and compares it
// with the committed module.
func TestAssemblyScriptBuild(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("installs packages from npm")
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		t.Skip("npm is not installed: the committed module is used as it is")
	}
	dir := t.TempDir()
	source := filepath.Join("..", "..", "plugins-src", "examples", "assemblyscript")
	for _, name := range []string{"package.json", "package-lock.json", "index.ts", "manifest.json", "pack.mjs"} {
		b, err := os.ReadFile(filepath.Join(source, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{{"ci", "--no-audit", "--no-fund", "--prefer-offline"}, {"run", "build"}} {
		cmd := exec.CommandContext(t.Context(), npm, args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("npm %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	got, err := os.ReadFile(filepath.Join(dir, "build", "restock.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, assemblyScript(t)) {
		t.Error("testdata/restock.wasm is not what plugins-src/examples/assemblyscript builds: copy build/restock.wasm there")
	}
}
