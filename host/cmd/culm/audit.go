package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/app"
	"github.com/culmhq/culm/host/audit"
	"github.com/culmhq/culm/host/config"
	auditstore "github.com/culmhq/culm/host/store"
)

// auditOptions are the flags of the audit commands.
type auditOptions struct {
	data, anchors, key, file string
	places                   []string
	asJSON                   bool
}

func (p *program) auditCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Verify and export the log of calls and changes",
		Long: "Verify and export the log of what passed the gateway and of what administrators changed.\n" +
			"It is read from the data directory, also while the server of that directory runs.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.auditVerify(), p.auditExport())
	return c
}

func (o *auditOptions) files() app.AuditFiles {
	cfg := config.Default()
	cfg.Data, cfg.Audit.Anchors = o.data, o.anchors
	files := app.AuditFilesOf(cfg)
	if o.key == "" {
		o.key = files.Key + audit.PublicSuffix
	}
	return files
}

// lines returns the entries of the database or of the exported file.
func (o *auditOptions) lines(ctx context.Context, p *program) iter.Seq2[audit.Line, error] {
	if o.file == "" {
		path, err := filepath.Abs(o.files().Database)
		if err != nil {
			return func(yield func(audit.Line, error) bool) { yield(audit.Line{}, err) }
		}
		return auditstore.ReadAudit(ctx, path)
	}
	return func(yield func(audit.Line, error) bool) {
		in := p.in
		if o.file != "-" {
			f, err := os.Open(o.file)
			if err != nil {
				yield(audit.Line{}, err)
				return
			}
			defer f.Close() //nolint:errcheck // read only
			in = f
		}
		readLines(in, yield)
	}
}

// lineBytesMax bounds a line of an export.
const auditLineBytesMax = 4 << 20

func readLines(in io.Reader, yield func(audit.Line, error) bool) {
	s := bufio.NewScanner(in)
	s.Buffer(nil, auditLineBytesMax)
	for n := 1; s.Scan(); n++ {
		var l audit.Line
		if err := json.Unmarshal(s.Bytes(), &l); err != nil {
			yield(l, say("line %d is no line of an export", n))
			return
		}
		if !yield(l, nil) {
			return
		}
	}
	if err := s.Err(); err != nil {
		yield(audit.Line{}, err)
	}
}

func (p *program) auditVerify() *cobra.Command {
	var o auditOptions
	c := &cobra.Command{
		Use:   "verify",
		Short: "Say whether the log is as it was written",
		Long: "Read the whole log and say whether an entry was changed, taken out, put in or moved, whether its\n" +
			"end was cut off behind an anchor, and whether what is looked up says what the entries say. Anchors\n" +
			"that were kept elsewhere, or places that were noted down, prove more than those beside the database.\n\n" +
			"Exit codes: 0 the log is as it was written, 1 it is not, 2 it cannot be read.",
		Example: "  culm audit verify --data /var/lib/culm\n  culm audit verify --file march.jsonl --key audit.key.pub --anchors kept.anchors",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return p.verifyAudit(c.Context(), o) },
	}
	o.common(c)
	c.Flags().StringVar(&o.file, "file", "", "verify an exported file instead of the database; - is standard input")
	c.Flags().StringVar(&o.anchors, "anchors", "", "the file of the anchors (default: audit.anchors in the data directory)")
	c.Flags().StringVar(&o.key, "key", "", "the public key of the anchors (default: audit.key.pub in the data directory)")
	c.Flags().StringArrayVar(&o.places, "place", nil, "a place that was noted down, NUMBER:HASH; may be repeated")
	c.Flags().BoolVar(&o.asJSON, "json", false, "print JSON")
	return c
}

func (o *auditOptions) common(c *cobra.Command) {
	c.Flags().StringVar(&o.data, "data", config.Default().Data, "the data directory")
}

func (p *program) verifyAudit(ctx context.Context, o auditOptions) error {
	places, bad, err := o.proven()
	if err != nil {
		return err
	}
	report, err := audit.Verify(o.lines(ctx, p), places)
	if err != nil {
		return err
	}
	report.Findings = append(bad, report.Findings...)
	if o.asJSON {
		if err := p.json(report); err != nil {
			return err
		}
	} else {
		p.printAudit(report)
	}
	if !report.OK() {
		return &exitError{code: exitFailed}
	}
	return nil
}

// proven returns the places that anchors and notes prove, and the anchors that nobody signed.
func (o *auditOptions) proven() ([]audit.Head, []audit.Finding, error) {
	var places []audit.Head
	bad := []audit.Finding{}
	files := o.files()
	all, err := audit.ReadAnchors(files.Anchors)
	if err != nil {
		return nil, nil, err
	}
	if len(all) > 0 {
		key, err := audit.ReadPublic(o.key)
		if err != nil {
			return nil, nil, err
		}
		signed, forged := audit.CheckAnchors(all, key)
		places, bad = signed, append(bad, forged...)
	} else if o.anchors != "" {
		return nil, nil, say("%s holds no anchor", o.anchors)
	}
	for _, s := range o.places {
		number, hash, ok := strings.Cut(s, ":")
		seq, err := strconv.ParseInt(number, 10, 64)
		if !ok || err != nil || seq < 1 {
			return nil, nil, say("--place %q is not NUMBER:HASH", s)
		}
		places = append(places, audit.Head{Seq: seq, Hash: hash})
	}
	return places, bad, nil
}

func (p *program) printAudit(r audit.Report) {
	for _, f := range r.Findings {
		fmt.Fprintf(p.out, "%s %d: %s: %s\n", p.text.of("audit.entry"), f.Seq, f.Code, p.text.finding(f))
	}
	word := "audit.good"
	if !r.OK() {
		word = "audit.bad"
	}
	fmt.Fprintf(p.out, p.text.of(word)+"\n", r.Entries, r.Anchors, r.Head.Seq, r.Head.Hash)
}
