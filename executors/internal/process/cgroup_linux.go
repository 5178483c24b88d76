package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cgroup is the folders of the control groups that hold one process and everything that it starts, by controller. The
// zero cgroup has none.
type cgroup struct {
	memory, pids string
	// all is the group of version 2 in which the process begins, so that it and all that it starts can be found and killed. It may
	// be one of the others.
	all string
}

const cgroupRoot = "/sys/fs/cgroup"

// cgroupName is the name of the group of a process, of which that of the Starter is the first part. Process ids would not do in its
// place: one process may have several Starters, an id is given again, and that of a worker in a container is often 1.
func cgroupName(cookie uint64) string {
	return fmt.Sprintf("%s%d", cgroupPrefix(cookie), cookie&^starterMask)
}

func cgroupPrefix(cookie uint64) string {
	return fmt.Sprintf("tasker-worker-%016x-", cookie&starterMask)
}

// limit makes control groups for the limits that need them, and moves the process into them.
func (g cgroup) limit(l Limits, cookie uint64, pid int) (_ cgroup, err error) {
	defer func() {
		if err != nil {
			g.remove()
		}
	}()
	limits := []struct {
		folder     *string
		controller string
		value      int64
		v1, v2     string
	}{
		{&g.memory, "memory", l.Memory, "memory.limit_in_bytes", "memory.max"},
		{&g.pids, "pids", l.Processes, "pids.max", "pids.max"},
	}
	for _, limit := range limits {
		if limit.value == 0 {
			continue
		}
		parent, file, err := controllerFolder(limit.controller, limit.v1, limit.v2)
		if err != nil {
			return g, err
		}
		*limit.folder = filepath.Join(parent, cgroupName(cookie))
		if err := os.Mkdir(*limit.folder, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return g, err
		}
		if err := writeControl(*limit.folder, file, limit.value); err != nil {
			return g, err
		}
		if err := writeControl(*limit.folder, "cgroup.procs", int64(pid)); err != nil {
			return g, err
		}
	}
	return g, nil
}

// controllerFolder is where groups with a controller can be made: this worker's own group in a hierarchy of version 1, and
// in version 2 a group whose subtree_control was prepared for that, as a service manager does when it delegates.
func controllerFolder(controller, v1, v2 string) (folder, file string, err error) {
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", "", err
	}
	for line := range strings.Lines(string(own)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) == 3 && fields[1] == controller {
			return groupFolder(controller, fields[2]), v1, nil
		}
		if len(fields) == 3 && fields[0] == "0" {
			path := groupFolder("", fields[2])
			if delegated, _ := os.ReadFile(filepath.Join(path, "cgroup.subtree_control")); bytes.Contains(delegated, []byte(controller)) {
				return path, v2, nil
			}
		}
	}
	return "", "", fmt.Errorf("no control group with the controller %s is at hand", controller)
}

// removeCgroups empties and removes the groups of a Starter that has ended, in the groups of its worker.
func removeCgroups(cookie uint64, parents []string) {
	for _, parent := range parents {
		found, _ := filepath.Glob(filepath.Join(parent, cgroupPrefix(cookie)+"*")) // the pattern is ours
		for _, folder := range found {
			g := cgroup{all: folder}
			g.kill()
			g.remove()
		}
	}
}

func writeControl(folder, file string, value int64) error {
	return os.WriteFile(filepath.Join(folder, file), strconv.AppendInt(nil, value, 10), 0)
}

// kill kills whatever is in the groups, however it hid from its parents.
func (g cgroup) kill() {
	for _, folder := range g.folders() {
		if os.WriteFile(filepath.Join(folder, "cgroup.kill"), []byte("1"), 0) == nil {
			continue
		}
		for range roundsMax {
			members, _ := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
			if !killMembers(strings.Fields(string(members)), folder) {
				break
			}
		}
	}
}

// killMembers says whether any of them still lived.
func killMembers(pids []string, folder string) bool {
	found := false
	for _, text := range pids {
		pid, err := strconv.Atoi(text)
		if r, ok := readRelative(pid); err != nil || !ok || r.zombie {
			continue
		}
		found = true
		killMember(pid, folder)
	}
	return found
}

func (g cgroup) folders() []string {
	var folders []string
	for _, folder := range []string{g.all, g.memory, g.pids} {
		if folder != "" && !slices.Contains(folders, folder) {
			folders = append(folders, folder)
		}
	}
	return folders
}

// outOfMemory says whether the kernel killed something in the group for its memory.
func (g cgroup) outOfMemory() bool {
	if g.memory == "" {
		return false
	}
	for _, file := range []string{"memory.events", "memory.oom_control"} {
		content, _ := os.ReadFile(filepath.Join(g.memory, file))
		for line := range strings.Lines(string(content)) {
			if count, ok := strings.CutPrefix(strings.TrimSpace(line), "oom_kill "); ok && count != "0" {
				return true
			}
		}
	}
	return false
}

// remove removes the groups, with those that were made in them. The kernel takes a moment to see that the last member has gone.
func (g cgroup) remove() {
	for _, folder := range g.folders() {
		for pause := 100 * time.Microsecond; !removeGroup(folder) && pause < 100*time.Millisecond; pause += pause / 2 {
			time.Sleep(pause)
		}
	}
}

// removeGroup removes one that has no members, the inner ones first, and says whether it is gone.
func removeGroup(folder string) bool {
	err := unix.Rmdir(folder)
	if err == nil || errors.Is(err, os.ErrNotExist) {
		return true
	}
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		if entry.IsDir() {
			removeGroup(filepath.Join(folder, entry.Name()))
		}
	}
	err = unix.Rmdir(folder)
	return err == nil || errors.Is(err, os.ErrNotExist)
}
