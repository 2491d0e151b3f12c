package binary

// Limits bound what a module may declare. Every field must be set.
type Limits struct {
	// ModuleBytes bounds the whole module.
	ModuleBytes int
	// ManifestBytes bounds the custom section that holds the manifest.
	ManifestBytes int
	Types         uint32
	Imports       uint32
	Functions     uint32
	// FunctionBytes bounds the body of one function, Locals the locals of one.
	FunctionBytes uint32
	Locals        uint32
	Tables        uint32
	// TableElements bounds each table, at its declaration and when it grows.
	TableElements uint32
	// MemoryPages bounds the declared minimum of the memory, in units of 64 KiB.
	MemoryPages  uint32
	Globals      uint32
	Exports      uint32
	Elements     uint32
	DataSegments uint32
	Customs      uint32
}

// DefaultLimits returns the limits that the host ships with. A Go module of 3.3
// MB declares 2,200 functions, 37,000 data segments and 6,300 table elements.
func DefaultLimits() Limits {
	return Limits{
		ModuleBytes:   16 << 20,
		ManifestBytes: 1 << 20,
		Types:         10_000,
		Imports:       500,
		Functions:     100_000,
		FunctionBytes: 7 << 20,
		Locals:        50_000,
		Tables:        16,
		TableElements: 1 << 17,
		MemoryPages:   64 << 20 >> 16,
		Globals:       10_000,
		Exports:       10_000,
		Elements:      10_000,
		DataSegments:  300_000,
		Customs:       1_000,
	}
}
