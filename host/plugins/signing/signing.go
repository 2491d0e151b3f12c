// Package signing signs plugin modules and checks signatures: an in-toto statement that
// names a plugin, its version and the digest of its module, in a DSSE envelope signed
// with Ed25519. It knows no policy: whose signature counts is decided by its caller.
package signing

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// What stands in an envelope and in its statement. Anything else is refused: a
// signature over another kind of document says nothing about a plugin.
const (
	PayloadType   = "application/vnd.in-toto+json"
	StatementType = "https://in-toto.io/Statement/v1"
	PredicateType = "https://github.com/culmhq/culm/plugin/v1"
)

// The bounds of what is read.
const (
	// EnvelopeMaxBytes is the size of the largest envelope.
	EnvelopeMaxBytes = 16 << 10
	// signaturesMax bounds the signatures in one envelope.
	signaturesMax = 16
)

// Subject is what a signature is about. All fields are required.
type Subject struct {
	// Plugin and Version are those of the manifest.
	Plugin, Version string
	// Digest is that of the module, "sha256:" and hex.
	Digest string
}

// Error says what is wrong with an envelope. It holds nothing of its content.
type Error struct {
	// Key is the id of the key that did not make the signature; empty where the
	// envelope itself is wrong.
	Key    string
	Reason string
}

// Error gives the reason and the key.
func (e *Error) Error() string {
	if e.Key != "" {
		return "signature: " + e.Reason + " (key " + e.Key + ")"
	}
	return "signature: " + e.Reason
}

// envelope is a DSSE envelope (https://github.com/secure-systems-lab/dsse, version 1).
type envelope struct {
	PayloadType string      `json:"payloadType"`
	Payload     string      `json:"payload"`
	Signatures  []signature `json:"signatures"`
}

type signature struct {
	KeyID string `json:"keyid,omitempty"`
	Sig   string `json:"sig"`
}

// statement is an in-toto statement about exactly one module.
type statement struct {
	Type          string    `json:"_type"`
	Subject       []subject `json:"subject"`
	PredicateType string    `json:"predicateType"`
	Predicate     predicate `json:"predicate"`
}

type subject struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

type predicate struct {
	Plugin  string `json:"plugin"`
	Version string `json:"version"`
}

// Sign makes an envelope with one signature. The same key and subject give the same
// bytes. It fails for a subject that is not complete.
func Sign(key ed25519.PrivateKey, s Subject) ([]byte, error) {
	sum, ok := strings.CutPrefix(s.Digest, "sha256:")
	if _, err := hex.DecodeString(sum); !ok || err != nil || len(sum) != 64 || s.Plugin == "" || s.Version == "" {
		return nil, &Error{Reason: "a signature needs plugin, version and digest"}
	}
	payload, err := json.Marshal(statement{
		Type: StatementType, PredicateType: PredicateType, Predicate: predicate{s.Plugin, s.Version},
		Subject: []subject{{Name: s.Plugin, Digest: map[string]string{"sha256": sum}}},
	})
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, &Error{Reason: "not an Ed25519 key"}
	}
	return json.Marshal(envelope{
		PayloadType: PayloadType,
		Payload:     base64.StdEncoding.EncodeToString(payload),
		Signatures: []signature{{
			KeyID: KeyID(public),
			Sig:   base64.StdEncoding.EncodeToString(ed25519.Sign(key, encoded(PayloadType, payload))),
		}},
	})
}

// Open reads an envelope and returns what it is about and the ids of those of keys that
// signed it; a signature by any other key is passed over. A wrong envelope, and a
// signature that names one of keys which did not make it, is an *Error.
func Open(raw []byte, keys []ed25519.PublicKey) (Subject, []string, error) {
	e, payload, err := read(raw)
	if err != nil {
		return Subject{}, nil, err
	}
	var signers []string
	message := encoded(e.PayloadType, payload)
	for _, s := range e.Signatures {
		sig, err := base64.StdEncoding.DecodeString(s.Sig)
		if err != nil || len(sig) != ed25519.SignatureSize {
			return Subject{}, nil, &Error{Reason: "a signature is not 64 bytes in base64"}
		}
		// The key's id is a hint: an envelope of another tool may have none.
		for _, k := range keys {
			id := KeyID(k)
			switch {
			case s.KeyID != "" && s.KeyID != id:
			case ed25519.Verify(k, message, sig):
				signers = append(signers, id)
			case s.KeyID == id:
				return Subject{}, nil, &Error{Key: id, Reason: "the key did not make this signature"}
			}
		}
	}
	s, err := readStatement(payload)
	return s, signers, err
}

// Signers names the keys that an envelope says it is signed with, without checking
// that; an envelope that cannot be read names none.
func Signers(raw []byte) []string {
	e, _, err := read(raw)
	if err != nil {
		return nil
	}
	var out []string
	for _, s := range e.Signatures {
		if s.KeyID != "" {
			out = append(out, s.KeyID)
		}
	}
	return out
}

func read(raw []byte) (envelope, []byte, error) {
	var e envelope
	if len(raw) > EnvelopeMaxBytes {
		return e, nil, &Error{Reason: fmt.Sprintf("an envelope has at most %d bytes", EnvelopeMaxBytes)}
	}
	if err := decode(raw, &e); err != nil {
		return e, nil, &Error{Reason: "not a DSSE envelope"}
	}
	if e.PayloadType != PayloadType {
		return e, nil, &Error{Reason: "it is not about an in-toto statement"}
	}
	if len(e.Signatures) == 0 || len(e.Signatures) > signaturesMax {
		return e, nil, &Error{Reason: fmt.Sprintf("an envelope has from 1 to %d signatures", signaturesMax)}
	}
	payload, err := base64.StdEncoding.DecodeString(e.Payload)
	if err != nil {
		return e, nil, &Error{Reason: "the payload is not base64"}
	}
	return e, payload, nil
}

func readStatement(payload []byte) (Subject, error) {
	var s statement
	switch err := decode(payload, &s); {
	case err != nil:
		return Subject{}, &Error{Reason: "the payload is not a statement about a plugin"}
	case s.Type != StatementType || s.PredicateType != PredicateType:
		return Subject{}, &Error{Reason: "the statement is not about a plugin"}
	case len(s.Subject) != 1 || len(s.Subject[0].Digest) != 1 || s.Subject[0].Name != s.Predicate.Plugin:
		return Subject{}, &Error{Reason: "the statement is not about exactly one plugin"}
	}
	return Subject{
		Plugin: s.Predicate.Plugin, Version: s.Predicate.Version, Digest: "sha256:" + s.Subject[0].Digest["sha256"],
	}, nil
}

// decode reads exactly one JSON value with known fields.
func decode(raw []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("data after the value")
	}
	return nil
}

// encoded is what is signed, DSSE's pre-authentication encoding: type and content, each
// with its length, so that neither can be taken for the other.
func encoded(payloadType string, payload []byte) []byte {
	out := []byte("DSSEv1 " + strconv.Itoa(len(payloadType)) + " " + payloadType + " " + strconv.Itoa(len(payload)) + " ")
	return append(out, payload...)
}
