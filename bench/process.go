package bench

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// clockTick is the unit of processor time in /proc. It is 100 to the second on every Linux that Go runs on.
const clockTick = 10 * time.Millisecond

// process is the entry of a process in /proc.
type process struct {
	id, parent int
	command    string
	// own is its processor time, ended that of its children that have ended and were reaped.
	own, ended time.Duration
}

// processes returns all processes. Without /proc it returns none.
func processes() []process {
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well-formed
	all := make([]process, 0, len(files))
	for _, file := range files {
		if p, err := readProcess(file); err == nil {
			all = append(all, p)
		}
	}
	return all
}

// readProcess reads a file such as /proc/7/stat. The command, in brackets, may contain spaces and brackets.
func readProcess(file string) (process, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return process{}, err
	}
	from, to := bytes.IndexByte(data, '('), bytes.LastIndexByte(data, ')')
	if from < 1 || to < from {
		return process{}, fmt.Errorf("%s is not as expected", file)
	}
	id, err := strconv.Atoi(strings.TrimSpace(string(data[:from])))
	if err != nil {
		return process{}, err
	}
	// The fields after the command: state, parent, …; utime, stime, cutime and cstime are the 14th to 17th of the line.
	fields := strings.Fields(string(data[to+1:]))
	if len(fields) < 15 {
		return process{}, fmt.Errorf("%s is too short", file)
	}
	number := func(field string) int {
		n, _ := strconv.Atoi(field) // the kernel writes numbers
		return n
	}
	return process{
		id: id, parent: number(fields[1]), command: string(data[from+1 : to]),
		own:   time.Duration(number(fields[11])+number(fields[12])) * clockTick,
		ended: time.Duration(number(fields[13])+number(fields[14])) * clockTick,
	}, nil
}

// postmaster returns the id of the process that forked the backend of conn, or 0 if it runs on another machine.
func postmaster(ctx context.Context, conn *pgx.Conn) int {
	var backend int
	if conn.QueryRow(ctx, "SELECT pg_backend_pid()").Scan(&backend) != nil {
		return 0
	}
	p, err := readProcess(fmt.Sprintf("/proc/%d/stat", backend))
	if err != nil || !strings.HasPrefix(p.command, "postgres") {
		return 0
	}
	return p.parent
}

// processTreeTime sums the processor time of a process and its children, ended ones included.
func processTreeTime(all []process, id int) time.Duration {
	var sum time.Duration
	for _, p := range all {
		if p.id == id {
			sum += p.own + p.ended
		} else if p.parent == id {
			sum += p.own
		}
	}
	return sum
}

// handlerTime sums the processor time of the children of this process, except for the server.
func handlerTime(all []process, server int) time.Duration {
	self := os.Getpid()
	var sum time.Duration
	for _, p := range all {
		if p.parent == self && p.id != server {
			sum += p.own
		}
	}
	return sum
}

// ownTime is the processor time of this process: of the worker and of the loop that creates tasks.
func ownTime() time.Duration {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
