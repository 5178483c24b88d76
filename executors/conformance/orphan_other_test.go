//go:build !linux

package conformance

import "testing"

func diesWithTheWorker(t *testing.T, _ language) {
	t.Skip("only Linux kills a process when its parent dies; elsewhere the host sees the end of its input")
}
