package systems

// AuthType is a way to authenticate to a system.
type AuthType string

// The ways to authenticate. The zero value stands for AuthNone.
const (
	AuthNone   AuthType = "none"
	AuthBasic  AuthType = "basic"   // Authorization: Basic
	AuthBearer AuthType = "bearer"  // Authorization: Bearer
	AuthAPIKey AuthType = "api_key" // a header of the system's own
)

// Auth says how the gateway authenticates to a system. It holds no credential.
type Auth struct {
	Type AuthType `json:"type"`
	// Header is the name of the header that carries the key, for AuthAPIKey.
	Header string `json:"header,omitempty"`
}
