package process

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// roundsMax bounds the hunt for a tree that starts processes while it is being killed.
const roundsMax = 20

// relative is a process as /proc shows it.
type relative struct {
	pid, parent, group, session int
	zombie                      bool
}

// killTree kills what the process has left behind outside of its group: the descendants of root, and those descendants of
// this worker that carry the sign. Orphans become children of the worker, which is a subreaper, so nothing else needs to be
// looked at and no process of another program can be met. It is called while root is a zombie at most, so that the ids hold.
func killTree(root int, s sign) {
	for range roundsMax {
		found := leftovers(root, s)
		for _, pid := range found {
			killStill(pid, root, s)
		}
		if len(found) == 0 {
			return
		}
	}
}

// leftovers are the living processes of the tree of root, without root itself.
func leftovers(root int, s sign) []int {
	children := make(map[int][]relative)
	for _, r := range processes() {
		children[r.parent] = append(children[r.parent], r)
	}
	var found []int
	session := ownSession() // where what other code of the worker has started may carry a sign by accident
	var walk func(pid int, ours bool)
	walk = func(pid int, ours bool) {
		for _, child := range children[pid] {
			ours := ours || pid == root || child.pid != root && child.session != session && s.carriedBy(child.pid)
			if ours && !child.zombie {
				found = append(found, child.pid)
			}
			walk(child.pid, ours)
		}
	}
	walk(os.Getpid(), false)
	return found
}

// killStill kills pid if it is still what was found, and not another process that got its id.
func killStill(pid, root int, s sign) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if slices.Contains(leftovers(root, s), pid) {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 1000)
	_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil) // ours to reap if it was an orphan
}

// ownSession is the session of this process, 0 when its leader is outside of the container.
func ownSession() int {
	session, _ := unix.Getsid(0) // cannot fail for the caller itself
	return session
}

// processes are all that /proc shows.
func processes() []relative {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer folder.Close()
	names, _ := folder.Readdirnames(-1)
	var all []relative
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			if r, ok := readRelative(pid); ok {
				all = append(all, r)
			}
		}
	}
	return all
}

func readRelative(pid int) (relative, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return relative{}, false
	}
	_, rest, _ := strings.Cut(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " ") // the name in brackets may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 4 {
		return relative{}, false
	}
	parent, err := strconv.Atoi(fields[1])
	group, groupErr := strconv.Atoi(fields[2])
	session, sessionErr := strconv.Atoi(fields[3])
	return relative{
		pid: pid, parent: parent, group: group, session: session, zombie: fields[0] == "Z" || fields[0] == "X",
	}, errors.Join(err, groupErr, sessionErr) == nil
}

// killMember kills pid if it is still in the control group.
func killMember(pid int, folder string) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	members, _ := os.ReadFile(folder + "/cgroup.procs")
	if !slices.Contains(strings.Fields(string(members)), strconv.Itoa(pid)) {
		return
	}
	_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 1000)
	_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
}
