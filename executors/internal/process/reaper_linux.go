package process

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// reapInterval is the time between two looks for zombies.
const reapInterval = time.Second

// reapOrphans collects the zombies among the orphans that the worker has adopted, as its subreaper or as process 1 of a
// container, until stop is closed. Children that other code of the worker started are in the worker's process group or are
// waited for at once, so a zombie in another group at two looks in a row has no other parent to wait for it.
func reapOrphans(stop <-chan struct{}) {
	ticker := time.NewTicker(reapInterval)
	defer ticker.Stop()
	seen := make(map[int]bool)
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		seen = reapSeen(seen)
	}
}

// reapSeen reaps the orphans that were zombies at the last look, and returns those that are new.
func reapSeen(before map[int]bool) map[int]bool {
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if err != nil || info.Signo == 0 {
		return nil // no child is a zombie, which is nearly always so
	}
	now := make(map[int]bool)
	for _, r := range processes() {
		_, ours := started.Load(r.pid)
		switch {
		case !r.zombie || r.parent != os.Getpid() || ours || r.group == unix.Getpgrp():
		case before[r.pid]:
			_, _ = unix.Wait4(r.pid, nil, unix.WNOHANG, nil)
		default:
			now[r.pid] = true
		}
	}
	return now
}
