package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// cgroup is the folders of the control groups that hold one process and everything that it starts, by controller. The
// zero cgroup has none.
type cgroup struct{ memory, pids string }

const cgroupRoot = "/sys/fs/cgroup"

// cgroupName is the name of the group of a process, of which that of the Starter is the first part. Process ids would not do in its
// place: one process may have several Starters, an id is given again, and that of a worker in a container is often 1.
func cgroupName(cookie uint64, pid string) string {
	return fmt.Sprintf("tasker-worker-%016x-%s", cookie&starterMask, pid)
}

// newCgroup makes control groups for the limits that need them, and moves the process into them.
func newCgroup(l Limits, cookie uint64, pid int) (g cgroup, err error) {
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
		*limit.folder = filepath.Join(parent, cgroupName(cookie, strconv.Itoa(pid)))
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

// removeCgroups empties and removes the groups of a Starter that has ended.
func removeCgroups(cookie uint64) {
	for controller, limit := range map[string]string{"memory": "memory.limit_in_bytes", "pids": "pids.max"} {
		parent, _, err := controllerFolder(controller, limit, "")
		if err != nil {
			continue
		}
		found, _ := filepath.Glob(filepath.Join(parent, cgroupName(cookie, "*"))) // the pattern is ours
		for _, folder := range found {
			g := cgroup{memory: folder}
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
	for _, folder := range []string{g.memory, g.pids} {
		if folder != "" {
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

// remove removes the groups. The kernel takes a moment to see that the last member has gone.
func (g cgroup) remove() {
	for _, folder := range g.folders() {
		for range roundsMax {
			if err := os.Remove(folder); err == nil || errors.Is(err, os.ErrNotExist) {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
}
