package conformance

import (
	"runtime"
	"syscall"
)

// diesWithTheWorker ends the thread that started the host, which to the kernel is the death of the worker; the pipes
// stay open.
func diesWithTheWorker(t T, lang language) {
	release, started := make(chan struct{}), make(chan *peer, 1)
	onMortalThread(func() {
		defer close(started)
		started <- startBusyOrphan(t, lang)
		<-release
	})
	p, ok := <-started
	if !ok {
		return // the check has failed or is skipped
	}
	close(release)
	p.exit()
}

// onMortalThread runs f on a thread that ends with it. The program's first thread never ends.
func onMortalThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if syscall.Gettid() == syscall.Getpid() {
			defer runtime.UnlockOSThread()
			chosen := make(chan struct{})
			go func() {
				runtime.LockOSThread() // and never unlocked
				close(chosen)
				f()
			}()
			<-chosen
			return
		}
		f()
	}()
}

func startBusyOrphan(t T, lang language) *peer {
	t.Helper()
	cmd := lang.command(t)
	inRead, inWrite := pipe(t)
	outRead, outWrite := pipe(t)
	cmd.ExtraFiles = append(cmd.ExtraFiles, inRead, outWrite)
	cmd.Env = environ("TASKER_RPC_IN_FD=3", "TASKER_RPC_OUT_FD=4")
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p := startPeer(t, lang, cmd, inWrite, outRead)
	closeAll(t, inRead, outWrite)
	p.initialize(initialization(lang.root(t), nil))
	g := newGate(t)
	p.begin("Busy", object{}, object{"path": g.path, "ms": 600_000})
	g.mustRead()
	return p
}
