package main

import (
	"encoding/json"
	"strconv"

	"github.com/culmhq/culm/pdk"
)

// PutIn writes a key.
//
// Rolling it back writes what was there before, or removes the key, unless somebody
// else has written it since.
type PutIn struct {
	// The key.
	Key string `json:"key" jsonschema:"minLength=1,maxLength=1024"`
	// The value, as text.
	Value *string `json:"value,omitempty" jsonschema:"maxLength=1048576" ui:"widget=textarea"`
	// A document to store as JSON, instead of a text.
	Document map[string]json.RawMessage `json:"document,omitempty" ui:"widget=json;advanced"`
	// The id of a lease to bind the key to.
	Lease string `json:"lease,omitempty" jsonschema:"pattern=^[0-9]{1\\,19}$" ui:"advanced"`
}

// PutOut says what was written over.
type PutOut struct {
	// The revision at which the key was written.
	Revision int64 `json:"revision"`
	// Whether the key existed before.
	Existed bool `json:"existed"`
	// What was there before.
	Previous *KeyValue `json:"previous,omitempty"`
}

func put(c *pdk.Ctx, in PutIn) (PutOut, error) {
	req := putRequest{Key: []byte(in.Key), PrevKV: true}
	switch {
	case (in.Value == nil) == (in.Document == nil):
		return PutOut{}, pdk.InvalidInput("value", "give either value or document")
	case in.Value != nil:
		req.Value = []byte(*in.Value)
	default:
		value, err := json.Marshal(in.Document)
		if err != nil {
			return PutOut{}, err
		}
		req.Value = value
	}
	if in.Lease != "" {
		lease, err := strconv.ParseInt(in.Lease, 10, 64)
		if err != nil {
			return PutOut{}, pdk.InvalidInput("lease", "%q is not the id of a lease", in.Lease)
		}
		req.Lease = number(lease)
	}
	var r putReply
	if err := c.Gateway(system, "put", nil, req, &r); err != nil {
		return PutOut{}, err
	}
	out := PutOut{Revision: int64(r.Header.Revision), Existed: r.PrevKV != nil}
	if r.PrevKV != nil {
		kv := r.PrevKV.shown()
		out.Previous = &kv
	}
	c.Info("wrote %s at revision %d", in.Key, out.Revision)
	return out, nil
}

// undoPut restores the key in one transaction that holds only while the key is still as
// the put left it.
func undoPut(c *pdk.Ctx, in PutIn, out PutOut) error {
	restore := txnOp{Delete: &deleteRequest{Key: []byte(in.Key)}}
	if p := out.Previous; p != nil {
		value, err := p.bytes()
		if err != nil {
			return pdk.Fail(pdk.CodePlugin, "the value to restore: %v", err)
		}
		req := &putRequest{Key: []byte(in.Key), Value: value}
		if p.Lease != "" {
			lease, err := strconv.ParseInt(p.Lease, 10, 64)
			if err != nil {
				return pdk.Fail(pdk.CodePlugin, "the lease to restore: %v", err)
			}
			req.Lease = number(lease)
		}
		restore = txnOp{Put: req}
	}
	unchanged := number(out.Revision)
	var r txnReply
	err := c.Gateway(system, "txn", nil, txnRequest{
		Compare: []compare{{Key: []byte(in.Key), Target: "MOD", Result: "EQUAL", ModRevision: &unchanged}},
		Success: []txnOp{restore},
	}, &r)
	if err != nil {
		return err
	}
	if !r.Succeeded {
		return pdk.Fail("CHANGED_SINCE", "%s was written by somebody else after revision %d", in.Key, out.Revision)
	}
	return nil
}
