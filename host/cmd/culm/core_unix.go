//go:build unix

package main

import "syscall"

// noCore keeps a program that holds secrets from leaving an image of its memory when it
// crashes. It is inherited by the programs that it starts.
func noCore() error { return syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
