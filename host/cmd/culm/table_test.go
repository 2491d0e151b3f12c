package main

import (
	"fmt"
	"strings"
	"testing"
)

func TestATableLinesUpInATerminalAlsoInChinese(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	w := newTable(&b)
	fmt.Fprintf(w, "插件\thello 0.1.0\t问候\n申请\tdemo/list_hosts\t已授权\nab\ta last cell that is long\n\t\t\n")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := "插件  hello 0.1.0      问候\n申请  demo/list_hosts  已授权\nab    a last cell that is long\n\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
}
