package manifest

// Problem is one thing that is wrong with what a manifest is made from, as culm plugin build
// reads it from the plugin's program.
type Problem struct { //nolint:errname // it is data first: what another program reads
	// File is the file that is wrong, relative to the source of the plugin; empty where it
	// is the source itself.
	File string `json:"file,omitempty"`
	// Field is the JSON Pointer of the text, as the file writes it.
	Field string `json:"field,omitempty"`
	// Code is stable: culm translates by it. It is empty where the message alone says it.
	Code    string `json:"code,omitempty"`
	Message string `json:"message"`
}

// Error reads "file: field: message", as far as these are known.
func (p *Problem) Error() string {
	said := p.Message
	for _, part := range []string{p.Field, p.File} {
		if part != "" {
			said = part + ": " + said
		}
	}
	return said
}

// Problems lists the parts of an error of Reflect; none for nil.
func Problems(err error) []Problem {
	if err == nil {
		return nil
	}
	if p, ok := err.(*Problem); ok { //nolint:errorlint // one part of a joined error
		return []Problem{*p}
	}
	var all []Problem
	switch e := err.(type) { //nolint:errorlint // it walks the tree itself
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			all = append(all, Problems(part)...)
		}
		return all
	case interface{ Unwrap() error }:
		all = Problems(e.Unwrap())
	}
	for _, p := range all {
		if p.Code != "" {
			return all
		}
	}
	return []Problem{{Message: err.Error()}} // with what was said around it
}
