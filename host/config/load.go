package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Setting is one thing that can be set, under its three names.
type Setting struct {
	// Field is the name in the file, Flag that on the command line, Env that of
	// the environment variable.
	Field, Flag, Env string
	// Doc is the flag's help.
	Doc string
	// Bool says that the flag may stand without a value, List that it may be repeated.
	Bool, List bool
	// Limit says that it is a limit of plugins, of which there are many.
	Limit bool

	set func(*Config, string) error
	get func(*Config) string
}

// Value returns the setting's value in c, as it would be written.
func (s Setting) Value(c *Config) string { return s.get(c) }

// Settings lists everything that can be set, in the order in which help shows it.
func Settings() []Setting {
	text := func(p func(*Config) *string) (func(*Config, string) error, func(*Config) string) {
		return func(c *Config, v string) error { *p(c) = v; return nil }, func(c *Config) string { return *p(c) }
	}
	mk := func(field, doc string, p func(*Config) *string) Setting {
		set, get := text(p)
		return named(Setting{Field: field, Doc: doc, set: set, get: get})
	}
	return append([]Setting{
		mk("listen", "address to listen on, host:port; loopback only", func(c *Config) *string { return &c.Listen }),
		mk("data", "directory of the database, keys and caches", func(c *Config) *string { return &c.Data }),
		named(Setting{
			Field: "demo", Bool: true, Doc: "serve the demo systems on a loopback port and load the demo project",
			set: func(c *Config, v string) (err error) {
				if c.Demo, err = strconv.ParseBool(v); err != nil {
					return fmt.Errorf("%q is neither true nor false", v)
				}
				return nil
			},
			get: func(c *Config) string { return strconv.FormatBool(c.Demo) },
		}),
		listOf("allow", "private or loopback targets the gateway may dial, host:port, comma-separated", func(c *Config) *[]string { return &c.Allow }),
		mk("plugins", "directory of further plugin modules to install at start", func(c *Config) *string { return &c.Plugins }),
		listOf("registries", "registries that plugins may be fetched from, host or host:port, comma-separated", func(c *Config) *[]string { return &c.Registries }),
		mk("registry_logins", "file of the logins of registries, in the form of docker's config.json", func(c *Config) *string { return &c.RegistryLogins }),
		mk("trust.policy", "what is asked of plugins: required (a trusted signature), warn or off", func(c *Config) *string { return &c.Trust.Policy }),
		mk("trust.uncontained", "what becomes of unsigned plugins where the system cannot contain them: refuse or run", func(c *Config) *string { return &c.Trust.Uncontained }),
		mk("trust.keys", "file of the keys whose signatures count (default: trust.yaml in the data directory)", func(c *Config) *string { return &c.Trust.Keys }),
		listOf("deny", "rights that the local user does not have here, comma-separated: plugin:publish, plugin:approve", func(c *Config) *[]string { return &c.Deny }),
		mk("callbacks.url", "where outside systems reach this server, for callbacks (default: the listener)", func(c *Config) *string { return &c.Callbacks.URL }),
		durationOf("callbacks.expire", "how long a callback may take", func(c *Config) *time.Duration { return &c.Callbacks.Expire }),
		mk("record.mode", "which plugin calls are recorded for replay: off, failures or all", func(c *Config) *string { return &c.Record.Mode }),
		bytesOf("record.call_bytes", "bytes that the recording of one call may have", func(c *Config) *int64 { return &c.Record.CallBytes }),
		bytesOf("record.total_bytes", "bytes that all recordings may take on disk", func(c *Config) *int64 { return &c.Record.TotalBytes }),
		durationOf("record.keep", "how long a recording is kept", func(c *Config) *time.Duration { return &c.Record.Keep }),
		durationOf("audit.keep", "how long an entry of the audit is kept; 0s is for ever", func(c *Config) *time.Duration { return &c.Audit.Keep }),
		mk("audit.anchors", "file of the signed anchors of the audit (default: audit.anchors in the data directory)", func(c *Config) *string { return &c.Audit.Anchors }),
		durationOf("audit.anchor_every", "time between two anchors of the audit", func(c *Config) *time.Duration { return &c.Audit.AnchorEvery }),
		mk("trace.endpoint", "URL that traces are sent to by OTLP over HTTP; empty sends none", func(c *Config) *string { return &c.Trace.Endpoint }),
		named(Setting{
			Field: "trace.sample", Doc: "share of the traces that are sent, from 0 to 1; a start with a traceparent follows that",
			set: func(c *Config, v string) (err error) {
				if c.Trace.Sample, err = strconv.ParseFloat(v, 64); err != nil {
					return fmt.Errorf("%q is not a number from 0 to 1", v)
				}
				return nil
			},
			get: func(c *Config) string { return strconv.FormatFloat(c.Trace.Sample, 'g', -1, 64) },
		}),
		mk("secrets.key_file", "file of the keys of secrets (default: secrets.key in the data directory)", func(c *Config) *string { return &c.Secrets.KeyFile }),
		mk("secrets.master_key", "where the key comes from that the key file is encrypted with: env:NAME, file:/PATH or credential:NAME", func(c *Config) *string { return &c.Secrets.MasterKey }),
		mk("secrets.former_master_key", "where the master key before comes from, while it is replaced", func(c *Config) *string { return &c.Secrets.FormerMasterKey }),
		listOf("secrets.approved", "digests of unsigned plugins that may be handed secrets, comma-separated, or any", func(c *Config) *[]string { return &c.Secrets.Approved }),
		durationOf("secrets.keep", "how long the secrets of a run are kept after its end", func(c *Config) *time.Duration { return &c.Secrets.Keep }),
		durationOf("drain", "how long a stopping server waits for running calls, at most 20s", func(c *Config) *time.Duration { return &c.Drain }),
		mk("log.level", "debug, info, warn or error", func(c *Config) *string { return &c.Log.Level }),
		mk("log.format", "text or json", func(c *Config) *string { return &c.Log.Format }),
	}, limitSettings()...)
}

// listOf is a setting that is a list of texts without commas.
func listOf(field, doc string, p func(*Config) *[]string) Setting {
	return named(Setting{
		Field: field, Doc: doc, List: true,
		set: func(c *Config, v string) error { *p(c) = splitList(v); return nil },
		get: func(c *Config) string { return strings.Join(*p(c), ",") },
	})
}

// bytesOf is a setting that is a number of bytes.
func bytesOf(field, doc string, p func(*Config) *int64) Setting {
	return named(Setting{
		Field: field, Doc: doc,
		set: func(c *Config, v string) error {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil {
				return fmt.Errorf("%q is not a number of bytes", v)
			}
			*p(c) = n
			return nil
		},
		get: func(c *Config) string { return strconv.FormatInt(*p(c), 10) },
	})
}

// durationOf is a setting that is a duration.
func durationOf(field, doc string, p func(*Config) *time.Duration) Setting {
	return named(Setting{
		Field: field, Doc: doc,
		set: func(c *Config, v string) error {
			d, err := time.ParseDuration(v)
			if err != nil {
				return fmt.Errorf("%q is not a duration such as 10s", v)
			}
			*p(c) = d
			return nil
		},
		get: func(c *Config) string { return p(c).String() },
	})
}

// Sources are where Load takes settings from.
type Sources struct {
	// File is the path of a YAML file; empty reads none.
	File string
	// Environ is in the form of os.Environ.
	Environ []string
	// Flags are those that were given, by name.
	Flags map[string]string
}

// Load reads every source, the stronger over the weaker, and validates the result.
// A name that is not a setting is refused in file and flags. The error is an *Error,
// or that of reading the file.
func Load(src Sources) (Config, error) {
	c := Default()
	from := map[string]string{}
	if src.File != "" {
		if err := loadFile(&c, src.File, from); err != nil {
			return Config{}, err
		}
	}
	var ps []Problem
	ps = append(ps, loadEnv(&c, src.Environ, from)...)
	ps = append(ps, loadFlags(&c, src.Flags, from)...)
	var invalid *Error
	if errors.As(c.Validate(), &invalid) {
		for _, p := range invalid.Problems {
			field, _, _ := strings.Cut(p.Field, "[")
			p.Source = from[field]
			ps = append(ps, p)
		}
	}
	if ps != nil {
		return Config{}, &Error{Problems: ps}
	}
	return c, nil
}

func loadFile(c *Config, path string, from map[string]string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	d := yaml.NewDecoder(bytes.NewReader(b))
	d.KnownFields(true)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("configuration: %s: %w", path, err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("configuration: %s: more than one document", path)
	}
	var top yaml.Node
	if err := yaml.Unmarshal(b, &top); err == nil {
		mark(&top, "", path, from)
	}
	return nil
}

// mark notes at which line of the file each field was set.
func mark(n *yaml.Node, prefix, path string, from map[string]string) {
	if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := prefix + n.Content[i].Value
		from[key] = path + ":" + strconv.Itoa(n.Content[i].Line)
		mark(n.Content[i+1], key+".", path, from)
	}
}

// loadEnv leaves names that are no setting alone: container platforms make variables
// of their own for a service named culm.
func loadEnv(c *Config, environ []string, from map[string]string) []Problem {
	given := map[string]string{}
	for _, kv := range environ {
		name, value, _ := strings.Cut(kv, "=")
		given[name] = value
	}
	var ps []Problem
	for _, s := range Settings() {
		if v, ok := given[s.Env]; ok {
			ps = append(ps, apply(c, s, v, s.Env, from)...)
		}
	}
	return ps
}

func loadFlags(c *Config, flags, from map[string]string) []Problem {
	var ps []Problem
	left := len(flags)
	for _, s := range Settings() {
		if v, ok := flags[s.Flag]; ok {
			left--
			ps = append(ps, apply(c, s, v, "flag --"+s.Flag, from)...)
		}
	}
	if left != 0 {
		ps = append(ps, Problem{Field: "flags", Message: "a flag is not a setting"})
	}
	return ps
}

func apply(c *Config, s Setting, value, source string, from map[string]string) []Problem {
	from[s.Field] = source
	if err := s.set(c, value); err != nil {
		return []Problem{{Field: s.Field, Message: err.Error(), Source: source}}
	}
	return nil
}

// EnvConfig is the environment variable that names the configuration file.
const EnvConfig = "CULM_CONFIG"

// named derives the flag and the environment variable from the field.
func named(s Setting) Setting {
	s.Flag = strings.NewReplacer(".", "-", "_", "-").Replace(s.Field)
	s.Env = "CULM_" + strings.ToUpper(strings.ReplaceAll(s.Field, ".", "_"))
	return s
}

func splitList(v string) []string {
	var out []string
	for _, e := range strings.Split(v, ",") {
		if e = strings.TrimSpace(e); e != "" {
			out = append(out, e)
		}
	}
	return out
}
