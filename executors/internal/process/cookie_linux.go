package process

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// A cookie is a number by which a process and all that it starts are known. It is the soft limit of the time that a real-time
// process may compute without a pause, in microseconds, some ten thousand years: it limits nothing, every child inherits it
// through fork, exec, setsid and an environment that is emptied, nothing sets it by accident, and every process may read that
// of any other. The upper bits are those of the Starter, the lower ones count what it starts.
const (
	cookieFlag  = 1 << 62
	countBits   = 24
	starterMask = ^uint64(1<<countBits - 1)
)

// newCookie is a cookie for a Starter, whose count is 0.
func newCookie() uint64 {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return cookieFlag | binary.LittleEndian.Uint64(b[:])>>2&starterMask
}

// cookieFor is the cookie of the n-th process that a Starter starts.
func cookieFor(starter, n uint64) uint64 { return starter | n&^starterMask }

// branding is held while a process is started, so that it inherits the cookie that is meant for it.
var branding sync.Mutex

// branded calls start, which starts a process that is to carry the cookie. Where the limit is in use otherwise, it carries none;
// with 0 it does not carry that of the worker itself either. What other code of the worker starts at the same moment carries it by
// accident: that is in the worker's session, where nobody looks for cookies.
func branded(cookie uint64, start func() error) error {
	branding.Lock()
	defer branding.Unlock()
	return brandedLocked(cookie, start)
}

// brandedLocked is called with branding held.
func brandedLocked(cookie uint64, start func() error) error {
	var own unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_RTTIME, &own) != nil || cookie > own.Max {
		return start()
	}
	if cookie == 0 {
		if own.Cur&cookieFlag == 0 || own.Cur > own.Max {
			return start()
		}
		cookie = own.Max
	}
	if unix.Setrlimit(unix.RLIMIT_RTTIME, &unix.Rlimit{Cur: cookie, Max: own.Max}) == nil {
		defer func() { _ = unix.Setrlimit(unix.RLIMIT_RTTIME, &own) }() // cannot fail: the hard limit has stayed
	}
	return start()
}

// cookieOf is the cookie that a process carries, 0 for none.
func cookieOf(pid int) uint64 {
	limits, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/limits")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(limits), "Max realtime timeout")
	line, _, _ := strings.Cut(rest, "\n")
	fields := strings.Fields(line)
	if len(fields) == 0 {
		return 0
	}
	cookie, err := strconv.ParseUint(fields[0], 10, 64)
	if err != nil || cookie&cookieFlag == 0 {
		return 0
	}
	return cookie
}

// sign is how the processes of a tree are known when they have left their parents and their group: by a cookie, or by an entry
// of their environment where there is none.
type sign struct {
	cookie uint64
	mark   string
}

func (s sign) carriedBy(pid int) bool {
	return s.cookie != 0 && cookieOf(pid) == s.cookie || hasMark(pid, func(pair string) bool { return pair == s.mark })
}

func hasMark(pid int, is func(pair string) bool) bool {
	environ, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/environ")
	return err == nil && slices.ContainsFunc(bytes.Split(environ, []byte{0}), func(pair []byte) bool {
		return len(pair) > 0 && is(string(pair))
	})
}
