//go:build !linux

package conformance

func diesWithTheWorker(t T, _ language) {
	t.Skipf("only Linux kills a process when its parent dies; elsewhere the host sees the end of its input")
}
