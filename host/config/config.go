// Package config holds what an operator can set: one struct, its defaults in one
// function, one precedence rule (flag over environment over file over default) and
// one complete validation that names every wrong field.
package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/culmhq/culm/host/auth"
)

// Config is the configuration of a server. Make one with Load or Default; the zero
// value is not valid.
type Config struct {
	// Listen is the address of the HTTP listener, host:port. The host must be a
	// loopback address or "localhost": there is no authentication yet. Port 0
	// takes a free one.
	Listen string `yaml:"listen"`
	// Data is the directory of the database, the keys and the compilation cache.
	// It is made with mode 0700 when it is missing.
	Data string `yaml:"data"`
	// Demo serves the demo systems on a loopback port and loads the demo project.
	Demo bool `yaml:"demo"`
	// Allow lists the private or loopback targets, host:port, that the gateway
	// may dial; public addresses need no entry. Metadata addresses and Culm's
	// own listener are always denied.
	Allow []string `yaml:"allow"`
	// Plugins is a directory of further plugin modules (*.wasm) that are
	// installed at start; empty installs only those inside the binary.
	Plugins string `yaml:"plugins"`
	// Registries lists the registries that plugins may be fetched from, host or
	// host:port, with "http://" before one on this machine that has no TLS.
	Registries []string `yaml:"registries"`
	// RegistryLogins is a file with the logins of these registries, in the form of
	// docker's config.json; empty goes in without any. It is read at each pull.
	RegistryLogins string `yaml:"registry_logins"`
	// Trust says whose signatures on plugins count, and what is asked of a plugin.
	Trust Trust `yaml:"trust"`
	// Deny lists the rights that the local user does not have on this server, by their
	// names in host/auth; empty denies none. What the configuration brings in itself, such
	// as the modules of Plugins, needs no right.
	Deny []string `yaml:"deny"`
	// Drain is how long a stopping server waits for the calls that run, at most
	// MaxDrain.
	Drain time.Duration `yaml:"drain"`
	// Limits are those of plugins; docs/limits.md has the table.
	Limits Limits `yaml:"limits"`
	// Log says what is logged and how.
	Log Log `yaml:"log"`
	// Callbacks says how outside systems call back.
	Callbacks Callbacks `yaml:"callbacks"`
	// Record says which plugin calls are recorded, so that they can be replayed.
	Record Record `yaml:"record"`
	// Audit says how the log of calls and changes is kept.
	Audit Audit `yaml:"audit"`
	// Trace says where traces of runs are sent.
	Trace Trace `yaml:"trace"`
	// Secrets says where the keys of secrets are, and how long secrets are kept.
	Secrets Secrets `yaml:"secrets"`
}

// Trace says where traces of runs are sent.
type Trace struct {
	// Endpoint is the URL that takes OTLP over HTTP, such as
	// https://collector.example.com/v1/traces; empty sends none. Without TLS only one on
	// this machine will do.
	Endpoint string `yaml:"endpoint"`
	// Sample is the share of traces that are sent, from 0 to 1, of the runs that no trace
	// brought about. A start with a traceparent is sent if that says so.
	Sample float64 `yaml:"sample"`
}

// checkShare refuses what is no share; it is written so that NaN is none.
func checkShare(f float64) error {
	if !(f >= 0 && f <= 1) {
		return fmt.Errorf("%v is not a number from 0 to 1", f)
	}
	return nil
}

// checkEndpoint refuses what is no URL of a collector.
func checkEndpoint(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || (u.Scheme != "https" && u.Scheme != "http") {
		return fmt.Errorf("%q is not a URL such as https://collector.example.com/v1/traces", s)
	}
	if u.Scheme == "http" && !strings.EqualFold(u.Hostname(), "localhost") {
		if ip, err := netip.ParseAddr(u.Hostname()); err != nil || !ip.IsLoopback() {
			return fmt.Errorf("%q is not on this machine, and needs https", s)
		}
	}
	return nil
}

// Audit says how the log of calls and changes is kept.
type Audit struct {
	// Keep is how long an entry is kept; zero is for ever.
	Keep time.Duration `yaml:"keep"`
	// Anchors is the file of the signed anchors; empty means audit.anchors inside the data
	// directory. It proves more on another disk.
	Anchors string `yaml:"anchors"`
	// AnchorEvery is the time between two anchors.
	AnchorEvery time.Duration `yaml:"anchor_every"`
}

// The bounds of what can be set for the audit.
const (
	MinAuditKeep        = 24 * time.Hour
	MaxAuditKeep        = 20 * 365 * 24 * time.Hour
	MinAuditAnchorEvery = 10 * time.Second
	MaxAuditAnchorEvery = 24 * time.Hour
)

// check tells add what is wrong with each field.
func (a *Audit) check(add func(string, error)) {
	if a.Keep != 0 && (a.Keep < MinAuditKeep || a.Keep > MaxAuditKeep) {
		add("audit.keep", fmt.Errorf("%s is neither 0s nor between %s and %s", a.Keep, MinAuditKeep, MaxAuditKeep))
	}
	if a.AnchorEvery < MinAuditAnchorEvery || a.AnchorEvery > MaxAuditAnchorEvery {
		add("audit.anchor_every", fmt.Errorf("%s is not between %s and %s", a.AnchorEvery, MinAuditAnchorEvery, MaxAuditAnchorEvery))
	}
	add("audit.anchors", checkPath(a.Anchors, false))
}

// Callbacks says how outside systems call back.
type Callbacks struct {
	// URL is where outside systems reach this server, scheme, host and path, as a reverse
	// proxy shows it; empty means the listener's own address.
	URL string `yaml:"url"`
	// Expire is how long a callback may take.
	Expire time.Duration `yaml:"expire"`
}

// MaxCallbackExpire bounds how long a callback may take.
const MaxCallbackExpire = 366 * 24 * time.Hour

func (b *Callbacks) check(add func(string, error)) {
	if b.URL != "" {
		u, err := url.Parse(b.URL)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			add("callbacks.url", fmt.Errorf("%q is not a URL such as https://culm.example.com", b.URL))
		}
	}
	if b.Expire < time.Minute || b.Expire > MaxCallbackExpire {
		add("callbacks.expire", fmt.Errorf("%s is not between 1m and %s", b.Expire, MaxCallbackExpire))
	}
}

// Record says which plugin calls are recorded.
type Record struct {
	// Mode is off, failures or all.
	Mode string `yaml:"mode"`
	// CallBytes bounds the recording of one call, TotalBytes all of them as they are
	// stored.
	CallBytes  int64 `yaml:"call_bytes"`
	TotalBytes int64 `yaml:"total_bytes"`
	// Keep is how long a recording is kept.
	Keep time.Duration `yaml:"keep"`
}

// The bounds of what can be set for recordings.
const (
	MaxRecordCallBytes  = 32 << 20
	MaxRecordTotalBytes = 64 << 30
	MaxRecordKeep       = 10 * 365 * 24 * time.Hour
)

// Trust says whose signatures on plugins count, and what is asked of a plugin.
type Trust struct {
	// Policy is required (only what a trusted key signed is installed and run), warn
	// (unsigned plugins are installed, and the log says so) or off.
	Policy string `yaml:"policy"`
	// Keys is the file of the trusted keys; empty means trust.yaml inside the data
	// directory, which may be missing.
	Keys string `yaml:"keys"`
	// Uncontained says what becomes of plugins that no trusted key signed where the
	// system cannot keep a worker process from the database: refuse, or run.
	Uncontained string `yaml:"uncontained"`
}

// Values of Trust.Uncontained.
const (
	UncontainedRefuse = "refuse"
	UncontainedRun    = "run"
)

// Log says what is logged and how.
type Log struct {
	// Level is debug, info, warn or error.
	Level string `yaml:"level"`
	// Format is text or json.
	Format string `yaml:"format"`
}

// MaxDrain is the longest drain that may be set: what service managers grant a
// process before they kill it is commonly a little more.
const MaxDrain = 20 * time.Second

// Default returns the configuration of a server that nobody configured.
func Default() Config {
	return Config{
		Listen:    "127.0.0.1:8080",
		Data:      "data",
		Drain:     MaxDrain,
		Trust:     Trust{Policy: "warn", Uncontained: UncontainedRefuse},
		Limits:    defaultLimits(),
		Log:       Log{Level: "info", Format: "text"},
		Callbacks: Callbacks{Expire: 7 * 24 * time.Hour},
		Record:    Record{Mode: "failures", CallBytes: 1 << 20, TotalBytes: 256 << 20, Keep: 7 * 24 * time.Hour},
		Audit:     Audit{Keep: 400 * 24 * time.Hour, AnchorEvery: 5 * time.Minute},
		Trace:     Trace{Sample: 1},
		Secrets:   Secrets{Keep: time.Hour},
	}
}

// Problem is one wrong field.
type Problem struct {
	// Field is the name in the file, "log.level".
	Field   string
	Message string
	// Source says where the value came from: "flag --listen", "CULM_LISTEN", the
	// file's name with line, or empty for a value set by a program.
	Source string
}

// Error is the refusal of a configuration, with every problem it has.
type Error struct{ Problems []Problem }

// Error lists the problems, one a line.
func (e *Error) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = p.Field + ": " + p.Message
		if p.Source != "" {
			lines[i] += " (from " + p.Source + ")"
		}
	}
	return "configuration: " + strings.Join(lines, "\n  ")
}

// Validate checks every field. The error is an *Error.
func (c *Config) Validate() error {
	var ps []Problem
	add := func(field string, err error) {
		if err != nil {
			ps = append(ps, Problem{Field: field, Message: err.Error()})
		}
	}
	add("listen", checkListen(c.Listen))
	add("data", checkPath(c.Data, true))
	add("plugins", checkPath(c.Plugins, false))
	add("trust.policy", oneOf(c.Trust.Policy, "required", "warn", "off"))
	add("trust.uncontained", oneOf(c.Trust.Uncontained, UncontainedRefuse, UncontainedRun))
	add("trust.keys", checkPath(c.Trust.Keys, false))
	for i, name := range c.Deny {
		add(fmt.Sprintf("deny[%d]", i), oneOf(name, auth.Names()...))
	}
	for i, r := range c.Registries {
		add(fmt.Sprintf("registries[%d]", i), checkRegistry(r))
	}
	add("registry_logins", checkPath(c.RegistryLogins, false))
	for i, t := range c.Allow {
		add(fmt.Sprintf("allow[%d]", i), checkTarget(t))
	}
	if c.Drain < 0 || c.Drain > MaxDrain {
		add("drain", fmt.Errorf("%s is not between 0s and %s", c.Drain, MaxDrain))
	}
	c.Callbacks.check(add)
	c.Record.check(add)
	c.Audit.check(add)
	c.Secrets.check(add)
	add("trace.endpoint", checkEndpoint(c.Trace.Endpoint))
	add("trace.sample", checkShare(c.Trace.Sample))
	add("log.level", oneOf(c.Log.Level, "debug", "info", "warn", "error"))
	add("log.format", oneOf(c.Log.Format, "text", "json"))
	ps = append(ps, c.Limits.problems()...)
	if ps != nil {
		return &Error{Problems: ps}
	}
	return nil
}

// check tells add what is wrong with each field.
func (r *Record) check(add func(string, error)) {
	add("record.mode", oneOf(r.Mode, "off", "failures", "all"))
	add("record.call_bytes", between(r.CallBytes, 1<<10, MaxRecordCallBytes))
	add("record.total_bytes", between(r.TotalBytes, 1<<20, MaxRecordTotalBytes))
	if r.Keep < time.Minute || r.Keep > MaxRecordKeep {
		add("record.keep", fmt.Errorf("%s is not between 1m and %s", r.Keep, MaxRecordKeep))
	}
}

func between(n, least, most int64) error {
	if n < least || n > most {
		return fmt.Errorf("%d is not between %d and %d", n, least, most)
	}
	return nil
}

// checkListen refuses everything but loopback. A name other than localhost is
// refused too, since what it resolves to may change.
func checkListen(s string) error {
	host, err := splitHostPort(s, 0)
	if err != nil {
		return err
	}
	if strings.EqualFold(host, "localhost") {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err == nil && ip.IsLoopback() {
		return nil
	}
	return fmt.Errorf("%q is not a loopback address; Culm has no login yet and listens on 127.0.0.1, [::1] or localhost only"+
		" (reach it from elsewhere through an SSH tunnel)", host)
}

func checkTarget(s string) error {
	host, err := splitHostPort(s, 1)
	if err != nil {
		return err
	}
	if host == "" || strings.ContainsAny(host, "*/ ") {
		return fmt.Errorf("%q needs a plain host name or address", s)
	}
	return nil
}

// checkRegistry refuses what is no host with a port or without; only one on this machine
// may go without TLS.
func checkRegistry(s string) error {
	name, plain := strings.CutPrefix(s, "http://")
	host := name
	if h, err := splitHostPort(name, 1); err == nil {
		host = h
	}
	if host == "" || strings.ContainsAny(host, "*/@?# ") {
		return fmt.Errorf("%q is no host or host:port of a registry", s)
	}
	if plain && !strings.EqualFold(host, "localhost") {
		if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err != nil || !ip.IsLoopback() {
			return fmt.Errorf("%q is not on this machine, and needs TLS", name)
		}
	}
	return nil
}

func splitHostPort(s string, minPort int) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", fmt.Errorf("%q is not host:port", s)
	}
	if n, err := strconv.Atoi(port); err != nil || n < minPort || n > 65535 {
		return "", fmt.Errorf("port %q is not a number between %d and 65535", port, minPort)
	}
	return host, nil
}

func checkPath(s string, required bool) error {
	if s == "" && required {
		return fmt.Errorf("a directory is needed")
	}
	if strings.ContainsRune(s, 0) || (s != "" && filepath.Clean(s) == string(filepath.Separator)) {
		return fmt.Errorf("%q cannot be used as a directory", s)
	}
	return nil
}

func oneOf(s string, allowed ...string) error {
	if slices.Contains(allowed, s) {
		return nil
	}
	return fmt.Errorf("%q is none of %s", s, strings.Join(allowed, ", "))
}
