package main

import (
	"errors"
	"os"
	"runtime"
	"runtime/pprof"
)

// startProfiles writes profiles to the files that are named; the function that it returns ends them.
func startProfiles(cpu, memory string) (stop func() error, err error) {
	stopCPU := func() error { return nil }
	if cpu != "" {
		file, err := os.Create(cpu)
		if err != nil {
			return nil, err
		}
		if err := pprof.StartCPUProfile(file); err != nil {
			return nil, errors.Join(err, file.Close())
		}
		stopCPU = func() error {
			pprof.StopCPUProfile()
			return file.Close()
		}
	}
	return func() error { return errors.Join(stopCPU(), writeMemoryProfile(memory)) }, nil
}

// writeMemoryProfile writes what has been allocated since the start.
func writeMemoryProfile(path string) error {
	if path == "" {
		return nil
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	runtime.GC() // the profile is that of the last collection
	return errors.Join(pprof.Lookup("allocs").WriteTo(file, 0), file.Close())
}
