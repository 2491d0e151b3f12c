package main

import (
	"context"
	"os"
	"os/exec"

	"github.com/spf13/cobra"

	"github.com/culmhq/culm/host/wasm"
)

// compileName is the hidden command that is the compiler process of the plugin host.
const compileName = "__compile"

func (p *program) compileCommand() *cobra.Command {
	return &cobra.Command{
		Use:    compileName,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if code := wasm.CompilerMain(p.in, p.out); code != exitOK {
				return &exitError{code: code}
			}
			return nil
		},
	}
}

// workerName is the hidden command that is a worker process of the plugin host.
const workerName = "__worker"

func (p *program) workerCommand() *cobra.Command {
	return &cobra.Command{
		Use:    workerName,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if code := wasm.WorkerMain(p.in, p.out); code != exitOK {
				return &exitError{code: code}
			}
			return nil
		},
	}
}

// compiler makes the command of a compiler process: this same program.
func compiler(ctx context.Context) *exec.Cmd { return itself(ctx, compileName) }

// worker makes the command of a worker process: this same program.
func worker(ctx context.Context) *exec.Cmd { return itself(ctx, workerName) }

func itself(ctx context.Context, command string) *exec.Cmd {
	self, err := os.Executable()
	if err != nil {
		self = os.Args[0]
	}
	return exec.CommandContext(ctx, self, command)
}
