// Package contract holds the types that cross the boundary between a plugin and
// its host: the manifest, the request and answer of a call, and the request and
// answer of a gateway call. Everything else in Culm may import it; it imports
// the standard library only, so it compiles into any plugin.
//
// All values travel as JSON in UTF-8. Instants are RFC 3339 in UTC, durations are
// whole milliseconds in fields that end in _ms, sizes are bytes.
package contract
