package process

import (
	"os"
	"syscall"
)

// charge is what a guardian looks after, as it is told on its standard input.
type charge struct {
	// Cookie is that of the Starter.
	Cookie uint64 `json:"cookie"`
	// Worker is the process that the guardian outlives.
	Worker int `json:"worker"`
	// Group is the worker's process group, in which nothing is killed.
	Group int `json:"group"`
	// Scratch is the folder of the worker, which goes with it.
	Scratch string `json:"scratch"`
}

// RemoveAbandoned ends what a killed worker has left running, and removes its scratch folder. A folder that somebody holds
// locked, or that is another user's, stays. In the usual case the worker's guardian has done all of it.
func RemoveAbandoned(scratch string) {
	folder, err := os.OpenFile(scratch, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer folder.Close() // nothing was written
	if syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return
	}
	if owns(folder) {
		sweepAbandoned(scratch)
	}
	_ = os.RemoveAll(scratch) // what may not be touched is left
}

// owns says whether the folder belongs to the user of this process, so that what is in it can be believed.
func owns(folder *os.File) bool {
	info, err := folder.Stat()
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}
