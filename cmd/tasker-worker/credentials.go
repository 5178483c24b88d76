package main

import (
	"os"
	"strings"
	"unsafe"

	"github.com/tasker-systems/tasker-worker/executors"
)

// overwriteCredentials comes before everything else in every command. What a process was started with stays to be read in /proc/PID/environ
// and in /proc/PID/cmdline for as long as it runs, whatever it does to its variables later: so the values are overwritten
// where they stand. The program goes on with Go's copies.
func overwriteCredentials() {
	setNonDumpable()
	overwriteEnviron()
	for i, argument := range os.Args {
		if begin := passwordIn(argument); begin >= 0 {
			os.Args[i] = strings.Clone(argument)
			overwrite(unsafe.Slice(unsafe.StringData(argument), len(argument))[begin:], 'x') //nolint:gosec // Go's strings of arguments lie in the memory that the system gave
		}
	}
}

// isCredential is for all that may be one: what handlers inherit anyway is none, nor are the worker's settings and Go's. Marks
// that others look for in an environment are among the settings.
func isCredential(name string) bool {
	switch {
	case strings.HasPrefix(name, secretPrefix):
		return true
	case strings.HasPrefix(name, "TASKER_"):
		return strings.HasSuffix(name, "_URL") // those of tests
	}
	return !strings.HasPrefix(name, "GO") && !executors.Inherited(name)
}

// passwordIn is where an argument begins to tell how to connect to a database, -1 where it does not.
func passwordIn(argument string) int {
	for _, sign := range []string{"postgres://", "postgresql://", "password="} {
		if i := strings.Index(argument, sign); i >= 0 {
			return i + len(sign)
		}
	}
	return -1
}

func overwrite(memory []byte, with byte) {
	for i := range memory {
		memory[i] = with
	}
}
