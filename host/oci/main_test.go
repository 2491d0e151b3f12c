package oci_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/culmhq/culm/host/hosttest"
)

// TestMain is also the registry: a process of its own, which serves on a free port of
// this machine, says where, and ends with its input.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "__registry" {
		if err := serve(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func serve() error {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(os.Stdout, ln.Addr())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = ln.Close()
	}()
	quiet := registry.Logger(log.New(io.Discard, "", 0))
	_ = http.Serve(ln, registry.New(quiet, registry.WithReferrersSupport(true)))
	return nil
}

// onEachRegistry runs a test against registries by others, each a process of its own: one that
// lists what refers to an artifact, and Debian's, which does not.
func onEachRegistry(t *testing.T, test func(t *testing.T, host string)) {
	t.Helper()
	t.Parallel()
	t.Run("with a list of referrers", func(t *testing.T) { t.Parallel(); test(t, process(t)) })
	t.Run("without", func(t *testing.T) { t.Parallel(); test(t, hosttest.Registry(t, "")) })
}

// process starts a registry and returns its host and port.
func process(t *testing.T) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "__registry")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("registry: %v", err)
		}
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(address)
}
