package hosttest

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/culmhq/culm/engine/sqlite"
)

// Canaries are texts that stand for secrets, by a name. What a test does with them must
// leave no trace of them; Search looks for one.
type Canaries map[string]string

// Hit is a trace of a canary.
type Hit struct {
	// Where is the file, the cell or whatever the text was called that it is in.
	Where, Canary, Form string
}

// String tells of the hit without the canary.
func (h Hit) String() string { return fmt.Sprintf("%s holds %s as %s", h.Where, h.Canary, h.Form) }

// shortest is how long a needle must be at least: a shorter one turns up by chance.
const shortest = 8

// needle is a form of a canary.
type needle struct {
	canary, form string
	text         []byte
}

// needles is what is looked for.
type needles []needle

func (c Canaries) needles() needles {
	var all needles
	for name, value := range c {
		for form, texts := range Forms(value) {
			for _, t := range texts {
				if len(t) >= shortest {
					all = append(all, needle{name, form, []byte(t)})
				}
			}
		}
	}
	return all
}

// Search looks for the canaries in a text, in the forms in which programs write texts
// down, and in what is packed with gzip or deflate in it as a whole.
func (c Canaries) Search(where string, text []byte) []Hit { return c.needles().search(where, text) }

func (ns needles) search(where string, text []byte) []Hit {
	var hits []Hit
	for _, n := range ns {
		if bytes.Contains(text, n.text) {
			hits = append(hits, Hit{where, n.canary, n.form})
		}
	}
	if plain := unpacked(text); plain != nil {
		hits = append(hits, ns.search(where+" (unpacked)", plain)...)
	}
	slices.SortFunc(hits, func(a, b Hit) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(hits)
}

// Forms returns what to look for, by the name of the form. A form that changes with what
// stands around the text is looked for by the part that does not.
func Forms(s string) map[string][]string {
	b := []byte(s)
	js, _ := json.Marshal(s)
	var loose strings.Builder
	e := json.NewEncoder(&loose)
	e.SetEscapeHTML(false)
	_ = e.Encode(s)
	inner := strings.Trim(string(js), `"`)
	twice, _ := json.Marshal(inner)
	var escaped, percent strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&escaped, `\u%04x`, u)
	}
	for _, x := range b {
		fmt.Fprintf(&percent, "%%%02X", x)
	}
	var wide []byte
	for _, u := range utf16.Encode([]rune(s)) {
		wide = binary.LittleEndian.AppendUint16(wide, u)
	}
	reversed := []rune(s)
	slices.Reverse(reversed)
	return map[string][]string{
		"itself":         {s},
		"JSON":           {inner, strings.Trim(strings.TrimSpace(loose.String()), `"`), escaped.String()},
		"JSON in JSON":   {strings.Trim(string(twice), `"`)},
		"hex":            {hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b))},
		"base64":         in64(b, base64.RawStdEncoding),
		"base64 of URLs": in64(b, base64.RawURLEncoding),
		"URL":            {url.QueryEscape(s), url.PathEscape(s), percent.String(), strings.ToLower(percent.String())},
		"HTML":           {html.EscapeString(s)},
		"UTF-16":         {string(wide)},
		"reversed":       {string(reversed)},
	}
}

// in64 returns what of a base64 does not depend on what stands before and behind the text,
// for each of the three places in which it may begin.
func in64(b []byte, enc *base64.Encoding) []string {
	var out []string
	for shift := range 3 {
		text := enc.EncodeToString(append(make([]byte, shift), b...))
		from := (shift*8 + 5) / 6
		to := len(b) + shift
		out = append(out, text[from:to*8/6])
	}
	return out
}

// unpackedMax bounds what is unpacked.
const unpackedMax = 64 << 20

// unpacked returns what a text is packed from, or nil.
func unpacked(text []byte) []byte {
	if z, err := gzip.NewReader(bytes.NewReader(text)); err == nil {
		if plain, err := io.ReadAll(io.LimitReader(z, unpackedMax)); err == nil {
			return plain
		}
	}
	// Deflate has no beginning of its own; what is none ends with an error.
	if plain, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(text)), unpackedMax)); err == nil && len(plain) > len(text) {
		return plain
	}
	return nil
}

// SearchFiles looks through every file below a directory, and through every cell of what
// is a database among them. It returns how many files it looked at.
func (c Canaries) SearchFiles(ctx context.Context, dir string) (hits []Hit, files int, err error) {
	ns := c.needles()
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		hits = append(hits, ns.search(path, text)...)
		if !bytes.HasPrefix(text, []byte("SQLite format 3")) {
			return nil
		}
		inside, err := ns.searchCells(ctx, path)
		hits = append(hits, inside...)
		return err
	})
	return hits, files, err
}

// searchCells looks through every cell of a database.
func (ns needles) searchCells(ctx context.Context, path string) ([]Hit, error) {
	db, err := sqlite.OpenReadOnly(ctx, path)
	if err != nil {
		return nil, err
	}
	defer db.Close() //nolint:errcheck // read only
	tables, err := db.QueryContext(ctx, `SELECT name FROM sqlite_master WHERE type = 'table'`)
	if err != nil {
		return nil, err
	}
	defer tables.Close() //nolint:errcheck // tables.Err says it
	var names []string
	for tables.Next() {
		var name string
		if err := tables.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	if err := tables.Err(); err != nil {
		return nil, err
	}
	var hits []Hit
	for _, name := range names {
		found, err := ns.searchTable(ctx, db, path, name)
		if err != nil {
			return nil, err
		}
		hits = append(hits, found...)
	}
	return hits, nil
}

func (ns needles) searchTable(ctx context.Context, db *sql.DB, path, name string) ([]Hit, error) {
	rows, err := db.QueryContext(ctx, `SELECT * FROM "`+name+`"`) //nolint:gosec // a name that the database itself gave
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says it
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	cells, to := make([]sql.RawBytes, len(columns)), make([]any, len(columns))
	for i := range cells {
		to[i] = &cells[i]
	}
	var hits []Hit
	for rows.Next() {
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		for i, cell := range cells {
			hits = append(hits, ns.search(filepath.Base(path)+" "+name+"."+columns[i], cell)...)
		}
	}
	return hits, rows.Err()
}
