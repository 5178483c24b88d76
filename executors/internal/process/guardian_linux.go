package process

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/tasker-systems/tasker-worker/internal/ownfolder"
)

const (
	// guardianName is the only argument of a program that is to be a guardian, and what ps shows. A broad kill by the name of
	// the worker's program does not meet it.
	guardianName = "tasker-guardian"
	// sweepTime bounds the hunt for what the worker has left behind.
	sweepTime = 2 * time.Second
	// guardianPause is the time between two starts of a guardian that does not live long.
	guardianPause = time.Second
	// guardianPatience is how long a guardian that is no longer needed has to end.
	guardianPatience = 5 * time.Second
)

// Every program that links this package can be a guardian: the worker, and the tests. It is one before anything else of the
// program has begun, so that it opens nothing and knows no secret.
func init() { //nolint:gochecknoinits // nothing but the start of the program comes early enough
	if len(os.Args) != 1 || os.Args[0] != guardianName {
		return
	}
	_ = os.WriteFile("/proc/self/comm", []byte(guardianName), 0) // for ps; by exec it is the name of a link
	signal.Ignore(unix.SIGHUP, unix.SIGINT, unix.SIGTERM, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2, unix.SIGPIPE)
	guard(os.Stdin)
	syscall.Exit(0)
}

// guard waits for the end of the worker, which is that of the pipe, and then ends all that the worker has started.
func guard(in io.Reader) {
	lines := bufio.NewReader(in)
	line, err := lines.ReadBytes('\n')
	var c charge
	if err != nil || json.Unmarshal(line, &c) != nil || c.Cookie&cookieFlag == 0 {
		return
	}
	_, _ = io.Copy(io.Discard, lines) // ends with the worker
	removeCgroups(c.Cookie, ownGroups())
	c.sweep()
	ownfolder.RemoveAbandoned(c.Scratch, SweepAbandoned)
}

// sweep kills until nothing is found, twice: what starts others while it is looked for shows at the second look.
func (c *charge) sweep() {
	deadline := time.Now().Add(sweepTime)
	for quiet := 0; quiet < 2 && time.Now().Before(deadline); {
		quiet++
		for _, r := range processes() {
			if !r.zombie && c.covers(r) {
				c.kill(r.pid)
				quiet = 0
			}
		}
		if quiet == 0 {
			time.Sleep(time.Millisecond) // the killed take a moment to go
		}
	}
}

// covers says whether the worker started the process, however long ago and however many others in between.
func (c *charge) covers(r relative) bool {
	if r.pid == os.Getpid() || r.session == c.Session {
		return false
	}
	return cookieOf(r.pid)&starterMask == c.Cookie || c.Scratch != "" && hasMark(r.pid, func(pair string) bool {
		return strings.HasPrefix(pair, "TASKER_SCRATCH_DIR="+c.Scratch+"/")
	})
}

// kill kills pid if it is still what was found, and not another process that got its id.
func (c *charge) kill(pid int) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if r, ok := readRelative(pid); ok && !r.zombie && c.covers(r) {
		_ = unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0)
	}
}

// SweepAbandoned ends what is left of a killed worker whose scratch folder this is. In the usual case its guardian has done that.
func SweepAbandoned(scratch string) {
	text, err := os.ReadFile(filepath.Join(scratch, cookieFile))
	if err != nil {
		return
	}
	cookie, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err == nil && cookie&cookieFlag != 0 && cookie&^starterMask == 0 {
		c := charge{Cookie: cookie, Session: ownSession(), Scratch: scratch}
		removeCgroups(cookie, append(ownGroups(), groupsOf(scratch)...))
		c.sweep()
	}
}

// Guardian is a process that outlives this one for long enough to end all that a Starter has started. It holds nothing but
// the end of a pipe, has an empty environment and a session of its own.
type Guardian struct {
	charge charge
	log    *slog.Logger
	// closing is closed by Close.
	closing chan struct{}
	keeping sync.WaitGroup
}

// watchman is one process that is the guardian; alive ends it when it is closed.
type watchman struct {
	cmd   *exec.Cmd
	alive *os.File
}

// Guard starts a guardian for all that s starts, which removes the scratch folder too. When it cannot be started, or is killed,
// the log says so, and another one is tried. Its owner calls Close after that of the Starter.
func (s *Starter) Guard(scratch string, log *slog.Logger) *Guardian {
	g := &Guardian{
		charge:  charge{Cookie: s.cookie, Session: ownSession(), Scratch: scratch},
		closing: make(chan struct{}), log: log,
	}
	err := errors.Join(
		os.WriteFile(filepath.Join(scratch, groupsFile), []byte(strings.Join(ownGroups(), "\n")), 0o600),
		os.WriteFile(filepath.Join(scratch, cookieFile), strconv.AppendUint(nil, s.cookie, 10), 0o600),
	)
	if err != nil {
		log.Warn("the next start will not find what this worker leaves running", "error", err)
	}
	first, err := g.start()
	g.keeping.Go(func() { g.keep(first, err) })
	return g
}

// Close ends the guardian, which first ends whatever is still there.
func (g *Guardian) Close() {
	close(g.closing)
	g.keeping.Wait()
}

// keep has a guardian at every time until Close.
func (g *Guardian) keep(w *watchman, err error) {
	for {
		began := time.Now()
		if err == nil && g.await(w) {
			return
		}
		if err != nil {
			g.log.Warn("no guardian could be started: what handlers start may outlive this worker if it is killed", "error", err)
		} else {
			g.log.Warn("the guardian of the handler processes was ended, another one is started", "pid", w.cmd.Process.Pid,
				"reason", w.cmd.ProcessState.String())
		}
		if time.Since(began) < guardianPause {
			select {
			case <-g.closing:
				return
			case <-time.After(guardianPause):
			}
		}
		w, err = g.start()
	}
}

// await waits for the end of a guardian, and says whether that was Close's.
func (g *Guardian) await(w *watchman) (closed bool) {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = w.cmd.Wait() // the state says how it ended
		started.Delete(w.cmd.Process.Pid)
	}()
	defer w.alive.Close() // nothing is lost: what was written has been read, or its reader is gone
	select {
	case <-ended:
		return false
	case <-g.closing:
	}
	_ = w.alive.Close()
	select {
	case <-ended:
	case <-time.After(guardianPatience):
		_ = w.cmd.Process.Kill()
		<-ended
	}
	return true
}

func (g *Guardian) start() (*watchman, error) {
	in, alive, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer in.Close()                  // the guardian has its own
	line, _ := json.Marshal(g.charge) // numbers and text
	if _, err = alive.Write(append(line, '\n')); err != nil {
		_ = alive.Close()
		return nil, err
	}
	cmd := &exec.Cmd{
		Args: []string{guardianName}, Dir: "/", Path: "/proc/self/exe", Stdin: in,
		Env:         []string{"GOMAXPROCS=1"}, // nothing of the worker's
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if err = branded(0, cmd.Start); err != nil {
		_ = alive.Close()
		return nil, err
	}
	started.Store(cmd.Process.Pid, nil)
	return &watchman{cmd: cmd, alive: alive}, nil
}
