package main

import (
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/culmhq/culm/pdk"
)

// TxnIn compares, and then does one of two lists of operations, all or nothing.
type TxnIn struct {
	// What must hold; all of it.
	Compare []Compare `json:"compare,omitempty" title:"If" jsonschema:"maxItems=128"`
	// What is done when it holds.
	Then []Op `json:"then,omitempty" jsonschema:"maxItems=128"`
	// What is done otherwise.
	Else []Op `json:"else,omitempty" jsonschema:"maxItems=128"`
}

// Compare is a condition on one key.
type Compare struct {
	// The key.
	Key string `json:"key" jsonschema:"minLength=1,maxLength=1024"`
	// What of the key is compared. A key that is not there has version 0.
	Target string `json:"target,omitempty" choices:"value:Value|version:Version|mod_revision:Revision|create_revision:Revision of creation"`
	// How it is compared.
	Result string `json:"result,omitempty" title:"Comparison" choices:"=:equals|!=:differs from|>:is greater than|<:is less than"`
	// The text or number to compare with.
	Value string `json:"value"`
}

// Op is one operation of a transaction.
type Op struct {
	// What is done.
	Op string `json:"op" title:"Operation" choices:"put:Write|get:Read|delete:Delete"`
	// The key, or the prefix of the keys to read or delete.
	Key string `json:"key" jsonschema:"minLength=1,maxLength=1024"`
	// The value to write.
	Value string `json:"value,omitempty" jsonschema:"maxLength=1048576"`
	// Whether all keys that begin with the key are read or deleted.
	Prefix bool `json:"prefix,omitempty"`
}

// TxnOut says what was done.
type TxnOut struct {
	// Whether the comparisons held.
	Succeeded bool `json:"succeeded"`
	// The revision of the cluster.
	Revision int64 `json:"revision"`
	// What each operation answered, in order.
	Results []OpResult `json:"results"`
}

// OpResult is the answer of one operation of a transaction.
type OpResult struct {
	// The keys that were read.
	KVs []KeyValue `json:"kvs" title:"Keys"`
	// How many keys were deleted.
	Deleted int64 `json:"deleted"`
}

type compare struct {
	Key            []byte  `json:"key"`
	Target         string  `json:"target"`
	Result         string  `json:"result"`
	Value          *[]byte `json:"value,omitempty"`
	Version        *number `json:"version,omitempty"`
	ModRevision    *number `json:"mod_revision,omitempty"`
	CreateRevision *number `json:"create_revision,omitempty"`
}

type txnOp struct {
	Range  *rangeRequest  `json:"request_range,omitempty"`
	Put    *putRequest    `json:"request_put,omitempty"`
	Delete *deleteRequest `json:"request_delete_range,omitempty"`
}

type txnRequest struct {
	Compare []compare `json:"compare,omitempty"`
	Success []txnOp   `json:"success,omitempty"`
	Failure []txnOp   `json:"failure,omitempty"`
}

type txnReply struct {
	Header    header `json:"header"`
	Succeeded bool   `json:"succeeded"`
	Responses []struct {
		Range  *rangeReply  `json:"response_range"`
		Delete *deleteReply `json:"response_delete_range"`
	} `json:"responses"`
}

func txn(c *pdk.Ctx, in TxnIn) (TxnOut, error) {
	if len(in.Then)+len(in.Else) == 0 {
		return TxnOut{}, pdk.InvalidInput("then", "the transaction does nothing: give then or else")
	}
	var req txnRequest
	for i, cmp := range in.Compare {
		w, err := cmp.wire(fmt.Sprintf("compare.%d", i))
		if err != nil {
			return TxnOut{}, err
		}
		req.Compare = append(req.Compare, w)
	}
	req.Success, req.Failure = wireAll(in.Then), wireAll(in.Else)
	var r txnReply
	if err := c.Gateway(system, "txn", nil, req, &r); err != nil {
		return TxnOut{}, err
	}
	out := TxnOut{Succeeded: r.Succeeded, Revision: int64(r.Header.Revision)}
	for _, one := range r.Responses {
		var res OpResult
		if one.Range != nil {
			res.KVs = shown(one.Range.KVs)
		}
		if one.Delete != nil {
			res.Deleted = int64(one.Delete.Deleted)
		}
		out.Results = append(out.Results, res)
	}
	return out, nil
}

func (c Compare) wire(field string) (compare, error) {
	results := map[string]string{"": "EQUAL", "=": "EQUAL", "!=": "NOT_EQUAL", ">": "GREATER", "<": "LESS"}
	w := compare{Key: []byte(c.Key), Result: results[c.Result]}
	if w.Result == "" {
		return w, pdk.InvalidInput(field+".result", "%q is none of =, !=, > and <", c.Result)
	}
	if c.Target == "value" || c.Target == "" {
		value := []byte(c.Value)
		w.Target, w.Value = "VALUE", &value
		return w, nil
	}
	v, err := strconv.ParseInt(c.Value, 10, 64)
	if err != nil {
		return w, pdk.InvalidInput(field+".value", "%q is not a number, which %s is compared with", c.Value, c.Target)
	}
	n := number(v)
	switch c.Target {
	case "version":
		w.Target, w.Version = "VERSION", &n
	case "mod_revision":
		w.Target, w.ModRevision = "MOD", &n
	case "create_revision":
		w.Target, w.CreateRevision = "CREATE", &n
	default:
		return w, pdk.InvalidInput(field+".target", "%q is none of value, version, mod_revision and create_revision", c.Target)
	}
	return w, nil
}

func wireAll(ops []Op) []txnOp {
	var all []txnOp
	for _, op := range ops {
		from, end := span(op.Key, op.Prefix)
		switch op.Op {
		case "put":
			all = append(all, txnOp{Put: &putRequest{Key: from, Value: []byte(op.Value)}})
		case "delete":
			all = append(all, txnOp{Delete: &deleteRequest{Key: from, RangeEnd: end}})
		default:
			all = append(all, txnOp{Range: &rangeRequest{Key: from, RangeEnd: end}})
		}
	}
	return all
}

// bytes returns the value in the form in which it was stored.
func (kv KeyValue) bytes() ([]byte, error) {
	if kv.ValueBase64 != "" {
		return base64.StdEncoding.DecodeString(kv.ValueBase64)
	}
	return []byte(kv.Value), nil
}
