package process

import "runtime"

// onOwnThread runs f on a thread that nothing else runs on, and ends the thread with it: whatever f did to the thread is
// gone then. The main thread cannot be ended, so it is left alone.
func onOwnThread(f func()) {
	runtime.LockOSThread() // never unlocked, but for the main thread: the runtime ends the thread together with the goroutine
	if !onMainThread() {
		f()
		return
	}
	locked, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // another thread than the main one, which is taken
		close(locked)
		f()
	}()
	<-locked
	runtime.UnlockOSThread()
	<-done
}
