package executors

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tasker-systems/tasker-worker/executors/internal/process"
)

// Limits bound what one handler process may use; zero is no limit.
type Limits struct {
	// AddressSpace is in bytes. Node does not work with less than some gigabytes of it.
	AddressSpace int64
	// Memory, in bytes, and Processes bound a handler process together with everything that it starts. They need a control
	// group in which the worker may make groups of its own: without one no handler process starts.
	Memory, Processes int64
	// OpenFiles is the number of open files.
	OpenFiles int64
}

func (l Limits) command() process.Limits {
	return process.Limits{AddressSpace: l.AddressSpace, Memory: l.Memory, OpenFiles: l.OpenFiles, Processes: l.Processes}
}

// findUser returns the user that handler processes run as, nil for the worker's own.
func findUser(name string) (*process.User, error) {
	if name == "" {
		return nil, nil
	}
	found, err := user.Lookup(name)
	if err != nil {
		if found, err = user.LookupId(name); err != nil {
			return nil, fmt.Errorf("User is %q, which is neither the name nor the number of a user of this system", name)
		}
	}
	uid, uidErr := strconv.ParseUint(found.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(found.Gid, 10, 32)
	switch {
	case uidErr != nil || gidErr != nil:
		return nil, fmt.Errorf("User is %q, which has the odd number %s:%s", name, found.Uid, found.Gid)
	case os.Geteuid() != 0 && int(uid) != os.Geteuid():
		return nil, fmt.Errorf("User is %q: only a worker that runs as root can start processes of another user", name)
	}
	return &process.User{GID: uint32(gid), Home: found.HomeDir, UID: uint32(uid)}, nil
}

// environOf is the worker's environment with the home of the user that the handler processes run as: in the worker's own they may
// not even look.
func environOf(u *process.User) []string {
	own := os.Environ()
	if u == nil || int(u.UID) == os.Geteuid() {
		return own
	}
	own = slices.DeleteFunc(own, func(pair string) bool { return strings.HasPrefix(pair, "HOME=") })
	return append(own, "HOME="+u.Home)
}

// giveTo makes the user the owner of a folder that only the owner may enter.
func giveTo(u *process.User, folder string) error {
	if u == nil {
		return nil
	}
	return os.Chown(folder, int(u.UID), int(u.GID))
}

// openHosts lets another user run the embedded hosts: it may pass through the scratch folder, in which everything else is
// closed, and read the hosts.
func openHosts(u users, scratch, hosts string) error {
	if !u.anyOther() {
		return nil
	}
	if err := os.Chmod(scratch, 0o711); err != nil {
		return err
	}
	return filepath.WalkDir(hosts, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			return os.Chmod(path, 0o755) //nolint:gosec // our own programs are no secret
		}
		return os.Chmod(path, 0o644) //nolint:gosec // our own programs are no secret
	})
}
