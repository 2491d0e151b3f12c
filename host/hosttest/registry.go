package hosttest

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// Registry starts Debian's registry of OCI artifacts (the distribution project's, version 2:
// it lists no referrers, and lets nobody delete) and returns its host and port. It lets in
// whom a file of logins names (htpasswd, by bcrypt), everybody where that is "".
func Registry(t testing.TB, logins string) string {
	t.Helper()
	tool, err := exec.LookPath("docker-registry")
	if err != nil {
		t.Fatalf("docker-registry is not installed; scripts/deps.sh installs it: %v", err)
	}
	dir := t.TempDir()
	config := fmt.Sprintf("version: 0.1\nstorage: {filesystem: {rootdirectory: %q}}\nhttp: {addr: \"127.0.0.1:0\"}\n", dir)
	if logins != "" {
		config += fmt.Sprintf("auth: {htpasswd: {realm: test, path: %q}}\n", logins)
	}
	file := filepath.Join(dir, "config.yml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), tool, "serve", file) // it is killed when the test ends
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // which says that it was killed
	listening := regexp.MustCompile(`listening on (127\.0\.0\.1:[0-9]+)`)
	lines := bufio.NewReader(log)
	for {
		line, err := lines.ReadString('\n')
		if m := listening.FindStringSubmatch(line); m != nil {
			go func() { _, _ = io.Copy(io.Discard, lines) }() // so that it can go on
			return m[1]
		}
		if err != nil {
			t.Fatalf("docker-registry does not listen: %v", err)
		}
	}
}
