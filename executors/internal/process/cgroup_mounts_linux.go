package process

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// groupFolder is the folder of a control group that /proc/self/cgroup names, for a controller of version 1 or, when that
// is empty, in version 2.
func groupFolder(controller, group string) string {
	mounts, _ := os.ReadFile("/proc/self/mountinfo") // without it, the usual place
	return folderIn(string(mounts), controller, group)
}

// folderIn looks up where the hierarchy is mounted. The path of a group counts from the top of the hierarchy, and a
// container without a namespace for control groups has no more of it mounted than its own group.
func folderIn(mountinfo, controller, group string) string {
	for line := range strings.Lines(mountinfo) {
		mount, filesystem, found := strings.Cut(strings.TrimSpace(line), " - ")
		of, how := strings.Fields(mount), strings.Fields(filesystem)
		if !found || len(of) < 5 || len(how) < 3 || !isHierarchy(controller, how) {
			continue
		}
		top, at := of[3], of[4]
		if below, err := filepath.Rel(top, group); err == nil && !strings.HasPrefix(below, "..") {
			return filepath.Join(at, below)
		}
		return filepath.Join(at, group)
	}
	return filepath.Join(cgroupRoot, controller, group)
}

// isHierarchy reads type, source and options of a mounted file system.
func isHierarchy(controller string, how []string) bool {
	if controller == "" {
		return how[0] == "cgroup2"
	}
	return how[0] == "cgroup" && slices.Contains(strings.Split(how[2], ","), controller)
}
