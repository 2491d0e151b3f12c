package wasm

import (
	"context"
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"
)

// wasiFiles returns the functions of WASI on files. There are none: standard input
// is empty, standard output and error go to the log, everything else is a bad file
// descriptor or not supported.
//
//	fd_write(fd i32, iovs ptr i32, n i32, written ptr i32) -> (errno i32)
//	fd_fdstat_get(fd i32, result ptr i32) -> (errno i32)   0, 1 and 2 are character devices
//	fd_read(fd i32, iovs i32, n i32, read ptr i32) -> (errno i32)   0: end of file
//	fd_close, fd_seek, fd_prestat_get, path_open, ...      as described
func wasiFiles() []hostFunc {
	fs := []hostFunc{
		{"fd_write", "iiii>i", fdWrite},
		{"fd_read", "iiii>i", fdRead},
		{"fd_fdstat_get", "ii>i", fdstatGet},
		{"fd_fdstat_set_flags", "ii>i", returns(wasiOK)},
	}
	for name, sig := range map[string]string{
		"fd_close": "i>i", "fd_seek": "iIii>i", "fd_tell": "ii>i", "fd_prestat_get": "ii>i",
		"fd_prestat_dir_name": "iii>i", "fd_filestat_get": "ii>i", "fd_readdir": "iiiIi>i",
		"fd_sync": "i>i", "fd_datasync": "i>i", "fd_advise": "iIIi>i", "fd_allocate": "iII>i",
		"fd_fdstat_set_rights": "iII>i", "fd_filestat_set_size": "iI>i", "fd_filestat_set_times": "iIIi>i",
		"fd_pread": "iiiIi>i", "fd_pwrite": "iiiIi>i", "fd_renumber": "ii>i",
	} {
		fs = append(fs, hostFunc{name, sig, returns(wasiBadF)})
	}
	for name, sig := range map[string]string{
		"path_open": "iiiiiIIii>i", "path_filestat_get": "iiiii>i", "path_filestat_set_times": "iiiiIIi>i",
		"path_create_directory": "iii>i", "path_remove_directory": "iii>i", "path_unlink_file": "iii>i",
		"path_rename": "iiiiii>i", "path_link": "iiiiiii>i", "path_symlink": "iiiii>i", "path_readlink": "iiiiii>i",
	} {
		fs = append(fs, hostFunc{name, sig, returns(wasiNoSys)})
	}
	return fs
}

// returns makes a function that does nothing and returns errno.
func returns(errno uint64) func(context.Context, *invocation, api.Module, []uint64) {
	return func(_ context.Context, _ *invocation, _ api.Module, s []uint64) { s[0] = errno }
}

// iovecsMax bounds the pieces of one write, writeMax its bytes: a larger write is
// done in part, as WASI allows, so that no single call takes long.
const (
	iovecsMax = 1024
	writeMax  = 1 << 20
)

func fdWrite(_ context.Context, v *invocation, guest api.Module, s []uint64) {
	fd, iovs, n, result := uint32(s[0]), uint32(s[1]), uint32(s[2]), uint32(s[3])
	if fd != 1 && fd != 2 {
		s[0] = wasiBadF
		return
	}
	if n > iovecsMax {
		s[0] = wasiInval
		return
	}
	vec := v.guestBytes(guest, "fd_write", iovs, n*8)
	written := uint32(0)
	for ; len(vec) > 0; vec = vec[8:] {
		text := v.guestBytes(guest, "fd_write", binary.LittleEndian.Uint32(vec), binary.LittleEndian.Uint32(vec[4:]))
		text = text[:min(len(text), writeMax-int(written))]
		v.printText(int(fd-1), text)
		written += uint32(len(text))
	}
	binary.LittleEndian.PutUint32(v.guestBytes(guest, "fd_write", result, 4), written)
	s[0] = wasiOK
}

func fdRead(_ context.Context, v *invocation, guest api.Module, s []uint64) {
	if uint32(s[0]) != 0 {
		s[0] = wasiBadF
		return
	}
	clear(v.guestBytes(guest, "fd_read", uint32(s[3]), 4))
	s[0] = wasiOK
}

func fdstatGet(_ context.Context, v *invocation, guest api.Module, s []uint64) {
	if uint32(s[0]) > 2 {
		s[0] = wasiBadF
		return
	}
	stat := v.guestBytes(guest, "fd_fdstat_get", uint32(s[1]), 24)
	clear(stat)
	stat[0] = 2 // character device
	rights := uint64(1 << 6)
	if uint32(s[0]) == 0 {
		rights = 1 << 1
	}
	binary.LittleEndian.PutUint64(stat[8:], rights)
	s[0] = wasiOK
}
