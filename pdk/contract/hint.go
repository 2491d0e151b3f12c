package contract

// CallbackToken stands in Context.CallbackURL for the token, which never enters a plugin.
// It is the same in every call, so that a request with it can be told from another one.
const CallbackToken = "culm-callback-token-put-in-by-the-gateway"

// Hint is what to do next about a failure: a closed list, so that it can be said in every
// language.
type Hint string

// The hints. Who reads them is the operator of a run.
const (
	HintFixInputs       Hint = "fix_inputs"       // correct the inputs or the drawing, then retry with new inputs
	HintAskGrant        Hint = "ask_grant"        // an administrator grants the operation to the plugin
	HintEnableOperation Hint = "enable_operation" // an administrator registers or enables the operation
	HintSetCredential   Hint = "set_credential"   // an administrator sets the system's credential
	HintCheckCredential Hint = "check_credential" // the system refused the credential: an administrator tests or renews it
	HintSetSecret       Hint = "set_secret"       // the project's secret is gone: set it again, or start a new run
	HintCheckAddress    Hint = "check_address"    // an administrator checks the address and the address policy
	HintCheckSystem     Hint = "check_system"     // ask whoever runs the outside system, with the request id
	HintCheckTrust      Hint = "check_trust"      // the certificate of the system, or its authority, is not trusted
	HintRetryLater      Hint = "retry_later"      // the same call may succeed later
	HintAskLess         Hint = "ask_less"         // ask for less at once, or let an administrator raise the limit
	HintFindOut         Hint = "find_out"         // find out in the outside system what happened, then resolve the node
	HintReadMessage     Hint = "read_message"     // look at what the plugin says and logged, mend it, then retry
	HintReportPlugin    Hint = "report_plugin"    // report it to the author of the plugin
	HintReadLog         Hint = "read_log"         // Culm's own log says more
)

// Hints lists all hints.
func Hints() []Hint {
	return []Hint{
		HintFixInputs, HintAskGrant, HintEnableOperation, HintSetCredential, HintCheckCredential, HintSetSecret, HintCheckAddress,
		HintCheckSystem, HintCheckTrust, HintRetryLater, HintAskLess, HintFindOut, HintReadMessage, HintReportPlugin, HintReadLog,
	}
}

// Advice returns the hint of a failure: its own where it is one of Hints, else one by the
// code, the HTTP status and the side at fault. It is never empty. The receiver must not be
// nil.
func (f *Failure) Advice() Hint {
	for _, h := range Hints() {
		if f.Hint == h {
			return h
		}
	}
	if h := hintOfCode(f.Code); h != "" {
		return h
	}
	if f.HTTPStatus != 0 && (f.Origin == OriginSystem || f.Origin == "") {
		return hintOfStatus(f.HTTPStatus)
	}
	return hintOfOrigin(f)
}

// hintOfCode knows the codes of the gateway and of broken plugins whose side alone does not
// say what to do.
func hintOfCode(code string) Hint {
	switch code {
	case "DENIED":
		return HintAskGrant
	case "UNKNOWN_SYSTEM", "UNKNOWN_OPERATION", "OPERATION_DISABLED":
		return HintEnableOperation
	case "CREDENTIAL_MISSING":
		return HintSetCredential
	case "SECRET_MISSING":
		return HintSetSecret
	case "SECRET_REFUSED":
		return HintFixInputs
	case "EGRESS_DENIED":
		return HintCheckAddress
	case "TLS_FAILED":
		return HintCheckTrust
	case "RATE_LIMITED", "SYSTEM_BROKEN":
		return HintRetryLater
	case "OUTCOME_UNKNOWN", "CRASH_SUSPECT":
		return HintFindOut
	case "PLUGIN_TRAP", "PLUGIN_PANIC", "PLUGIN_ERROR", "BAD_ANSWER", "OUTPUT_INVALID", "UNDECLARED_WAIT", "UNSUPPORTED_CALL", "REQUEST_INVALID":
		return HintReportPlugin
	}
	return ""
}

// hintOfStatus reads the HTTP status of an outside system (RFC 9110, RFC 6585).
func hintOfStatus(status int) Hint {
	switch {
	case status == 401 || status == 403 || status == 407:
		return HintCheckCredential
	case status == 408 || status == 425 || status == 429 || status == 503:
		return HintRetryLater
	case status == 413:
		return HintAskLess
	case status >= 400 && status < 500:
		return HintFixInputs
	}
	return HintCheckSystem
}

func hintOfOrigin(f *Failure) Hint {
	switch f.Origin {
	case OriginFlow:
		return HintFixInputs
	case OriginLimit:
		return HintAskLess
	case OriginGateway:
		return HintCheckAddress
	case OriginSystem:
		return HintCheckSystem
	case OriginHost:
		return HintReadLog
	case OriginPlugin:
	}
	if f.Retryable {
		return HintRetryLater
	}
	return HintReadMessage
}
