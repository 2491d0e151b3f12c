package signing

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
)

// The PEM types of key files, as openssl writes them.
const (
	privateType = "PRIVATE KEY"
	publicType  = "PUBLIC KEY"
)

// Generate makes a key.
func Generate() (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return key, nil
}

// KeyID names a public key: the SHA-256 of its DER form, in hex.
func KeyID(key ed25519.PublicKey) string {
	// The DER form of an Ed25519 key is a fixed head and the key (RFC 8410).
	der := append([]byte{0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00}, key...)
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// MarshalPrivate writes a private key as PKCS #8 in PEM.
func MarshalPrivate(key ed25519.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: privateType, Bytes: der}), nil
}

// MarshalPublic writes a public key as PKIX in PEM.
func MarshalPublic(key ed25519.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: publicType, Bytes: der}), nil
}

// ParsePrivate reads a private key from PEM, or refuses it with an *Error that shows
// nothing of it.
func ParsePrivate(text []byte) (ed25519.PrivateKey, error) {
	b, _ := pem.Decode(text)
	if b == nil || b.Type != privateType {
		return nil, &Error{Reason: "not a private key in PEM (PKCS #8)"}
	}
	k, err := x509.ParsePKCS8PrivateKey(b.Bytes)
	if err != nil {
		return nil, &Error{Reason: "the private key cannot be read"}
	}
	key, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, &Error{Reason: "the private key is not an Ed25519 key"}
	}
	return key, nil
}

// ParsePublic reads a public key from PEM, or refuses it with an *Error.
func ParsePublic(text []byte) (ed25519.PublicKey, error) {
	b, _ := pem.Decode(text)
	if b == nil || b.Type != publicType {
		return nil, &Error{Reason: "not a public key in PEM"}
	}
	k, err := x509.ParsePKIXPublicKey(b.Bytes)
	if err != nil {
		return nil, &Error{Reason: "the public key cannot be read"}
	}
	key, ok := k.(ed25519.PublicKey)
	if !ok {
		return nil, &Error{Reason: "the public key is not an Ed25519 key"}
	}
	return key, nil
}
