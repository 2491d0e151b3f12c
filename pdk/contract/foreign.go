package contract

// Foreign says how to call an action of a module that knows nothing of this contract:
// one that was written for any Extism host. The manifest is a side-car then; the code
// of the module stays as it is.
//
// Such an action has no waits, and neither cancel, rollback nor options: the module
// gets its input, and what it leaves as output are the outputs of the node. A status
// other than zero, or a text given to error_set, makes the node fail.
type Foreign struct {
	// Export is the function to call: no parameters, one i32 result or none. "_start"
	// runs a command.
	Export string `json:"export"`
	// Encoding says how inputs become bytes and bytes become outputs. Its zero value
	// is JSON both ways.
	Encoding Encoding `json:"encoding,omitzero"`
	// Config is what the module reads with config_get. It is part of the module and
	// seen by everybody who may read the catalogue: no place for a secret.
	Config map[string]string `json:"config,omitempty"`
	// ConfigInputs maps further keys of config_get to inputs of the node: a text as it
	// is, anything else as JSON. An input that is absent leaves its key unset, or as
	// Config has it.
	ConfigInputs map[string]string `json:"config_inputs,omitempty"`
}

// Encoding is how an action of a foreign module takes its inputs and gives its outputs.
type Encoding struct {
	Input  Codec `json:"input,omitzero"`
	Output Codec `json:"output,omitzero"`
}

// Codec says what bytes stand for.
type Codec struct {
	// As is the form of the bytes; the zero value stands for CodecJSON.
	As CodecForm `json:"as"`
	// Field names the one input or output that the bytes are. It is required for
	// CodecText and CodecBase64. Without it JSON stands for all inputs, or all outputs,
	// as one object.
	Field string `json:"field,omitempty"`
}

// CodecForm is a form of bytes.
type CodecForm string

// The forms of bytes.
const (
	CodecJSON   CodecForm = "json"   // JSON in UTF-8
	CodecText   CodecForm = "text"   // a text in UTF-8, as it is
	CodecBase64 CodecForm = "base64" // any bytes; the field holds them in base64
	CodecNone   CodecForm = "none"   // no input, or an output that is dropped
)

// HTTPRequest is what a module asks of Extism's http_request.
type HTTPRequest struct {
	URL    string `json:"url"`
	Method string `json:"method"`
	// Headers are those that the module sets, names as it wrote them.
	Headers map[string]string `json:"headers,omitempty"`
	Body    []byte            `json:"body,omitempty"`
}
