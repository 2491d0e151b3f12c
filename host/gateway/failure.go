package gateway

import "github.com/culmhq/culm/pdk/contract"

// The codes of the gateway's failures. They are part of the contract with plugins.
const (
	CodeDenied             = "DENIED"               // no grant
	CodeUnknownSystem      = "UNKNOWN_SYSTEM"       // the project has no such system
	CodeUnknownOperation   = "UNKNOWN_OPERATION"    // the system has no such operation
	CodeParamInvalid       = "PARAM_INVALID"        // a parameter or the body breaks its declaration
	CodeRequestLimit       = "REQUEST_LIMIT"        // the request is too large
	CodeHostcallLimit      = "HOSTCALL_LIMIT"       // the plugin call made too many calls
	CodeRateLimited        = "RATE_LIMITED"         // no free place among the calls of the system in time
	CodeSystemBroken       = "SYSTEM_BROKEN"        // the system failed too often just now and is left alone
	CodeCredentialMissing  = "CREDENTIAL_MISSING"   // none is set for where the system is now
	CodeEgressDenied       = "EGRESS_DENIED"        // the address policy forbids the target
	CodeTLSFailed          = "TLS_FAILED"           // the certificate or handshake cannot be trusted
	CodeUpstreamTimeout    = "UPSTREAM_TIMEOUT"     // no complete answer in time
	CodeUpstreamDown       = "UPSTREAM_UNREACHABLE" // no connection, or it broke
	CodeUpstreamInvalid    = "UPSTREAM_INVALID"     // what came back is not an acceptable HTTP answer
	CodeUpstreamRefused    = "UPSTREAM_REFUSED"     // the answer says that the call did not succeed
	CodeOperationDisabled  = "OPERATION_DISABLED"   // an administrator has to switch the operation on
	CodeResponseLimit      = "RESPONSE_LIMIT"       // the answer is too large
	CodeCancelled          = "CANCELLED"            // the plugin call ended or was cancelled meanwhile
	CodeOutcomeUnknown     = "OUTCOME_UNKNOWN"      // nobody can say whether the call was made before a crash
	CodeJournalFailed      = "JOURNAL_FAILED"       // the intent or the answer could not be stored
	CodeAuditFailed        = "AUDIT_FAILED"         // the audit row could not be stored
	CodeSecretRefused      = "SECRET_REFUSED"       // a secret stands where it may not, or is another attempt's
	CodeSecretMissing      = "SECRET_MISSING"       // the secret was deleted
	CodeGatewayUnavailable = "GATEWAY_UNAVAILABLE"  // Culm's own data could not be read
)

// fault is a failure of a code at a side; the call's names are added where it leaves
// the chain.
func fault(origin contract.Origin, code, message string) *contract.Failure {
	return &contract.Failure{Code: code, Message: message, Origin: origin}
}

// later marks a failure as one that the same call may not meet again.
func later(f *contract.Failure) *contract.Failure {
	f.Retryable = true
	return f
}

// failed makes a response of a failure.
func failed(f *contract.Failure) contract.GatewayResponse {
	return contract.GatewayResponse{Failure: f}
}
