package main

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/culmhq/culm/host/flows"
	"github.com/culmhq/culm/host/hosttest"
)

// The main job on real input: a real Prometheus says which targets are down, a real
// Alertmanager is silenced for them, the incident is written to a real etcd, a human
// confirms, the silence is lifted, and both effects are there exactly once, although
// the server was killed while it waited.
func TestAlertTriageOnRealSystemsSurvivesAKill(t *testing.T) {
	t.Parallel()
	sys := startSystems(t)
	dir := filepath.Join(t.TempDir(), "data")
	srv := sys.serve(t, dir)
	run := srv.startFlow(t, "alert-triage", readFlow(t, "alert-triage"), nil)

	confirm := srv.awaitHuman(t, run)
	srv.kill()
	srv = sys.serve(t, dir)
	if again := srv.awaitHuman(t, run); again != confirm {
		t.Fatalf("after the restart %q waits, before it %q", again, confirm)
	}
	srv.must(http.MethodPost, runPath(run)+"/nodes/"+confirm+"/commands", map[string]any{"command": "callback", "data": map[string]any{"approved": true}}, nil)
	srv.awaitState(t, run, "succeeded")
	sys.checkOnce(t, run)
}

// The same, but the server is killed again and again at moments nobody chose. A
// node that nobody can vouch for after a kill is answered by the operator.
func TestAlertTriageActsOnceWhereverItIsKilled(t *testing.T) {
	t.Parallel()
	sys := startSystems(t)
	dir := filepath.Join(t.TempDir(), "data")
	srv := sys.serve(t, dir)
	run := srv.startFlow(t, "alert-triage", readFlow(t, "alert-triage"), nil)
	for i := range 6 {
		wait(time.Duration(5+i*23) * time.Millisecond)
		srv.kill()
		srv = sys.serve(t, dir)
	}
	await(t, "the run succeeds", 2*time.Minute, func() bool {
		v := srv.view(t, run)
		for id, n := range v.Nodes {
			switch {
			case n.State == "unknown":
				srv.command(t, run, id, sys.resolve(t, id))
			case n.State == "waiting" && n.Wait != nil && n.Wait.Kind == "human":
				srv.command(t, run, id, map[string]any{"command": "callback", "data": map[string]any{"approved": true}})
			case n.State == "failed":
				t.Fatalf("node %s failed: %+v", id, n.Failure)
			}
		}
		return v.State == "succeeded"
	})
	sys.checkOnce(t, run)
}

// A run on systems that have nothing to report ends at once and touches nothing.
func TestAlertTriageWithNothingDownEndsWithoutEffects(t *testing.T) {
	t.Parallel()
	sys := startSystems(t, "healthy")
	srv := sys.serve(t, filepath.Join(t.TempDir(), "data"))
	run := srv.startFlow(t, "alert-triage", readFlow(t, "alert-triage"), nil)
	srv.awaitState(t, run, "succeeded")
	if got := sys.silences(t); len(got) != 0 {
		t.Fatalf("silences were made: %+v", got)
	}
	if got := sys.keys(t, ""); len(got) != 0 {
		t.Fatalf("incidents were written: %+v", got)
	}
}

// neighbours are real servers from Debian's packages on loopback ports.
type neighbours struct {
	prometheus, alertmanager, etcd string
}

func startSystems(t *testing.T, mode ...string) *neighbours {
	t.Helper()
	for _, name := range []string{"prometheus", "prometheus-alertmanager", "etcd"} {
		if _, err := exec.LookPath(name); err != nil {
			t.Fatalf("%s is not installed; scripts/deps.sh installs it: %v", name, err)
		}
	}
	dir := t.TempDir()
	prom, alert, etcd, peer := hosttest.FreeAddress(t), hosttest.FreeAddress(t), hosttest.FreeAddress(t), hosttest.FreeAddress(t)
	target := hosttest.FreeAddress(t) // which is down
	if len(mode) > 0 {                // Prometheus scrapes itself, which is up
		target = prom
	}
	config := filepath.Join(dir, "prometheus.yml")
	write(t, config, fmt.Sprintf("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n  - job_name: node\n    static_configs: [{targets: ['%s']}]\n", target))
	routes := filepath.Join(dir, "alertmanager.yml")
	write(t, routes, "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
	spawn(t, "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "tsdb"), "--web.listen-address="+prom)
	spawn(t, "prometheus-alertmanager", "--config.file="+routes, "--storage.path="+filepath.Join(dir, "am"), "--web.listen-address="+alert, "--cluster.listen-address=")
	client, peers := "http://"+etcd, "http://"+peer
	spawn(t, "etcd", "--name=one", "--data-dir="+filepath.Join(dir, "etcd"), "--listen-client-urls="+client, "--advertise-client-urls="+client,
		"--listen-peer-urls="+peers, "--initial-advertise-peer-urls="+peers, "--initial-cluster=one="+peers)
	s := &neighbours{"http://" + prom, "http://" + alert, client}
	want := `"0"`
	if len(mode) > 0 {
		want = `"1"`
	}
	await(t, "Prometheus has scraped", 2*time.Minute, func() bool { return strings.Contains(s.get(s.prometheus+"/api/v1/query?query=up"), want) })
	await(t, "Alertmanager is ready", 2*time.Minute, func() bool { return s.get(s.alertmanager+"/-/ready") != "" })
	await(t, "etcd is ready", 2*time.Minute, func() bool { return strings.Contains(s.get(s.etcd+"/health"), "true") })
	return s
}

// serve starts Culm with these systems registered and granted.
func (s *neighbours) serve(t *testing.T, dir string) *server {
	t.Helper()
	allowed := strings.ReplaceAll(strings.Join([]string{s.prometheus, s.alertmanager, s.etcd}, ","), "http://", "")
	srv := startServer(t, dir, "--allow", allowed)
	srv.connect(t, "prometheus", s.prometheus)
	srv.connect(t, "alertmanager", s.alertmanager)
	srv.connect(t, "etcd", s.etcd)
	return srv
}

// silence is one of Alertmanager's.
type silence struct {
	ID      string `json:"id"`
	Comment string `json:"comment"`
	Status  struct {
		State string `json:"state"`
	} `json:"status"`
}

func (s *neighbours) silences(t *testing.T) []silence {
	t.Helper()
	var out []silence
	if err := json.Unmarshal([]byte(s.get(s.alertmanager+"/api/v2/silences")), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// entry is one key of etcd.
type entry struct {
	Key, Value                  string
	Version                     string `json:"version"`
	CreateRevision, ModRevision string
}

// keys returns everything stored under a prefix.
func (s *neighbours) keys(t *testing.T, prefix string) []entry {
	t.Helper()
	key, end := "\x00", "\x00" // etcd's words for "all keys"
	if prefix != "" {
		key, end = prefix, prefix[:len(prefix)-1]+string(prefix[len(prefix)-1]+1)
	}
	b64 := base64.StdEncoding.EncodeToString
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.etcd+"/v3/kv/range",
		strings.NewReader(fmt.Sprintf(`{"key":%q,"range_end":%q}`, b64([]byte(key)), b64([]byte(end)))))
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var out struct {
		Kvs []entry `json:"kvs"`
	}
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Kvs
}

// checkOnce looks into the systems themselves: one silence, lifted; one incident,
// written once.
func (s *neighbours) checkOnce(t *testing.T, run string) {
	t.Helper()
	silences := s.silences(t)
	if len(silences) != 1 || silences[0].Status.State != "expired" {
		t.Fatalf("run %s left these silences, want one that is expired: %+v", run, silences)
	}
	keys := s.keys(t, "")
	if len(keys) != 1 || keys[0].Version != "1" {
		t.Fatalf("run %s left these incidents, want one of version 1: %+v", run, keys)
	}
}

// resolve decides an unknown node as an operator would: by looking into the system.
// The incident is written only where nothing is, so trying again is always right there.
func (s *neighbours) resolve(t *testing.T, node string) map[string]any {
	t.Helper()
	if node == "silence" {
		for _, si := range s.silences(t) {
			if si.Status.State == "active" {
				return map[string]any{"command": "resolve", "as": "done", "outputs": map[string]any{"silence_id": si.ID}}
			}
		}
	}
	return map[string]any{"command": "resolve", "as": "retry"}
}

func (s *neighbours) get(url string) string {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return ""
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer res.Body.Close()
	b := new(strings.Builder)
	buf := make([]byte, 32<<10)
	for {
		n, err := res.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	if res.StatusCode != http.StatusOK {
		return ""
	}
	return b.String()
}

// readFlow returns a shipped flow as the document that the API takes.
func readFlow(t *testing.T, id string) any {
	t.Helper()
	path := filepath.Join("..", "..", "demo", "flows", id+".yaml")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	source, err := flows.ParseYAML(b, path)
	if err != nil {
		t.Fatal(err)
	}
	return source.Flow
}

func spawn(t *testing.T, name string, args ...string) {
	t.Helper()
	log := &lockedBuffer{}
	cmd := exec.CommandContext(context.Background(), name, args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, log)
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// wait lets another process run for d.
func wait(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	<-timer.C
}
