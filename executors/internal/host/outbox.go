package host

import (
	"errors"
	"os"
	"sync"
	"time"
)

var errTooLarge = errors.New("message is larger than the protocol allows")

// batchBytesKept is the largest buffer that is kept for the next batch.
const batchBytesKept = 256 << 10

// outbox writes requests. Whatever is queued while a write is under way goes out with the next one, together.
type outbox struct {
	file *os.File
	// timeout bounds one write.
	timeout time.Duration
	// wake is written by send and read by run; it holds one signal at most.
	wake chan struct{}

	// mu protects the fields below.
	mu      sync.Mutex
	pending []byte
	spare   []byte
	queued  int64
	written int64
}

func newOutbox(file *os.File, timeout time.Duration) *outbox {
	return &outbox{file: file, timeout: timeout, wake: make(chan struct{}, 1)}
}

// send queues the message that encode appends, and returns the position in the stream at which it ends.
func (o *outbox) send(encode func(dst []byte) []byte) (int64, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	before := len(o.pending)
	o.pending = encode(o.pending)
	size := len(o.pending) - before
	if size > MessageBytesMax {
		o.pending = o.pending[:before]
		return 0, errTooLarge
	}
	o.queued += int64(size)
	select {
	case o.wake <- struct{}{}:
	default: // the writer will look anyway
	}
	return o.queued, nil
}

// delivered says whether everything up to position has been written to the pipe.
func (o *outbox) delivered(position int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return position > 0 && o.written >= position
}

// run writes until stop is closed or a write fails.
func (o *outbox) run(stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case <-o.wake:
		}
		if err := o.flush(); err != nil {
			return err
		}
	}
}

func (o *outbox) flush() error {
	for batch := o.take(nil); len(batch) > 0; batch = o.take(batch) {
		if err := o.file.SetWriteDeadline(time.Now().Add(o.timeout)); err != nil {
			return err
		}
		n, err := o.file.Write(batch)
		o.mu.Lock()
		o.written += int64(n)
		o.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// take returns the queue to be written, empty when there is none; done is the batch that has been written.
func (o *outbox) take(done []byte) []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if done != nil && cap(done) <= batchBytesKept {
		o.spare = done[:0]
	}
	if len(o.pending) == 0 {
		return nil
	}
	batch := o.pending
	o.pending, o.spare = o.spare, nil
	return batch
}
