package conformance

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// T is what a check needs of a test. [testing.T] is one.
type T interface {
	Cleanup(f func())
	Error(args ...any)
	Errorf(format string, args ...any)
	Failed() bool
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Helper()
	Logf(format string, args ...any)
	Skipf(format string, args ...any)
	TempDir() string
}

// recorder is a T outside go test. Fatal and Skipf end the goroutine of the check, as in package testing.
type recorder struct {
	// mu protects the fields below.
	mu       sync.Mutex
	cleanups []func()
	faults   []string
	skipped  string
	logs     []string
}

// run runs f and then its cleanups, and returns when they have ended.
func (r *recorder) run(f func(t T)) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer r.cleanUp()
		defer func() {
			if p := recover(); p != nil {
				r.Error("the check panicked:", p)
			}
		}()
		f(r)
	}()
	<-ended
}

func (r *recorder) cleanUp() {
	for _, cleanup := range slices.Backward(r.cleanups) {
		cleanup()
	}
}

func (r *recorder) Cleanup(f func()) { r.cleanups = append(r.cleanups, f) }

func (r *recorder) Error(args ...any) { r.fault(strings.TrimSuffix(fmt.Sprintln(args...), "\n")) }

func (r *recorder) Errorf(format string, args ...any) { r.fault(fmt.Sprintf(format, args...)) }

func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.faults) > 0
}

func (r *recorder) Helper() {}

func (r *recorder) Logf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.logs = append(r.logs, fmt.Sprintf(format, args...))
}

func (r *recorder) Skipf(format string, args ...any) {
	r.mu.Lock()
	r.skipped = fmt.Sprintf(format, args...)
	r.mu.Unlock()
	runtime.Goexit()
}

func (r *recorder) TempDir() string {
	dir, err := os.MkdirTemp("", "tasker-check-")
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (r *recorder) fault(text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = append(r.faults, text)
}
