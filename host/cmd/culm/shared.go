package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"github.com/culmhq/culm"
	"github.com/culmhq/culm/engine"
	"github.com/culmhq/culm/host/document"
	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/flows"
)

// shared are the Chinese texts about what is refused and what fails, by codes and reasons. All but
// one group are those of the browser.
type shared struct {
	Why     texts // why exactly something is refused, by its reason
	Word    texts // the kinds of things and states that this names
	Problem texts // what is wrong with a flow
	Failure texts // why a node failed
	Wrong   texts `json:"-"` // what is wrong with the document of a system
	// Manifest is what is wrong with the manifest of a plugin and with its forms.
	Manifest texts `json:"-"`
	Author   texts `json:"-"` // what is wrong with the cases of a plugin: the command line's own
}

type texts map[string]string

// readShared reads the Chinese texts of the browser.
func readShared() shared {
	var out shared
	for name, into := range map[string]any{"codes": &out, "reasons": &out, "wrong": &out.Wrong, "manifest": &out.Manifest} {
		src, err := culm.ZhTexts.ReadFile("frontend/src/i18n/" + name + ".zh.json")
		if err == nil {
			err = json.Unmarshal(src, into)
		}
		if err != nil {
			panic(err) // it is part of the program
		}
	}
	if err := json.Unmarshal(zhAuthor, &out.Author); err != nil {
		panic(err) // as above
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
			if word, ok := s.Word[part]; ok {
				parts[i] = word
			}
		}
		return strings.Join(parts, "/")
	})
}

// because says why exactly, by a reason and what it names; "" where there are no words for it.
func (s shared) because(reason string, args map[string]string) string {
	for _, of := range []texts{s.Why, s.Manifest} {
		if format, ok := of[reason]; ok {
			return s.fill(format, args)
		}
	}
	return ""
}

// problem says what is wrong, by a code and what it names; "" where there are no words for it.
func (s shared) problem(code string, args map[string]string, message string) string {
	format := ""
	for _, of := range []texts{s.Problem, s.Wrong, s.Manifest, s.Author, s.Why} {
		if format = of[code]; format != "" {
			break
		}
	}
	if format == "" {
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
	s := t.shared()
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
		s := t.shared()
		for _, code := range []string{q.Args["code"], q.Code} { // of the text of a document, which has one of its own
			said := s.problem(code, q.Args, q.Message)
			if said != "" && q.Args["meant"] != "" {
				said += t.inf(", did you mean %s?", q.Args["meant"])
			}
			if said != "" {
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
	said := document.Place{Line: l.Line, Column: l.Column}.In(l.File) + ": " + t.placed(l.Problem)
	if l.Code != "" {
		said += " [" + l.Code + "]"
	}
	return said
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
// says it in the language of the reader with what the message names: the phrase with the most
// words of its own, and the first of several. A message that none of them fits stays as it is.
func (t text) recognised(message string) string {
	if other, ok := t.phrases[oneLine(message)]; ok {
		return other
	}
	best, found, said := 0, "", message
	for english, other := range t.phrases {
		literal := len(verb().ReplaceAllString(english, ""))
		if literal < 7 || literal < best || literal == best && english > found || !strings.Contains(english, "%") {
			continue
		}
		if args := match(english, message); args != nil {
			best, found, said = literal, english, fmt.Sprintf(verb().ReplaceAllString(other, "%${1}s"), args...)
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
