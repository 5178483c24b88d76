package process

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// cookieFile is the file of a scratch folder that holds the cookie of its owner.
const cookieFile = "cookie"

// charge is what a guardian looks after, as it is told on its standard input.
type charge struct {
	// Cookie is that of the Starter.
	Cookie uint64 `json:"cookie"`
	// Group is the worker's process group, in which nothing is killed.
	Group int `json:"group"`
	// Scratch is the folder of the worker, which goes with it.
	Scratch string `json:"scratch"`
}

// scratchSigns are what a scratch folder has from its first moments on, one of them at least.
var scratchSigns = []string{cookieFile, "hosts"}

// RemoveAbandoned ends what a killed worker has left running, and removes its scratch folder. A folder that somebody holds
// locked, that is another user's or that does not look like one of a worker stays. In the usual case the worker's guardian has done
// all of it.
func RemoveAbandoned(scratch string) {
	folder, err := os.OpenFile(scratch, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return
	}
	defer folder.Close() // nothing was written
	if syscall.Flock(int(folder.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		return
	}
	switch {
	case !owns(folder):
	case !slices.ContainsFunc(scratchSigns, func(name string) bool { return exists(filepath.Join(scratch, name)) }):
		_ = os.Remove(scratch) // which only an empty one lets happen: its worker was killed in the first moment
	default:
		sweepAbandoned(scratch)
		_ = os.RemoveAll(scratch) // what may not be touched is left
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
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
