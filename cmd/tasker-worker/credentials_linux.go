package main

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// setNonDumpable keeps processes of the same user, as handlers may be, from reading this one's memory and environment in
// /proc, and from attaching to it.
func setNonDumpable() {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // best effort: nothing works less without it
}

// overwriteEnviron writes over the values of credentials in the memory that /proc/PID/environ shows. Go has copies of it.
func overwriteEnviron() {
	for rest := initialEnviron(); len(rest) > 0; {
		pair, following, _ := bytes.Cut(rest, []byte{0})
		if name, value, _ := bytes.Cut(pair, []byte("=")); isCredential(string(name)) {
			overwrite(value, 0)
		}
		rest = following
	}
}

// initialEnviron is the environment as the system laid it down: behind the last argument, as far as the system says. It is
// nil where the system says something else, and then nothing is overwritten.
func initialEnviron() []byte {
	stat, err := os.ReadFile("/proc/self/stat")
	_, rest, found := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	const begin, end = 47, 48 // env_start and env_end of proc(5), counted behind the name of the program
	if err != nil || !found || len(fields) <= end || len(os.Args) == 0 {
		return nil
	}
	from, fromErr := strconv.ParseUint(fields[begin], 10, 64)
	to, toErr := strconv.ParseUint(fields[end], 10, 64)
	last := os.Args[len(os.Args)-1]
	first := unsafe.Add(unsafe.Pointer(unsafe.StringData(last)), len(last)+1) //nolint:gosec // the byte behind the end of the last argument
	if fromErr != nil || toErr != nil || uint64(uintptr(first)) != from || to <= from {
		return nil
	}
	return unsafe.Slice((*byte)(first), to-from) //nolint:gosec // both ends are the system's own words
}
