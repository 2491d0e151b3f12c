package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/culmhq/culm"
	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
)

// The groups of texts that the browser has, too: why exactly something is refused, by its
// reason; the kinds of things and states that this names; what is wrong with a flow, or with
// the document of a system; and why a node failed.
const (
	groupWhy     = "whyZh"
	groupWord    = "wordsZh"
	groupProblem = "problemZh"
	groupFailure = "failureZh"
	groupWrong   = "wrong"
)

// shared are the texts of the browser by group and key.
type shared map[string]map[string]string

// sharedTexts reads the Chinese texts of the browser. They are read where one is needed, which
// is once in a run of the program at most.
func sharedTexts() shared {
	out := shared{}
	group := regexp.MustCompile(`(?ms)^(?:export const| ) (\w+)(?:: | = )\{$(.*?)^(?:  )?\}`)
	entry := regexp.MustCompile(`(?m)^\s+(?:'([^']+)'|([\w-]+)):\s+'((?:[^'\\]|\\.)*)',$`)
	for _, name := range []string{"codes", "reasons", "systems"} {
		src, err := culm.ZhTexts.ReadFile("frontend/src/i18n/" + name + ".zh.ts")
		if err != nil {
			panic(err) // it is part of the program
		}
		for _, g := range group.FindAllStringSubmatch(string(src), -1) {
			texts := map[string]string{}
			for _, e := range entry.FindAllStringSubmatch(g[2], -1) {
				texts[e[1]+e[2]] = strings.ReplaceAll(e[3], `\'`, "'")
			}
			out[g[1]] = texts
		}
	}
	return out
}

// fill replaces {{a}} by what is named so, and {{wa}} by the same as a word.
func (s shared) fill(format string, args map[string]string) string {
	return regexp.MustCompile(`\{\{(\w+)\}\}`).ReplaceAllStringFunc(format, func(hole string) string {
		name := strings.Trim(hole, "{}")
		if v, ok := args[name]; ok {
			return v
		}
		parts := strings.Split(args[strings.TrimPrefix(name, "w")], "/")
		for i, part := range parts {
			if word, ok := s[groupWord][part]; ok {
				parts[i] = word
			}
		}
		return strings.Join(parts, "/")
	})
}

// because says why exactly, by a reason and what it names; "" where there are no words for it.
func (s shared) because(reason string, args map[string]string) string {
	if format, ok := s[groupWhy][reason]; ok {
		return s.fill(format, args)
	}
	return ""
}

// problem says what is wrong, by a code and what it names; "" where there are no words for it.
func (s shared) problem(code string, args map[string]string, message string) string {
	format, ok := s[groupProblem][code]
	if !ok {
		format, ok = s[groupWrong][code]
	}
	if !ok {
		return ""
	}
	all := map[string]string{"message": message}
	for name, v := range args {
		all[name] = v
	}
	if why := s.because(args["why"], args); why != "" {
		all["detail"] = why
	}
	return s.fill(format, all)
}

// message is what a refusal says, in the language of the reader.
func (t text) message(f *fault.Error) string {
	if t.lang != "zh" {
		return f.Message
	}
	s := sharedTexts()
	if why := s.because(f.Reason, f.Args); why != "" {
		return why
	}
	if len(f.Problems) == 1 && f.Problems[0].Message == f.Message {
		return t.problem(f.Problems[0])
	}
	return t.recognised(f.Message)
}

// problem is what a problem says, in the language of the reader.
func (t text) problem(q engine.Problem) string {
	if t.lang == "zh" {
		s := sharedTexts()
		for _, code := range []string{q.Args["code"], q.Code} { // of the text of a document, which has one of its own
			if said := s.problem(code, q.Args, q.Message); said != "" {
				return said
			}
		}
	}
	return t.recognised(q.Message)
}

// documentProblem is what is wrong in a document, with its place.
func (t text) documentProblem(p document.Problem) string {
	if t.lang != "zh" {
		return p.Error()
	}
	place := ""
	if p.Line > 0 {
		place = t.inf("line %d: ", p.Line)
	}
	if p.Field != "" {
		place += t.labelled(p.Field, "")
	}
	return place + t.problem(engine.Problem{Code: p.Code, Args: p.Args, Message: p.Message})
}

// located is a problem of a flow with its place, in a line.
func (t text) located(l flows.Located) string {
	if t.lang != "zh" {
		return l.String()
	}
	var b strings.Builder
	b.WriteString(l.File)
	if l.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", l.Line, l.Column)
	}
	b.WriteString(": " + t.placed(l.Problem))
	if l.Code != "" {
		b.WriteString(" [" + l.Code + "]")
	}
	return b.String()
}

// placed is a problem with the thing that it is in.
func (t text) placed(q engine.Problem) string {
	place := ""
	switch {
	case q.Node != "":
		place = t.inf("node %s: ", q.Node)
	case q.Edge != "":
		place = t.inf("edge %s: ", q.Edge)
	case q.Variable != "":
		place = t.inf("variable %s: ", q.Variable)
	}
	if q.Field != "" {
		place += t.labelled(q.Field, "")
	}
	return place + t.problem(q)
}

// recognised finds the phrase that an English message was made with by another package, and
// says it in the language of the reader with what the message names; a message that none of
// the phrases fits stays as it is.
func (t text) recognised(message string) string {
	if other, ok := t.phrases[oneLine(message)]; ok {
		return other
	}
	best, said := 0, message
	for english, other := range t.phrases {
		literal := len(verb().ReplaceAllString(english, ""))
		if literal < 7 || literal <= best || !strings.Contains(english, "%") {
			continue
		}
		if args := match(english, message); args != nil {
			best, said = literal, fmt.Sprintf(verb().ReplaceAllString(other, "%${1}s"), args...)
		}
	}
	return said
}

// verb finds what a format fills in.
func verb() *regexp.Regexp { return regexp.MustCompile(`%(\[\d\])?[a-z]`) }

// match returns what was filled into a format to make a message; nil where it was not.
func match(format, message string) []any {
	pattern := "^"
	rest := format
	for at := verb().FindStringIndex(rest); at != nil; at = verb().FindStringIndex(rest) {
		pattern += regexp.QuoteMeta(rest[:at[0]])
		switch rest[at[1]-1] {
		case 'q':
			pattern += `("(?:[^"\\]|\\.)*")`
		case 'd':
			pattern += `(-?\d+)`
		default:
			pattern += `((?s).+?)`
		}
		rest = rest[at[1]:]
	}
	found := regexp.MustCompile(pattern + regexp.QuoteMeta(rest) + "$").FindStringSubmatch(message)
	if found == nil {
		return nil
	}
	var args []any
	for _, s := range found[1:] {
		args = append(args, strings.TrimSpace(s))
	}
	return args
}
