package main

import "github.com/culmhq/culm/pdk"

// GreetIn greets somebody by name.
type GreetIn struct {
	// Who is greeted.
	Name string `json:"name" jsonschema:"minLength=1,maxLength=64"`
	// Ends with an exclamation mark.
	Loud bool `json:"loud,omitempty" ui:"widget=switch"`
}

// GreetOut holds the greeting.
type GreetOut struct {
	// What was said.
	Greeting string `json:"greeting"`
}

// greet answers by itself: it needs nothing but its inputs.
func greet(c *pdk.Ctx, in GreetIn) (GreetOut, error) {
	out := GreetOut{Greeting: "Hello, " + in.Name + "."}
	if in.Loud {
		out.Greeting = "Hello, " + in.Name + "!"
	}
	c.Info("%s", out.Greeting)
	return out, nil
}
