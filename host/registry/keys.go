package registry

import (
	"context"
	"errors"

	"github.com/culmhq/culm/host/fault"
	"github.com/culmhq/culm/host/secrets"
)

// Keys are what secrets and credentials are sealed with.
type Keys interface {
	Keys(ctx context.Context) (secrets.KeyStatus, error)
	Rotate(ctx context.Context) (secrets.KeyStatus, error)
	Retire(ctx context.Context, key string) (secrets.KeyStatus, error)
	Verify(ctx context.Context) (secrets.Checked, error)
}

// Keys tells of the keys and how much is sealed with each.
func (s *Service) Keys(ctx context.Context) (secrets.KeyStatus, error) {
	st, err := s.o.Keys.Keys(ctx)
	return st, fault.Wrap("look at the keys", err)
}

// RotateKeys makes a new key the primary one and seals all data keys with it.
func (s *Service) RotateKeys(ctx context.Context) (secrets.KeyStatus, error) {
	st, err := s.o.Keys.Rotate(ctx)
	return st, fault.Wrap("change the keys", err)
}

// RetireKey forgets a key that nothing is sealed with. The fault is NotFound where there is
// no such key, and InUse where it is needed.
func (s *Service) RetireKey(ctx context.Context, key string) (secrets.KeyStatus, error) {
	st, err := s.o.Keys.Retire(ctx, key)
	switch {
	case errors.Is(err, secrets.ErrNoKey):
		return st, fault.Missing("key", key)
	case errors.Is(err, secrets.ErrKeyInUse):
		return st, fault.New(fault.InUse, "it is the primary key, or secrets are sealed with it").Because("KEY_IN_USE")
	}
	return st, fault.Wrap("retire a key", err)
}

// VerifyKeys opens everything that is sealed, and tells what does not open.
func (s *Service) VerifyKeys(ctx context.Context) (secrets.Checked, error) {
	c, err := s.o.Keys.Verify(ctx)
	return c, fault.Wrap("verify what is sealed", err)
}
