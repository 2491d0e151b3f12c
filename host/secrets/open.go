package secrets

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/tink-crypto/tink-go/v2/keyset"
)

// The reasons why the vault refuses to open. Nothing is changed then.
var (
	// ErrKeyMissing means that secrets are stored, and the key file is not there.
	ErrKeyMissing = errors.New("secrets: the key file is missing, and secrets are stored that need it: put it back")
	// ErrWrongKey means that the key file is not the one the secrets were sealed with.
	ErrWrongKey = errors.New("secrets: the key file is not the one that the stored secrets were sealed with: put the right one back")
	// ErrOldKeyFile means that the key file lacks a key that some of the secrets were sealed
	// with: it is a copy from before a change of keys.
	ErrOldKeyFile = errors.New("secrets: the key file lacks a key that stored secrets were sealed with; is it from before a change of keys? Put the newest one back")
	// ErrKeyMode means that others than the owner may read the key file.
	ErrKeyMode = errors.New("secrets: the key file may be readable by its owner only (chmod 600)")
	// ErrMasterUnset means that the key file is encrypted, and the configuration names no
	// master key.
	ErrMasterUnset = errors.New("secrets: the key file is encrypted, and secrets.master_key does not say where its master key is")
	// ErrMasterMissing means that the configuration names a master key which is not there.
	ErrMasterMissing = errors.New("secrets: the master key is missing")
	// ErrWrongMaster means that the key file was encrypted with another master key.
	ErrWrongMaster = errors.New("secrets: the master key does not open the key file: put the right one back, or name the former one in secrets.former_master_key")
	// ErrUnsealed means that something is stored that is not encrypted.
	ErrUnsealed = errors.New("secrets: the database holds secrets that are not encrypted")
)

// Options say how a vault is opened.
type Options struct {
	// KeyFile is the path of the key file. Required.
	KeyFile string
	// Master is where the key comes from that the key file is encrypted with; the zero value
	// leaves the file as it is, readable by its owner only. Former is where the one before
	// comes from, for as long as the file is not encrypted with Master.
	Master, Former Source
	// Outside is what they are read from; the zero value is the process's surroundings.
	Outside Outside
	Rows    Rows
	Clock   Clock
	// Logger is told of what was done to the keys, and of rows that do not open; nil is nobody.
	Logger *slog.Logger
	// Alarm is told of a row that does not open; nil is nobody.
	Alarm func(Alarm)
}

// Alarm is a stored secret that does not open: its row was changed, or put in the place of
// another one.
type Alarm struct {
	// Kind is credential, project or run; ID names the row.
	Kind    string `json:"kind"`
	Project string `json:"project"`
	ID      string `json:"id"`
	Version int    `json:"version"`
}

// Open opens the vault with the key in keyFile, which is not encrypted.
func Open(ctx context.Context, keyFile string, rows Rows, clock Clock) (*Vault, error) {
	return OpenWith(ctx, Options{KeyFile: keyFile, Rows: rows, Clock: clock})
}

// OpenWith opens the vault. At the first start it makes the key file (mode 0600). It
// refuses a key file that others may read, one that is missing or lacks a key that stored
// secrets need, a wrong one, and a database with secrets that are not encrypted; nothing
// is changed then. Otherwise it brings up to date what an earlier program left: a key file
// that is not encrypted with the master key, and a change of keys that was interrupted.
func OpenWith(ctx context.Context, o Options) (*Vault, error) {
	v := &Vault{o: o, rows: o.Rows, clock: o.Clock, log: o.Logger}
	if v.log == nil {
		v.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if v.file, err = openFile(o); err != nil {
		return nil, err
	}
	canary, err := o.Rows.Canary(ctx)
	if err != nil {
		return nil, fmt.Errorf("secrets: read the canary: %w", err)
	}
	handle, stale, err := v.file.read()
	switch {
	case errors.Is(err, fs.ErrNotExist) && canary != nil:
		return nil, ErrKeyMissing
	case errors.Is(err, fs.ErrNotExist):
		handle, err = v.file.create()
	}
	if err != nil {
		return nil, err
	}
	if v.key, err = newKey(handle); err != nil {
		return nil, err
	}
	if err := v.check(ctx, canary); err != nil {
		return nil, err
	}
	if stale {
		if err := v.encryptFile(ctx, handle); err != nil {
			return nil, err
		}
	}
	if err := v.openMACKey(ctx); err != nil {
		return nil, err
	}
	return v, v.finishRotation(ctx)
}

// openFile reads the master keys.
func openFile(o Options) (keyFile, error) {
	f := keyFile{path: o.KeyFile}
	var err error
	if !o.Master.none() {
		if f.master, err = o.Master.open(o.Outside); err != nil {
			return f, err
		}
	}
	if !o.Former.none() {
		// It is not needed any more once the file is encrypted with the other one.
		if f.former, err = o.Former.open(o.Outside); err != nil && !errors.Is(err, ErrMasterMissing) {
			return f, err
		}
	}
	return f, nil
}

// canaryText is sealed at the first start; a key that does not open it is the wrong one.
const canaryText = "culm canary v1"

// canaryData is the associated data of the canary.
const canaryData = "|canary|canary|1"

// check finds out whether the keys are those of the database, and everything in it is
// encrypted. It writes nothing but the canary of a database that has no secrets yet.
func (v *Vault) check(ctx context.Context, canary []byte) error {
	if err := v.checkHeads(ctx); err != nil {
		return err
	}
	if canary == nil {
		sealed, err := v.key.Seal([]byte(canaryText), []byte(canaryData))
		if err != nil {
			return fmt.Errorf("secrets: seal the canary: %w", err)
		}
		if err := v.rows.SaveCanary(ctx, sealed); err != nil {
			return fmt.Errorf("secrets: save the canary: %w", err)
		}
		// What counts is what arrived in the database.
		if canary, err = v.rows.Canary(ctx); err != nil {
			return fmt.Errorf("secrets: read the canary: %w", err)
		}
	}
	plain, err := v.key.Open(canary, []byte(canaryData))
	if err != nil || subtle.ConstantTimeCompare(plain, []byte(canaryText)) != 1 {
		return ErrWrongKey
	}
	return nil
}

// checkHeads looks at the beginning of everything that is sealed.
func (v *Vault) checkHeads(ctx context.Context) error {
	heads, err := v.rows.SealedHeads(ctx)
	if err != nil {
		return fmt.Errorf("secrets: look at what is sealed: %w", err)
	}
	known, unknown, r := 0, 0, v.key.ring.Load()
	for head, n := range heads {
		id, err := sealedWith([]byte(head))
		switch {
		case err != nil:
			return fmt.Errorf("%w: %d of them", ErrUnsealed, n)
		case r.has(id):
			known += n
		default:
			unknown += n
		}
	}
	switch {
	case unknown > 0 && known > 0:
		return fmt.Errorf("%w (%d of %d)", ErrOldKeyFile, unknown, unknown+known)
	case unknown > 0:
		return ErrWrongKey
	}
	return nil
}

// encryptFile encrypts the key file with the master key, and looks whether it is.
func (v *Vault) encryptFile(ctx context.Context, h *keyset.Handle) error {
	if err := v.file.replace(h); err != nil {
		return err
	}
	if _, stale, err := v.file.read(); err != nil || stale {
		return errors.Join(errors.New("secrets: the key file could not be encrypted"), err)
	}
	v.log.InfoContext(ctx, "the key file is encrypted with the master key now", slog.String("master_key", v.o.Master.String()))
	return nil
}
