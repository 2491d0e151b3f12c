package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// The JSON gateway of etcd writes bytes as base64 and 64-bit integers as text, and
// leaves out whatever is zero: a count of nothing, an empty list, false. Types of
// encoding/json do the first; number does the second.

// number is a 64-bit integer as the gateway writes it: text, or a number in what other
// programs send.
type number int64

// UnmarshalJSON reads both forms.
func (n *number) UnmarshalJSON(b []byte) error {
	v, err := strconv.ParseInt(string(bytes.Trim(b, `"`)), 10, 64)
	*n = number(v)
	return err
}

// MarshalJSON writes text.
func (n number) MarshalJSON() ([]byte, error) {
	return json.Marshal(strconv.FormatInt(int64(n), 10))
}

type header struct {
	Revision number `json:"revision"`
}

type keyValue struct {
	Key            []byte `json:"key"`
	Value          []byte `json:"value"`
	CreateRevision number `json:"create_revision"`
	ModRevision    number `json:"mod_revision"`
	Version        number `json:"version"`
	Lease          number `json:"lease"`
}

type rangeRequest struct {
	Key      []byte `json:"key"`
	RangeEnd []byte `json:"range_end,omitempty"`
	Limit    number `json:"limit,omitempty"`
	Revision number `json:"revision,omitempty"`
	KeysOnly bool   `json:"keys_only,omitempty"`
}

type rangeReply struct {
	Header header     `json:"header"`
	KVs    []keyValue `json:"kvs"`
	Count  number     `json:"count"`
	More   bool       `json:"more"`
}

type putRequest struct {
	Key    []byte `json:"key"`
	Value  []byte `json:"value"`
	Lease  number `json:"lease,omitempty"`
	PrevKV bool   `json:"prev_kv,omitempty"`
}

type putReply struct {
	Header header    `json:"header"`
	PrevKV *keyValue `json:"prev_kv"`
}

type deleteRequest struct {
	Key      []byte `json:"key"`
	RangeEnd []byte `json:"range_end,omitempty"`
}

type deleteReply struct {
	Deleted number `json:"deleted"`
}

// rangeEnd returns the first key behind those that begin with prefix; for the empty
// prefix, the zero byte that stands for the end of all keys.
func rangeEnd(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return []byte{0}
}

// span returns the key and range end of one key, or of all keys with that prefix.
func span(key string, prefix bool) (from, end []byte) {
	from = []byte(key)
	if prefix {
		end = rangeEnd(from)
		if len(from) == 0 {
			from = []byte{0}
		}
	}
	return from, end
}

// KeyValue is a key with its value.
type KeyValue struct {
	// The key.
	Key string `json:"key"`
	// The value, when it is text in UTF-8.
	Value string `json:"value"`
	// The value in base64, when it is not text.
	ValueBase64 string `json:"value_base64,omitempty" title:"Value (base64)"`
	// How often the key was written since it was created.
	Version int64 `json:"version"`
	// The revision at which the key was created.
	CreateRevision int64 `json:"create_revision"`
	// The revision at which the key was last written.
	ModRevision int64 `json:"mod_revision" title:"Revision"`
	// The lease that the key is bound to, if any.
	Lease string `json:"lease,omitempty"`
}

func (kv keyValue) shown() KeyValue {
	out := KeyValue{
		Key: string(kv.Key), Version: int64(kv.Version),
		CreateRevision: int64(kv.CreateRevision), ModRevision: int64(kv.ModRevision),
	}
	if kv.Lease != 0 {
		out.Lease = strconv.FormatInt(int64(kv.Lease), 10)
	}
	if utf8.Valid(kv.Value) {
		out.Value = string(kv.Value)
	} else {
		out.ValueBase64 = base64.StdEncoding.EncodeToString(kv.Value)
	}
	return out
}

func shown(kvs []keyValue) []KeyValue {
	var out []KeyValue
	for _, kv := range kvs {
		out = append(out, kv.shown())
	}
	return out
}
