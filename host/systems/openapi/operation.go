package openapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/culmhq/culm/host/systems"
	"github.com/culmhq/culm/pdk/contract"
)

// The sizes of texts.
const (
	titleMax     = 200
	docMax       = 2000
	groupMax     = 60
	idMax        = 64
	headersMax   = 20
	maxSchemaDoc = 600
)

// methods are those that an operation can have, in the order of a list.
func methods() []string { return []string{"get", "head", "post", "put", "patch", "delete"} }

// operations reads all of them, by path and method.
func (r *reader) operations(out *Document) error {
	paths, ok := r.root["paths"].(map[string]any)
	if !ok || len(paths) == 0 {
		return flawed(CodeNoPaths, "has no paths")
	}
	r.schemes = map[string]int{}
	taken := map[string]bool{}
	count := 0
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		item, err := r.resolve(paths[path])
		if err != nil {
			out.Skipped = append(out.Skipped, skipped("", path, fmt.Errorf("the path %w", err)))
			continue
		}
		for _, method := range methods() {
			if item[method] == nil {
				continue
			}
			if count++; count > OperationsMax {
				return flawed(CodeOperationsTooMany, "has more than %d operations", OperationsMax)
			}
			o := operation{r: r, path: path, method: strings.ToUpper(method), raw: object(item[method]), shared: list(item["parameters"])}
			op, err := o.read()
			if err != nil {
				out.Skipped = append(out.Skipped, skipped(o.method, path, err))
				continue
			}
			op.ID = unique(op.ID, o.method+" "+path, taken)
			out.Operations = append(out.Operations, op)
			out.Skipped = append(out.Skipped, o.left...)
		}
	}
	return nil
}

// unique makes an id that no other operation has. It depends on the operation alone, not on
// its place in the document, unless two have the same one.
func unique(id, key string, taken map[string]bool) string {
	if len(id) > idMax || taken[id] {
		sum := sha256.Sum256([]byte(key))
		id = strings.TrimRight(id[:min(len(id), idMax-9)], "_") + "_" + hex.EncodeToString(sum[:4])
	}
	taken[id] = true
	return id
}

// operation is the reading of one operation.
type operation struct {
	r            *reader
	path, method string
	raw          map[string]any
	// shared are the parameters of the path.
	shared []any
	left   []Skipped
}

// leave leaves out the body, which has no name, or a parameter.
func (o *operation) leave(in, name string, err error) {
	s := skipped(o.method, o.path, err)
	s.Part, s.In, s.Of = in, in, clip(name, titleMax)
	if name != "" {
		s.Part = clip(in+" parameter "+name, titleMax)
	}
	o.left = append(o.left, s)
}

func (o *operation) read() (systems.Operation, error) {
	op := systems.Operation{Method: o.method, Path: o.path, Imported: true, ID: o.id()}
	title := line(text(o.raw["summary"]), titleMax)
	if title == "" {
		title = op.ID
	}
	op.Title = contract.T(title)
	doc := strings.TrimSpace(text(o.raw["description"]))
	if yes(o.raw["deprecated"]) {
		doc = strings.TrimSpace("Deprecated. " + doc)
	}
	op.Doc = contract.T(clip(doc, docMax))
	op.Group = o.group()
	o.judge(&op)
	if err := o.parameters(&op); err != nil {
		return op, err
	}
	if err := o.body(&op); err != nil {
		return op, err
	}
	o.response(&op)
	o.r.security(o.raw)
	return op, nil
}

func (o *operation) id() string {
	id := snake(text(o.raw["operationId"]))
	if id == "" {
		id = snake(strings.ToLower(o.method) + "_" + o.path)
	}
	if id[0] < 'a' {
		id = "op_" + id
	}
	return id
}

func (o *operation) group() string {
	if tags := list(o.raw["tags"]); len(tags) > 0 && text(tags[0]) != "" {
		return line(text(tags[0]), groupMax)
	}
	for seg := range strings.SplitSeq(o.path, "/") {
		if seg != "" && !strings.Contains(seg, "{") {
			return line(seg, groupMax)
		}
	}
	return ""
}

// The words that say what an operation does where its method does not.
var (
	readingWords     = regexp.MustCompile(`^(get|list|search|find|query|retrieve|read|show|check|count|describe|fetch|batch_get|batch_query)(_|$)`)
	destructiveWords = regexp.MustCompile(`(^|_)(delete|remove|destroy|purge|drop|terminate|uninstall|wipe)(_|$)`)
)

// judge derives what OpenAPI does not say: the retry class and the risk. Both are the
// careful guess, which an administrator corrects. What the document says of its own in
// x-retry-safety (safe, conditional, unsafe) or x-culm-retry and x-culm-risk counts more.
func (o *operation) judge(op *systems.Operation) {
	switch o.method {
	case "GET", "HEAD":
		op.Retry, op.Risk = systems.RetrySafe, systems.RiskRead
	case "PUT":
		op.Retry, op.Risk = systems.RetryKeyed, systems.RiskWrite // RFC 9110 §9.2.2: idempotent
	case "DELETE":
		op.Retry, op.Risk = systems.RetryKeyed, systems.RiskDestructive
	default:
		op.Retry, op.Risk = systems.RetryNever, systems.RiskWrite
	}
	if op.Risk == systems.RiskWrite && destructiveWords.MatchString(op.ID) {
		op.Risk = systems.RiskDestructive
	}
	switch text(o.raw["x-retry-safety"]) {
	case "safe":
		op.Retry = systems.RetrySafe
		if o.method == "POST" && readingWords.MatchString(op.ID) {
			op.Risk = systems.RiskRead
		}
	case "conditional", "unsafe":
		op.Retry = systems.RetryNever
	}
	switch retry := systems.Retry(text(o.raw["x-culm-retry"])); retry {
	case systems.RetrySafe, systems.RetryKeyed, systems.RetryNever:
		op.Retry = retry
	}
	switch risk := systems.Risk(text(o.raw["x-culm-risk"])); risk {
	case systems.RiskRead, systems.RiskWrite, systems.RiskDestructive:
		op.Risk = risk
	}
}

// jsonOf returns the schema of the JSON form among the contents, and whether there is one.
func jsonOf(content map[string]any) (any, bool) {
	for _, media := range slices.Sorted(maps.Keys(content)) {
		name, _, _ := strings.Cut(strings.ToLower(media), ";")
		if name == "application/json" || strings.HasSuffix(name, "+json") || name == "*/*" {
			return object(content[media])["schema"], true
		}
	}
	return nil, false
}

func (o *operation) body(op *systems.Operation) error {
	if o.raw["requestBody"] == nil {
		return nil
	}
	body, err := o.r.resolve(o.raw["requestBody"])
	if err != nil {
		return fmt.Errorf("its body %w", err)
	}
	required := yes(body["required"])
	schema, ok := jsonOf(object(body["content"]))
	why := o.bodyRefused(ok, required)
	switch {
	case why != nil && required:
		return why
	case why != nil:
		o.leave("body", "", why)
		return nil
	}
	if schema == nil {
		schema = map[string]any{}
	}
	if op.Body, err = o.r.schema(schema); err != nil {
		return fmt.Errorf("the schema of its body %w", err)
	}
	op.BodyRequired = required
	return nil
}

// bodyRefused says why the body cannot be sent, nil where it can; isJSON says that it may be JSON.
func (o *operation) bodyRefused(isJSON, required bool) error {
	bodiless := o.method == "GET" || o.method == "HEAD"
	switch {
	case isJSON && !bodiless:
		return nil
	case isJSON && required:
		return flawed(CodeBodyMethodNeeded, "%s takes no body, and it needs one", o.method)
	case isJSON:
		return flawed(CodeBodyMethod, "%s takes no body", o.method)
	case required:
		return flawed(CodeBodyTypeNeeded, "only a JSON body can be sent, and it needs another one")
	default:
		return flawed(CodeBodyType, "only a JSON body can be sent")
	}
}

// response takes the schema and the headers of the first answer of success. What is wrong
// with them is left out: nothing depends on them.
func (o *operation) response(op *systems.Operation) {
	responses := object(o.raw["responses"])
	for _, code := range slices.Sorted(maps.Keys(responses)) {
		if len(code) != 3 || code[0] != '2' {
			continue
		}
		res, err := o.r.resolve(responses[code])
		if err != nil {
			return
		}
		for _, name := range slices.Sorted(maps.Keys(object(res["headers"]))) {
			if systems.MayLetThrough(name) && len(op.ResponseHeaders) < headersMax {
				op.ResponseHeaders = append(op.ResponseHeaders, name)
			}
		}
		if schema, ok := jsonOf(object(res["content"])); ok && schema != nil {
			if raw, err := o.r.schema(schema); err == nil {
				op.Response = raw
			}
		}
		return
	}
}

func marshal(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		return json.RawMessage(`{}`) // of decoded JSON: it does not happen
	}
	return raw
}
