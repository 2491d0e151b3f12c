// Package compiler is the compiler process of the plugin host as a test binary of
// its own, which package wasmtest builds without the race detector. It has to be a
// test binary: wazero finds its version in neither that nor in the test that uses
// it, and finds compiled code only under the same version.
package compiler
