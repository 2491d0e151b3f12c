// Package pdktest runs the actions of a plugin natively, under plain go test, against
// a host that the test scripts: answers of the gateway, variables and the clock.
//
//	b := pdktest.New(t, plugin)
//	b.Reply("cmdb", "list_hosts", 200, `{"hosts":[]}`)
//	out := pdktest.Succeeded[ListOut](t, b.Execute("list_hosts", ListIn{Service: "web"}))
//
// Inputs and outputs pass through the same encoding as in a module and are checked
// against the schemas of the manifest, as the host does it.
package pdktest
