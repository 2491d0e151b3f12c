package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"oras.land/oras-go/v2/registry/remote/credentials"
)

// loginsMax bounds a file of logins.
const loginsMax = 1 << 20

// errLogins is wrapped by every error about a file of logins. None holds anything of what
// is in the file.
var errLogins = errors.New("the logins of registries cannot be read")

// FileLogins finds logins in a file that has the form of docker's config.json. It is read
// anew for each use, so that a password can be changed while a server runs. Credential
// helpers that it names are not run. It can be Options.Credential.
type FileLogins string

// Login returns the login of a registry, two empty strings where the file has none.
func (f FileLogins) Login(ctx context.Context, registry string) (username, password string, err error) {
	store, err := f.store()
	if err != nil {
		return "", "", err
	}
	c, err := store.Get(ctx, registry)
	if err != nil {
		return "", "", fmt.Errorf("%w: the entry of %s in %s", errLogins, registry, string(f))
	}
	return c.Username, c.Password, nil
}

// Check reports whether the file can be read and has the form.
func (f FileLogins) Check() error {
	_, err := f.store()
	return err
}

func (f FileLogins) store() (credentials.Store, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLogins, err)
	}
	defer func() { _ = file.Close() }() // it was only read
	content, err := io.ReadAll(io.LimitReader(file, loginsMax+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errLogins, err)
	}
	if len(content) > loginsMax {
		return nil, fmt.Errorf("%w: %s is larger than %d bytes", errLogins, string(f), loginsMax)
	}
	store, err := credentials.NewMemoryStoreFromDockerConfig(content)
	if err != nil { // whose text may quote the file
		return nil, fmt.Errorf("%w: %s is not in the form of docker's config.json", errLogins, string(f))
	}
	return store, nil
}
