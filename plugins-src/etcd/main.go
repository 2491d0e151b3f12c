// The plugin etcd reads and writes keys of an etcd cluster, through its JSON gateway.
package main

import "github.com/culmhq/culm/pdk"

const system = "etcd"

var plugin = pdk.Register(pdk.Plugin{
	ID:      "etcd",
	Version: "1.0.0",
	Title:   pdk.Text{En: "etcd"},
	Doc:     pdk.Text{En: "Keys and transactions of an etcd cluster, version 3.4 or later."},
	Icon:    "database",
	Needs: []pdk.Need{
		{System: system, Operation: "range"},
		{System: system, Operation: "put"},
		{System: system, Operation: "txn"},
	},
	Actions: []pdk.Actor{
		pdk.Action[GetIn, GetOut]{
			ID: "get", Title: pdk.Text{En: "Read keys"}, Icon: "database",
			Execute: get,
		},
		pdk.Action[PutIn, PutOut]{
			ID: "put", Title: pdk.Text{En: "Write a key"}, Icon: "database",
			Execute: put, Rollback: undoPut,
		},
		pdk.Action[TxnIn, TxnOut]{
			ID: "txn", Title: pdk.Text{En: "Transaction"}, Icon: "database",
			Execute: txn,
		},
	},
})

func main() { plugin.Main() }
