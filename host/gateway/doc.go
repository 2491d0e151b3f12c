// Package gateway is the single way out of Culm: a plugin names a system, an
// operation and parameters; the gateway checks the grant, adds the credential, and
// calls the outside system under its limits.
package gateway
