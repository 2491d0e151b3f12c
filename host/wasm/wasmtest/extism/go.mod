// This module only pins the version and the hash of other people's test modules (github.com/extism/go-sdk, BSD-3-Clause).
// They are read from the module cache and are no part of Culm.
module extism

go 1.25

require github.com/extism/go-sdk v1.7.1
