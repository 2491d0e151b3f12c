package main

import (
	"bytes"
	"io"
	"strings"
)

// tableGap is what lies between two columns.
const tableGap = 2

// table lines up what is written to it: a cell ends with a tab, a row with a newline.
// Unlike text/tabwriter it counts the columns of a terminal, of which a Chinese character
// takes two, and writes no blanks at the end of a row. The last cell of a row makes no
// column wider. Nothing is written before Flush.
type table struct {
	out  io.Writer
	text bytes.Buffer
}

func newTable(out io.Writer) *table { return &table{out: out} }

// Write takes cells and rows; it never fails.
func (t *table) Write(b []byte) (int, error) { return t.text.Write(b) }

// Flush writes the rows.
func (t *table) Flush() error {
	var rows [][]string
	for line := range strings.Lines(t.text.String()) {
		rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
	}
	t.text.Reset()
	var widths []int
	c := cells()
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], c.StringWidth(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := ""
		for i, cell := range row {
			if i < len(row)-1 {
				cell = c.FillRight(cell, widths[i]+tableGap)
			}
			line += cell
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(t.out, b.String())
	return err
}
