package process

import (
	"io"
	"os"
	"sync"
	"syscall"
)

// Output is the pipe of what a process prints. It knows how much has been printed, also what was not read yet.
type Output struct {
	*os.File

	conn syscall.RawConn

	// mu keeps what is read and what is counted together.
	mu   sync.Mutex
	read int64
}

func newOutput(f *os.File) *Output {
	conn, _ := f.SyscallConn() // fails only for a nil file
	return &Output{File: f, conn: conn}
}

// Read implements io.Reader.
func (o *Output) Read(buffer []byte) (n int, err error) {
	var failed error
	err = o.conn.Read(func(fd uintptr) bool {
		o.mu.Lock()
		defer o.mu.Unlock()
		for {
			n, failed = syscall.Read(int(fd), buffer)
			if failed != syscall.EINTR {
				break
			}
		}
		o.read += int64(max(n, 0))
		return failed != syscall.EAGAIN
	})
	switch {
	case err != nil:
		return 0, err
	case failed != nil:
		return 0, os.NewSyscallError("read", failed)
	case n == 0:
		return 0, io.EOF
	default:
		return n, nil
	}
}

// Printed is how much the process has printed so far.
func (o *Output) Printed() int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	printed := o.read
	_ = o.conn.Control(func(fd uintptr) { printed += unread(int(fd)) }) // fails only when the pipe is closed
	return printed
}
