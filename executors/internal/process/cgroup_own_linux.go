package process

import (
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// groupsFile is the file of a scratch folder that names the control groups of its owner, in which those of its processes are.
const groupsFile = "groups"

// newCgroup makes the group of version 2 in which a process is to begin, and opens it. Where none can be had, because nothing is
// mounted, it may only be read, as in most containers, or belongs to another user, both are empty.
func newCgroup(cookie uint64) (g cgroup, fd int) {
	parent := ownGroup()
	if parent == "" {
		return g, -1
	}
	folder := filepath.Join(parent, cgroupName(cookie))
	if unix.Mkdir(folder, 0o755) != nil {
		return g, -1
	}
	g.all = folder
	fd, err := unix.Open(folder, unix.O_DIRECTORY|unix.O_CLOEXEC|unix.O_RDONLY, 0)
	if err != nil {
		g.remove()
		return cgroup{}, -1
	}
	return g, fd
}

// ownGroup is the folder of this worker's own group of version 2, empty when there is none.
func ownGroup() string {
	own, _ := os.ReadFile("/proc/self/cgroup") // without it there is none
	for line := range strings.Lines(string(own)) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
			return groupFolder("", path)
		}
	}
	return ""
}

// ownGroups are the folders in which this worker makes groups.
func ownGroups() []string {
	groups := []string{ownGroup()}
	for controller, limit := range map[string]string{"memory": "memory.limit_in_bytes", "pids": "pids.max"} {
		if folder, _, err := controllerFolder(controller, limit, ""); err == nil {
			groups = append(groups, folder)
		}
	}
	return groups
}

// groupsOf are those of the killed worker to whom a scratch folder belonged.
func groupsOf(scratch string) []string {
	var groups []string
	text, _ := os.ReadFile(filepath.Join(scratch, groupsFile)) // a worker of before had none
	for line := range strings.Lines(string(text)) {
		if path := strings.TrimSpace(line); path == filepath.Clean(path) && strings.HasPrefix(path, cgroupRoot+"/") {
			groups = append(groups, path)
		}
	}
	return groups
}
