package python_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/engine/expr/python"
)

type (
	list = []any
	dict = map[string]any
)

func TestTextIsThatOfStr(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		v    any
		want string
	}{
		{"it's", "it's"},
		{true, "True"},
		{nil, "None"},
		{int64(-3), "-3"},
		{1.0, "1.0"},
		{0.1, "0.1"},
		{1e16, "1e+16"},
		{1e-5, "1e-05"},
		{123456789012345.0, "123456789012345.0"},
		{math.Inf(-1), "-inf"},
		{list{"a", int64(1), nil}, "['a', 1, None]"},
		{list{"it's", `a"b`, "a\nb\\", "\x00\u00a0é\u2028"}, `["it's", 'a"b', 'a\nb\\', '\x00\xa0é\u2028']`},
		{dict{"b": list{}, "a": dict{}}, "{'a': {}, 'b': []}"},
		{time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), "2026-01-02 03:04:05+00:00"},
	} {
		if have, err := python.Text(c.v); err != nil || have != c.want {
			t.Errorf("%#v gives %q, %v; want %q", c.v, have, err, c.want)
		}
	}
}

func TestCallsGiveWhatPythonGives(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		args list
		want string
	}{
		{"+", list{int64(1), 2.5}, "3.5"},
		{"+", list{"a", "b"}, "ab"},
		{"+", list{list{int64(1)}, list{int64(2)}}, "[1, 2]"},
		{"-", list{int64(1), int64(3)}, "-2"},
		{"*", list{"ab", int64(2)}, "abab"},
		{"*", list{int64(2), list{"x"}}, "['x', 'x']"},
		{"/", list{int64(7), int64(2)}, "3.5"},
		{"//", list{int64(-7), int64(2)}, "-4"},
		{"%", list{int64(-7), int64(2)}, "1"},
		{"//", list{7.5, int64(2)}, "3.0"},
		{"%", list{-7.5, int64(2)}, "0.5"},
		{"**", list{int64(2), int64(10)}, "1024"},
		{"**", list{int64(-1), int64(101)}, "-1"},
		{"**", list{int64(2), int64(-1)}, "0.5"},
		{"+", list{true, true}, "2"},
		{"%", list{"%5.1f|%-4d|%x|%+d|%%|%r|%.2s", list{3.14159, int64(7), int64(255), int64(1), "q", "long"}}, "  3.1|7   |ff|+1|%|'q'|lo"},
		{"at", list{"héllo", int64(-4)}, "é"},
		{"at", list{dict{"k": int64(1)}, "k"}, "1"},
		{"slice", list{"abcdef", int64(1), int64(-1), int64(2)}, "bd"},
		{"slice", list{list{int64(1), int64(2), int64(3)}, nil, nil, int64(-1)}, "[3, 2, 1]"},
		{"int", list{" 12 "}, "12"},
		{"int", list{-2.9}, "-2"},
		{"float", list{"1e3"}, "1000.0"},
		{"bool", list{list{}}, "False"},
		{"len", list{"é"}, "1"},
		{"abs", list{int64(-3)}, "3"},
		{"round", list{2.5}, "2"},
		{"round", list{2.675, int64(1)}, "2.7"},
		{"min", list{list{"b", "a"}}, "a"},
		{"max", list{int64(1), 2.5}, "2.5"},
		{"sum", list{list{int64(1), 0.5}}, "1.5"},
		{"sorted", list{list{int64(2), int64(1)}}, "[1, 2]"},
		{"reversed", list{"ab"}, "['b', 'a']"},
		{"range", list{int64(5), int64(0), int64(-2)}, "[5, 3, 1]"},
		{"any", list{list{int64(0), "x"}}, "True"},
		{"all", list{list{int64(0), "x"}}, "False"},
		{"items", list{dict{"b": nil, "a": nil}}, "['a', 'b']"},
		{"json.loads", list{`{"a":[1,2.0]}`}, "{'a': [1, 2.0]}"},
		{"json.dumps", list{dict{"é": list{true, nil, "😀<"}}}, "{\"\\u00e9\": [true, null, \"\\ud83d\\ude00<\"]}"},
		{"strftime", list{time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC), "%Y%m%d %H:%M:%S.%f %j %a %%"}, "20260102 03:04:05.000678 002 Fri %"},
		{".split", list{"a  b "}, "['a', 'b']"},
		{".split", list{"a,b,c", ",", int64(1)}, "['a', 'b,c']"},
		{".rsplit", list{"a,b,c", ",", int64(1)}, "['a,b', 'c']"},
		{".splitlines", list{"a\r\nb\n"}, "['a', 'b']"},
		{".join", list{"-", "abc"}, "a-b-c"},
		{".replace", list{"aaa", "a", "b", int64(2)}, "bba"},
		{".strip", list{"xxaxx", "x"}, "a"},
		{".lstrip", list{" a "}, "a "},
		{".startswith", list{"abc", list{"x", "ab"}}, "True"},
		{".find", list{"éa", "a"}, "1"},
		{".index", list{list{"x", "y"}, "y"}, "1"},
		{".count", list{"banana", "an"}, "2"},
		{".title", list{"ab cd"}, "Ab Cd"},
		{".capitalize", list{"aB c"}, "Ab c"},
		{".swapcase", list{"aB"}, "Ab"},
		{".zfill", list{"-7", int64(4)}, "-007"},
		{".ljust", list{"a", int64(3), "*"}, "a**"},
		{".isdigit", list{"12"}, "True"},
		{".isupper", list{"A1"}, "True"},
		{".isalpha", list{""}, "False"},
		{".get", list{dict{"a": int64(1)}, "b", "d"}, "d"},
		{".items", list{dict{"a": int64(1)}}, "[['a', 1]]"},
		{".values", list{dict{"a": int64(1)}}, "[1]"},
		{"equal", list{int64(1), true}, "True"},
		{"equal", list{dict{"a": list{1.0}}, dict{"a": list{int64(1)}}}, "True"},
		{"contains", list{dict{"a": nil}, "a"}, "True"},
	} {
		if !python.Known(c.name) {
			t.Errorf("%s is not known", c.name)
		}
		v, err := python.Call(c.name, c.args)
		have, _ := python.Text(v)
		if err != nil || have != c.want {
			t.Errorf("%s(%v) gives %q, %v; want %q", c.name, c.args, have, err, c.want)
		}
	}
}

func TestCallsThatCannotBeMadeAreErrors(t *testing.T) {
	t.Parallel()
	big := strings.Repeat("x", 1<<19)
	for _, c := range []struct {
		name string
		args list
	}{
		{"+", list{"a", int64(1)}},
		{"+", list{int64(math.MaxInt64), int64(1)}},
		{"*", list{int64(math.MinInt64), int64(-1)}},
		{"//", list{int64(1), int64(0)}},
		{"%", list{1.0, 0.0}},
		{"**", list{int64(10), int64(100)}},
		{"*", list{big, int64(1000)}},
		{"+", list{big, big + "x"}},
		{"*", list{list{nil}, int64(1 << 40)}},
		{"%", list{"%s", list{}}},
		{"%", list{"%s", list{"a", "b"}}},
		{"%", list{"%d", list{"a"}}},
		{"%", list{"%q", list{"a"}}},
		{"%", list{"%99999d", list{int64(1)}}},
		{"at", list{"a", int64(1)}},
		{"at", list{dict{}, "k"}},
		{"at", list{nil, int64(0)}},
		{"slice", list{"a", nil, nil, int64(0)}},
		{"slice", list{"a", "b", nil, nil}},
		{"int", list{"x"}},
		{"int", list{"1.0"}},
		{"float", list{"0x1"}},
		{"len", list{int64(1)}},
		{"range", list{int64(1 << 40)}},
		{"range", list{}},
		{"min", list{list{}}},
		{"min", list{int64(1), "a"}},
		{"sorted", list{list{int64(1), "a"}}},
		{"sum", list{list{"a"}}},
		{".join", list{",", list{int64(1)}}},
		{".zfill", list{"a", int64(1 << 40)}},
		{".split", list{"a", ""}},
		{".nope", list{"a"}},
		{".upper", list{int64(1)}},
		{".index", list{list{}, "a"}},
		{"json.loads", list{"{"}},
		{"strftime", list{"x", "%Y"}},
		{"nope", list{nil}},
	} {
		if v, err := python.Call(c.name, c.args); err == nil {
			t.Errorf("%s(%v) gives %v", c.name, c.args, v)
		}
	}
}

func TestOperandsOfConditions(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"4": "4", "-4": "-4", "+1.5": "1.5", ".5": "0.5", "1.": "1.0", "1.5e3": "1500.0", "True": "True", "FALSE": "False", "abc": "abc", "_a.b": "_a.b",
		"${x}": "${x}", "'a b'": "a b", `""`: "", " 4 ": "4", "(1, 'a', b)": "[1, 'a', 'b']",
	} {
		v, err := python.Operand(text)
		if have, _ := python.Text(v); err != nil || have != want {
			t.Errorf("%q is %q, %v; want %q", text, have, err, want)
		}
	}
	for _, text := range []string{"", "a b", "1.2.3", "1e5", "truex", "[1]", "(1", "(1 2)", "'a", "1a", "-"} {
		if v, err := python.Operand(text); err == nil {
			t.Errorf("%q is %v", text, v)
		}
	}
	for _, c := range []struct {
		op   string
		l, r any
	}{{"<", int64(1), "x"}, {"<", nil, nil}, {"in", int64(1), "123"}, {"in", "a", int64(1)}, {"issuperset", int64(1), list{}}, {"=~", "a", "a"}} {
		if ok, err := python.Test(c.op, c.l, c.r); err == nil {
			t.Errorf("%v %s %v gives %v", c.l, c.op, c.r, ok)
		}
	}
}
