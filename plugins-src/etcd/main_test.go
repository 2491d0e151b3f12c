package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/culmhq/culm/pdk"
	"github.com/culmhq/culm/pdk/contract"
	"github.com/culmhq/culm/pdk/pdktest"
)

func TestGetDecodesWhatTheGatewayWrites(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("etcd", "range", 200, `{"header":{"cluster_id":"324952591200643719","revision":"9007199254740993"},
		"kvs":[{"key":"Zm9v","create_revision":"2","mod_revision":"5","version":"3","value":"5Lit5paH","lease":"7587869134"},
		       {"key":"Zm9vMg==","create_revision":"2","mod_revision":"5","version":"3","value":"/w=="}],"count":"3","more":true}`)
	out := pdktest.Succeeded[GetOut](t, b.Execute("get", GetIn{Key: "foo", Prefix: true, Limit: 2}))
	if !out.Found || out.Value != "中文" || out.Count != 3 || !out.More || out.Revision != 9007199254740993 {
		t.Fatalf("outputs %+v", out)
	}
	if kv := out.KVs[0]; kv.Key != "foo" || kv.Version != 3 || kv.ModRevision != 5 || kv.Lease != "7587869134" {
		t.Errorf("first %+v", kv)
	}
	if kv := out.KVs[1]; kv.Value != "" || kv.ValueBase64 != "/w==" {
		t.Errorf("bytes that are no text: %+v", kv)
	}
	if got := string(b.Calls()[0].Body); got != `{"key":"Zm9v","range_end":"Zm9w","limit":"2"}` {
		t.Errorf("body %s", got)
	}
}

func TestGetOfNothing(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("etcd", "range", 200, `{"header":{"revision":"7"}}`)
	ans := b.Execute("get", GetIn{Key: "foo"})
	pdktest.Succeeded[GetOut](t, ans)
	if got := string(ans.Outputs); got != `{"found":false,"value":"","kvs":[],"count":0,"more":false,"revision":7}` {
		t.Fatalf("outputs %s", got)
	}
	pdktest.Failed(t, b.Execute("get", GetIn{}), pdk.CodeInput)
}

func TestRangeEnd(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{"a": "b", "a\xff": "b", "\xff\xff": "\x00", "": "\x00", "ab": "ac"} {
		if got := rangeEnd([]byte(prefix)); !bytes.Equal(got, []byte(want)) {
			t.Errorf("end of %q is %q, want %q", prefix, got, want)
		}
	}
	if from, end := span("", true); string(from) != "\x00" || string(end) != "\x00" {
		t.Errorf("all keys are %q to %q", from, end)
	}
}

func FuzzRangeEndCoversExactlyThePrefix(f *testing.F) {
	f.Add([]byte("a"), []byte("ab"))
	f.Add([]byte("a\xff"), []byte("b"))
	f.Fuzz(func(t *testing.T, prefix, key []byte) {
		end := rangeEnd(prefix)
		open := bytes.Equal(end, []byte{0})
		inside := bytes.Compare(key, prefix) >= 0 && (open || bytes.Compare(key, end) < 0)
		if inside != bytes.HasPrefix(key, prefix) && !open {
			t.Fatalf("%q to %q: %q is inside: %v", prefix, end, key, inside)
		}
		if bytes.HasPrefix(key, prefix) && !inside {
			t.Fatalf("%q to %q leaves %q out", prefix, end, key)
		}
	})
}

func text(s string) *string { return &s }

func TestPutAndRollbackToWhatWasThere(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("etcd", "put", 200, `{"header":{"revision":"8"},"prev_kv":{"key":"Zm9v","create_revision":"2","mod_revision":"5","version":"3","value":"/w==","lease":"12"}}`)
	ans := b.Execute("put", PutIn{Key: "foo", Value: text("new"), Lease: "99"})
	out := pdktest.Succeeded[PutOut](t, ans)
	if !out.Existed || out.Revision != 8 || out.Previous.ValueBase64 != "/w==" {
		t.Fatalf("outputs %+v", out)
	}
	b.Reply("etcd", "txn", 200, `{"header":{"revision":"9"},"succeeded":true,"responses":[{"response_put":{}}]}`)
	pdktest.Succeeded[struct{}](t, b.Rollback(ans.Outputs))
	calls := b.Calls()
	if got := string(calls[0].Body); got != `{"key":"Zm9v","value":"bmV3","lease":"99","prev_kv":true}` {
		t.Errorf("put %s", got)
	}
	const want = `{"compare":[{"key":"Zm9v","target":"MOD","result":"EQUAL","mod_revision":"8"}],"success":[{"request_put":{"key":"Zm9v","value":"/w==","lease":"12"}}]}`
	if got := string(calls[1].Body); got != want {
		t.Errorf("rollback\n%s, want\n%s", got, want)
	}
}

func TestRollbackOfANewKeyRemovesItUnlessItChanged(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("etcd", "put", 200, `{"header":{"revision":"8"}}`)
	ans := b.Execute("put", json.RawMessage(`{"key":"foo","document":{"targets":["a"],"n":9007199254740993}}`))
	if out := pdktest.Succeeded[PutOut](t, ans); out.Existed || out.Previous != nil {
		t.Fatalf("outputs %+v", out)
	}
	b.Reply("etcd", "txn", 200, `{"header":{"revision":"9"}}`)
	pdktest.Failed(t, b.Rollback(ans.Outputs), "CHANGED_SINCE")
	var body struct{ Value []byte }
	if err := json.Unmarshal(b.Calls()[0].Body, &body); err != nil || string(body.Value) != `{"n":9007199254740993,"targets":["a"]}` {
		t.Errorf("the document became %s (%v)", body.Value, err)
	}
	if got := string(b.Calls()[1].Body); !strings.Contains(got, `"success":[{"request_delete_range":{"key":"Zm9v"}}]`) {
		t.Errorf("rollback %s", got)
	}
}

func TestPutRefusesTwoValuesAndNone(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	for _, in := range []string{`{"key":"a"}`, `{"key":"a","value":"x","document":{}}`, `{"key":"a","value":"x","lease":"99999999999999999999"}`} {
		pdktest.Failed(t, b.Execute("put", json.RawMessage(in)), pdk.CodeInput)
	}
	b.Reply("etcd", "put", 200, `{"header":{"revision":"8"}}`)
	pdktest.Succeeded[PutOut](t, b.Execute("put", json.RawMessage(`{"key":"a","value":""}`)))
}

func TestTxn(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("etcd", "txn", 200, `{"header":{"revision":"9"},"succeeded":true,"responses":[
		{"response_put":{"header":{"revision":"9"}}},
		{"response_range":{"header":{"revision":"9"},"kvs":[{"key":"Yg==","value":"Mg==","version":"1","create_revision":"1","mod_revision":"1"}],"count":"1"}},
		{"response_delete_range":{"header":{"revision":"9"},"deleted":"4"}}]}`)
	ans := b.Execute("txn", json.RawMessage(`{
		"compare":[{"key":"a","value":""},{"key":"a","target":"version","result":">","value":"0"}],
		"then":[{"op":"put","key":"a","value":"1"},{"op":"get","key":"b"},{"op":"delete","key":"c/","prefix":true}],
		"else":[{"op":"get","key":"a"}]}`))
	out := pdktest.Succeeded[TxnOut](t, ans)
	if !out.Succeeded || out.Revision != 9 || len(out.Results) != 3 || out.Results[1].KVs[0].Value != "2" || out.Results[2].Deleted != 4 {
		t.Fatalf("outputs %s", ans.Outputs)
	}
	const want = `{"compare":[{"key":"YQ==","target":"VALUE","result":"EQUAL","value":""},{"key":"YQ==","target":"VERSION","result":"GREATER","version":"0"}],` +
		`"success":[{"request_put":{"key":"YQ==","value":"MQ=="}},{"request_range":{"key":"Yg=="}},{"request_delete_range":{"key":"Yy8=","range_end":"YzA="}}],` +
		`"failure":[{"request_range":{"key":"YQ=="}}]}`
	if got := string(b.Calls()[0].Body); got != want {
		t.Fatalf("body\n%s, want\n%s", got, want)
	}
}

func TestTxnThatDoesNotHoldIsNoFailure(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	b.Reply("etcd", "txn", 200, `{"header":{"revision":"9"}}`)
	out := pdktest.Succeeded[TxnOut](t, b.Execute("txn", json.RawMessage(`{"compare":[{"key":"a","value":"x"}],"then":[{"op":"delete","key":"a"}]}`)))
	if out.Succeeded || len(out.Results) != 0 {
		t.Fatalf("outputs %+v", out)
	}
}

func TestTxnRefusals(t *testing.T) {
	t.Parallel()
	b := pdktest.New(t, plugin)
	for in, field := range map[string]string{
		`{}`: "then",
		`{"compare":[{"key":"a","target":"version","value":"x"}],"then":[{"op":"get","key":"a"}]}`: "compare.0.value",
		`{"compare":[{"key":"a","target":"colour","value":"1"}],"then":[{"op":"get","key":"a"}]}`:  "compare.0.target",
		`{"compare":[{"key":"a","result":"~","value":"1"}],"then":[{"op":"get","key":"a"}]}`:       "compare.0.result",
		`{"then":[{"key":"a"}]}`: "then.0.op",
	} {
		f := pdktest.Failed(t, b.Execute("txn", json.RawMessage(in)), pdk.CodeInput)
		if !strings.HasPrefix(f.Message, field+": ") {
			t.Errorf("%s: %q does not name %s", in, f.Message, field)
		}
	}
	b.Reply("etcd", "txn", 400, `{"error":"etcdserver: duplicate key given in txn request","message":"etcdserver: duplicate key given in txn request","code":3}`)
	f := pdktest.Failed(t, b.Execute("txn", json.RawMessage(`{"then":[{"op":"put","key":"a","value":"1"},{"op":"put","key":"a","value":"2"}]}`)), pdk.CodeStatus)
	if f.Origin != contract.OriginSystem || !strings.Contains(f.Message, "duplicate key") {
		t.Fatalf("failure %+v", f)
	}
}
