// Package conformance holds the tests that run flows which were recorded from another
// engine, bamboo_engine, and compare what both do. The cases are in
// engine/testdata/conformance; what deliberately differs is listed in
// engine/DEVIATIONS.md.
package conformance
