package wasm

import (
	"context"

	"github.com/tetratelabs/wazero/api"

	"github.com/culmhq/culm/host/replay"
	"github.com/culmhq/culm/pdk/contract"
)

// extismVars returns the functions of extism:host/env on configuration and
// variables. Extism's variables are the call's own state: nothing of them is left
// for the next call.
//
//	config_get(key block i64) -> (value block i64)   0 = unset
//	var_get(key block i64) -> (value block i64)      0 = unset
//	var_set(key block i64, value block i64)          value 0 removes it
//
// Variables of a call together may not exceed VarBytes: HOSTCALL_LIMIT.
func extismVars() []hostFunc {
	return []hostFunc{
		{"config_get", "I>I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			key := string(v.block("config_get", s[0]))
			got := v.exchange(replay.Event{Kind: replay.KindConfig, Name: key}, func(e *replay.Event) {
				value, ok := v.config[key]
				e.Answer, e.Absent = replay.Data(value), !ok
			})
			s[0] = 0
			if !got.Absent {
				s[0] = v.put(got.Answer)
			}
		}},
		{"var_get", "I>I", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			value, ok := v.vars[string(v.block("var_get", s[0]))]
			s[0] = 0
			if ok {
				s[0] = v.put(value)
			}
		}},
		{"var_set", "II>", func(_ context.Context, v *invocation, _ api.Module, s []uint64) {
			key := string(v.block("var_set", s[0]))
			if s[1] == 0 {
				delete(v.vars, key)
				return
			}
			v.setOwnVar(key, v.block("var_set", s[1]))
		}},
	}
}

// setOwnVar sets one of the call's own variables.
func (v *invocation) setOwnVar(key string, value []byte) {
	total := int64(len(key) + len(value))
	for k, old := range v.vars {
		if k != key {
			total += int64(len(k) + len(old))
		}
	}
	if total > v.limits.VarBytes || len(v.vars) >= v.limits.SmallCalls {
		v.abort(failure(contract.OriginLimit, CodeHostCallLimit,
			"the plugin's variables hold more than %d bytes or %d entries", v.limits.VarBytes, v.limits.SmallCalls))
	}
	if v.vars == nil {
		v.vars = map[string][]byte{}
	}
	v.vars[key] = append([]byte{}, value...)
}
