package main

import (
	"context"
	"fmt"

	"github.com/extism/go-sdk"
	"github.com/tetratelabs/wazero"
)

// newSDK compiles a module with extism/go-sdk as its documentation says, without a timeout, which is when it is fastest: a
// timeout makes it use the runtime's own check for the end of a context.
func newSDK(ctx context.Context, module []byte, config wazero.RuntimeConfig) (*extism.CompiledPlugin, error) {
	return extism.NewCompiledPlugin(ctx, extism.Manifest{Wasm: []extism.Wasm{extism.WasmData{Data: module}}},
		extism.PluginConfig{EnableWasi: true, RuntimeConfig: config}, nil)
}

// sdkInstance makes an instance.
func sdkInstance(ctx context.Context, c *extism.CompiledPlugin) (*extism.Plugin, error) {
	return c.Instance(ctx, extism.PluginInstanceConfig{
		ModuleConfig: wazero.NewModuleConfig().WithSysWalltime().WithSysNanotime(),
	})
}

// sdkFresh makes an instance for one call.
func sdkFresh(ctx context.Context, c *extism.CompiledPlugin, export string, in []byte) ([]byte, error) {
	p, err := sdkInstance(ctx, c)
	if err != nil {
		return nil, err
	}
	out, err := sdkCall(ctx, p, export, in)
	if err != nil {
		return nil, err
	}
	return out, p.Close(ctx)
}

func sdkCall(ctx context.Context, p *extism.Plugin, export string, in []byte) ([]byte, error) {
	status, out, err := p.CallWithContext(ctx, export, in)
	if err == nil && status != 0 {
		err = fmt.Errorf("%s: status %d", export, status)
	}
	return out, err
}
