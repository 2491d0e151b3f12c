package secrets

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// The limits of the secrets of flows.
const (
	// MaxPerProject bounds how many secrets a project has.
	MaxPerProject = 1000
	// MaxNameBytes bounds the name of a project's secret.
	MaxNameBytes = 64
)

// The references that stand for secrets wherever a flow passes one on.
const (
	refPrefix        = "culm-secret://"
	runRefPrefix     = refPrefix + "run/"
	projectRefPrefix = refPrefix + "project/"
)

// ErrNotFound means that there is no such secret: it was never set, was deleted, or
// belongs to another project.
var ErrNotFound = errors.New("secrets: no such secret")

// ErrTooMany means that a project has as many secrets as it may.
var ErrTooMany = fmt.Errorf("secrets: a project has at most %d secrets", MaxPerProject)

// RunValue is a secret of a run as it is stored.
type RunValue struct {
	Project, Run, Name string
	// Version counts the values of the name in the run, from 1.
	Version int
	Cipher  []byte
	SetAt   time.Time
}

// ProjectValue is a secret of a project as it is stored.
type ProjectValue struct {
	Project, Name string
	// Version counts the settings of the name, from 1; deleting one does not begin anew.
	Version     int
	Cipher      []byte
	Fingerprint string
	SetAt       time.Time
	SetBy       string
}

// Info is what may be known of a secret of a project.
type Info struct {
	Name    string    `json:"name"`
	Version int       `json:"version"`
	SetAt   time.Time `json:"set_at"`
	SetBy   string    `json:"set_by"`
	// Fingerprint is the same for the same value in the same project; it is keyed, so
	// that nobody can try values against it.
	Fingerprint string `json:"fingerprint"`
}

// ValueRows stores the secrets of flows. Safe for concurrent use.
type ValueRows interface {
	RunRows
	ProjectRows
	// MACKey returns the sealed key, or nil before the first start.
	MACKey(ctx context.Context) ([]byte, error)
	SaveMACKey(ctx context.Context, cipher []byte) error
}

// RunRows stores the secrets of runs.
type RunRows interface {
	// AddRunSecret keeps v; its Version is the store's choice, and is given to seal
	// before the row is written.
	AddRunSecret(ctx context.Context, v RunValue, seal func(RunValue) ([]byte, error)) (RunValue, error)
	// LoadRunSecret returns ErrNotFound when there is none.
	LoadRunSecret(ctx context.Context, project, run, name string, version int) (RunValue, error)
	// RunSecrets returns all of a run.
	RunSecrets(ctx context.Context, project, run string) ([]RunValue, error)
	// AddSecretUse notes that a run is handed a secret that is not its own; twice is once.
	AddSecretUse(ctx context.Context, project, run, ref string, at time.Time) error
	// SecretUses returns the references of those.
	SecretUses(ctx context.Context, project, run string) ([]string, error)
	// DeleteRunSecrets removes those of a run and its uses; none is no error.
	DeleteRunSecrets(ctx context.Context, run string) error
	// RunsWithSecrets lists runs that have secrets, or uses, which were set before a time,
	// in order after one.
	RunsWithSecrets(ctx context.Context, before time.Time, after string, limit int) ([]string, error)
}

// ProjectRows stores the secrets of projects.
type ProjectRows interface {
	// SetProjectSecret keeps v as the one of its name; Version and seal as above.
	SetProjectSecret(ctx context.Context, v ProjectValue, seal func(ProjectValue) ([]byte, error)) (ProjectValue, error)
	// LoadProjectSecret returns ErrNotFound when there is none.
	LoadProjectSecret(ctx context.Context, project, name string) (ProjectValue, error)
	// ProjectSecrets returns all of a project without their ciphers, by name.
	ProjectSecrets(ctx context.Context, project string) ([]ProjectValue, error)
	// DeleteProjectSecret returns ErrNotFound when there is none.
	DeleteProjectSecret(ctx context.Context, project, name string) error
}

var namePattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]{0,63}$`)

// Check refuses a value that is no secret of a flow. Field is "" in the *InputError.
func Check(value string) error {
	switch {
	case len(value) < MinSecretBytes || len(value) > MaxSecretBytes:
		return &InputError{"", fmt.Sprintf("a secret is %d to %d bytes long", MinSecretBytes, MaxSecretBytes), CodeLength}
	case strings.ContainsFunc(value, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' || r == unicode.ReplacementChar
	}):
		return &InputError{"", "a secret holds no control characters but line breaks and tabs", CodeSecretControl}
	}
	return nil
}

// PutRun keeps a secret that a run was given and returns the reference that stands for
// it in the run's records. An *InputError says what is wrong with the value.
func (v *Vault) PutRun(ctx context.Context, project, run, name string, value Secret) (string, error) {
	plain := value.Reveal()
	if err := Check(plain); err != nil {
		return "", err
	}
	defer v.bare.handed(run)
	row, err := v.rows.AddRunSecret(ctx, RunValue{Project: project, Run: run, Name: name, SetAt: v.clock.Now()}, func(r RunValue) ([]byte, error) {
		return v.key.Seal([]byte(plain), r.associated())
	})
	if err != nil {
		return "", fmt.Errorf("secrets: keep the secret %s of run %s: %w", name, run, err)
	}
	return runRefPrefix + run + "/" + name + "/" + strconv.Itoa(row.Version), nil
}

// Resolve returns the value that a reference stands for in a project, or ErrNotFound.
func (v *Vault) Resolve(ctx context.Context, project, ref string) (Secret, error) {
	if name, ok := strings.CutPrefix(ref, projectRefPrefix); ok {
		row, err := v.rows.LoadProjectSecret(ctx, project, name)
		if err != nil {
			return Secret{}, fmt.Errorf("secrets: read a secret of the project: %w", err)
		}
		return v.open(row.Cipher, row.associated(), row.alarm())
	}
	rest, ok := strings.CutPrefix(ref, runRefPrefix)
	parts := strings.Split(rest, "/")
	if !ok || len(parts) != 3 {
		return Secret{}, ErrNotFound
	}
	version, err := strconv.Atoi(parts[2])
	if err != nil {
		return Secret{}, ErrNotFound
	}
	row, err := v.rows.LoadRunSecret(ctx, project, parts[0], parts[1], version)
	if err != nil {
		return Secret{}, fmt.Errorf("secrets: read a secret of a run: %w", err)
	}
	return v.open(row.Cipher, row.associated(), row.alarm())
}

func (v *Vault) open(cipher, associated []byte, a Alarm) (Secret, error) {
	plain, err := v.key.Open(cipher, associated)
	if err != nil {
		v.broken(a)
		return Secret{}, err
	}
	return NewSecret(string(plain)), nil
}

// DropRun deletes the secrets of a run.
func (v *Vault) DropRun(ctx context.Context, run string) error {
	defer v.bare.forget()
	if err := v.rows.DeleteRunSecrets(ctx, run); err != nil {
		return fmt.Errorf("secrets: delete the secrets of run %s: %w", run, err)
	}
	return nil
}

// SetProject sets a secret of a project. An *InputError names the field that cannot be
// accepted.
func (v *Vault) SetProject(ctx context.Context, project, name string, value Secret, actor string) (Info, error) {
	if !namePattern.MatchString(name) {
		return Info{}, &InputError{"/name", fmt.Sprintf("must be a letter, then up to %d of A-Z, a-z, 0-9 and _", MaxNameBytes-1), CodeSecretName}
	}
	plain := value.Reveal()
	if bad, ok := errors.AsType[*InputError](Check(plain)); ok {
		return Info{}, &InputError{"/value", bad.Message, bad.Code}
	}
	in := ProjectValue{Project: project, Name: name, SetAt: v.clock.Now(), SetBy: actor, Fingerprint: v.fingerprint(project, plain)}
	row, err := v.rows.SetProjectSecret(ctx, in, func(p ProjectValue) ([]byte, error) {
		return v.key.Seal([]byte(plain), p.associated())
	})
	if err != nil {
		return Info{}, fmt.Errorf("secrets: set the secret %s: %w", name, err)
	}
	return row.info(), nil
}

// ListProject lists the secrets of a project, by name.
func (v *Vault) ListProject(ctx context.Context, project string) ([]Info, error) {
	rows, err := v.rows.ProjectSecrets(ctx, project)
	if err != nil {
		return nil, fmt.Errorf("secrets: list the secrets: %w", err)
	}
	out := make([]Info, len(rows))
	for i, row := range rows {
		out[i] = row.info()
	}
	return out, nil
}

// HasSecret reports whether a project has a secret of that name.
func (v *Vault) HasSecret(ctx context.Context, project, name string) (bool, error) {
	switch _, err := v.rows.LoadProjectSecret(ctx, project, name); {
	case errors.Is(err, ErrNotFound):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("secrets: look for the secret %s: %w", name, err)
	}
	return true, nil
}

// DeleteProject deletes a secret of a project, or returns ErrNotFound.
func (v *Vault) DeleteProject(ctx context.Context, project, name string) error {
	if err := v.rows.DeleteProjectSecret(ctx, project, name); err != nil {
		return fmt.Errorf("secrets: delete the secret %s: %w", name, err)
	}
	return nil
}

func (p ProjectValue) info() Info {
	return Info{Name: p.Name, Version: p.Version, SetAt: p.SetAt, SetBy: p.SetBy, Fingerprint: p.Fingerprint}
}

func (r RunValue) associated() []byte {
	return fmt.Appendf(nil, "%s|run|%s|%s|%d", r.Project, r.Run, r.Name, r.Version)
}

func (p ProjectValue) associated() []byte {
	return fmt.Appendf(nil, "%s|project|%s|%d", p.Project, p.Name, p.Version)
}
