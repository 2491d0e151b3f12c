package engine

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// The limits of notes.
const (
	// MaxNotes bounds the notes of a flow.
	MaxNotes = 1000
	// MaxNoteRunes bounds the text of a note, in characters.
	MaxNoteRunes = 4000
	// MaxNotePixels bounds the width and the height of a note.
	MaxNotePixels = 10_000
)

// StickyNote is a piece of paper on the drawing: something that its authors tell each other.
// It is part of the document, and no run looks at it.
type StickyNote struct {
	// ID is as a node's; unique among notes.
	ID string `json:"id"`
	// Text is plain text, at most MaxNoteRunes characters; lines end with a newline.
	Text string `json:"text,omitempty"`
	// X and Y are the place of the left upper corner on the canvas, in pixels.
	X float64 `json:"x"`
	Y float64 `json:"y"`
	// W and H are the width and the height in pixels, above 0 and at most MaxNotePixels.
	W float64 `json:"w"`
	H float64 `json:"h"`
	// Colour is that of the paper; the zero value is yellow.
	Colour NoteColour `json:"colour,omitempty"`
}

// NoteColour is the colour of a note.
type NoteColour string

// The colours of notes.
const (
	NoteYellow NoteColour = ""
	NoteBlue   NoteColour = "blue"
	NoteGreen  NoteColour = "green"
	NotePink   NoteColour = "pink"
	NoteGrey   NoteColour = "grey"
)

func (c NoteColour) valid() bool {
	switch c {
	case NoteYellow, NoteBlue, NoteGreen, NotePink, NoteGrey:
		return true
	}
	return false
}

// notes checks what is written on the drawing.
func (b *builder) notes() {
	if len(b.f.Notes) > MaxNotes {
		b.report(Problem{Code: ProblemFlowTooLarge, Field: "/notes"}, fmt.Sprintf("%d notes, at most %d", len(b.f.Notes), MaxNotes),
			"what", "notes", "max", strconv.Itoa(MaxNotes))
		return
	}
	seen := map[string]bool{}
	for i := range b.f.Notes {
		n := &b.f.Notes[i]
		at := func(code, field string) Problem {
			return Problem{Code: code, Field: fmt.Sprintf("/notes/%d/%s", i, field)}
		}
		switch {
		case !nodeIDPattern.MatchString(n.ID):
			b.report(at(ProblemNoteID, "id"), "a note id is a letter, then up to 63 letters, digits and _")
		case seen[n.ID]:
			b.report(at(ProblemNoteDuplicate, "id"), fmt.Sprintf("the id %q is taken", n.ID))
		}
		seen[n.ID] = true
		if utf8.RuneCountInString(n.Text) > MaxNoteRunes {
			b.report(at(ProblemNoteText, "text"), fmt.Sprintf("at most %d characters", MaxNoteRunes), "max", strconv.Itoa(MaxNoteRunes))
		}
		for _, side := range []struct {
			name   string
			pixels float64
		}{{"w", n.W}, {"h", n.H}} {
			if side.pixels <= 0 || side.pixels > MaxNotePixels {
				b.report(at(ProblemNoteSize, side.name), fmt.Sprintf("above 0 and at most %d pixels", MaxNotePixels), "max", strconv.Itoa(MaxNotePixels))
			}
		}
		if !n.Colour.valid() {
			b.report(at(ProblemNoteColour, "colour"), fmt.Sprintf("no colour %q", n.Colour), "colour", string(n.Colour))
		}
	}
}
