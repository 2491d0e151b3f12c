package main

import "github.com/culmhq/culm/pdk"

// GetIn reads one key, or all keys with a prefix. A key that is not there is no failure.
type GetIn struct {
	// The key, or the prefix of the keys.
	Key string `json:"key" jsonschema:"maxLength=1024"`
	// Whether to read all keys that begin with the key.
	Prefix bool `json:"prefix,omitempty"`
	// The most keys to return; 0 is no limit.
	Limit int `json:"limit,omitempty" jsonschema:"minimum=0" ui:"advanced"`
	// The revision to read at; 0 is the newest.
	Revision int64 `json:"revision,omitempty" jsonschema:"minimum=0" ui:"advanced"`
}

// GetOut is what was read.
type GetOut struct {
	// Whether there is any such key.
	Found bool `json:"found"`
	// The value of the first key, when it is text.
	Value string `json:"value"`
	// The keys with their values.
	KVs []KeyValue `json:"kvs" title:"Keys"`
	// How many such keys there are, also beyond the limit.
	Count int64 `json:"count"`
	// Whether the limit left keys out.
	More bool `json:"more"`
	// The revision of the cluster.
	Revision int64 `json:"revision"`
}

func get(c *pdk.Ctx, in GetIn) (GetOut, error) {
	if in.Key == "" && !in.Prefix {
		return GetOut{}, pdk.InvalidInput("key", "must not be empty without prefix")
	}
	req := rangeRequest{Limit: number(in.Limit), Revision: number(in.Revision)}
	req.Key, req.RangeEnd = span(in.Key, in.Prefix)
	var r rangeReply
	if err := c.Gateway(system, "range", nil, req, &r); err != nil {
		return GetOut{}, err
	}
	out := GetOut{
		Found: len(r.KVs) > 0, KVs: shown(r.KVs), Count: int64(r.Count), More: r.More,
		Revision: int64(r.Header.Revision),
	}
	if out.Found {
		out.Value = out.KVs[0].Value
	}
	return out, nil
}
