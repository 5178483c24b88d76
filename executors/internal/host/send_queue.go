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

// sendQueue writes messages. Whatever is queued while a write is under way goes out with the next one, together.
type sendQueue struct {
	file *os.File
	// timeout bounds one write.
	timeout time.Duration
	// wake is written by senders and read by run; it holds one signal at most.
	wake chan struct{}
	// failed has room for the one error of a write outside run.
	failed chan error

	// mu protects the fields below.
	mu      sync.Mutex
	writing bool
	pending []byte
	spare   []byte
	queued  int64
	written int64
}

func newSendQueue(file *os.File, timeout time.Duration) *sendQueue {
	return &sendQueue{file: file, timeout: timeout, wake: make(chan struct{}, 1), failed: make(chan error, 1)}
}

// send queues the message that encode appends. It never waits.
func (o *sendQueue) send(encode func(dst []byte) []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, err := o.queue(encode)
	o.ring()
	return err
}

// sendNow is send for who waits for the answer anyway, and can write as well: that saves a switch to another goroutine. It
// must not be called by who reads the answers. It returns the position in the stream at which the message ends.
func (o *sendQueue) sendNow(encode func(dst []byte) []byte) (int64, error) {
	o.mu.Lock()
	position, err := o.queue(encode)
	if err != nil || o.writing {
		o.mu.Unlock()
		return position, err // who writes will look again
	}
	batch := o.take(nil)
	o.mu.Unlock()
	if err := o.write(batch); err != nil {
		select {
		case o.failed <- err:
		default: // there was one before
		}
		return position, nil // the process ends of it, and with it the call
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.keep(batch)
	o.writing = false
	if len(o.pending) > 0 {
		o.ring()
	}
	return position, nil
}

func (o *sendQueue) queue(encode func(dst []byte) []byte) (int64, error) {
	before := len(o.pending)
	o.pending = encode(o.pending)
	size := len(o.pending) - before
	if size > MessageBytesMax {
		o.pending = o.pending[:before]
		return 0, errTooLarge
	}
	o.queued += int64(size)
	return o.queued, nil
}

func (o *sendQueue) ring() {
	select {
	case o.wake <- struct{}{}:
	default: // run will look anyway
	}
}

// delivered says whether everything up to position has been written to the pipe.
func (o *sendQueue) delivered(position int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return position > 0 && o.written >= position
}

// run writes until stop is closed or a write fails.
func (o *sendQueue) run(stop <-chan struct{}) error {
	for {
		select {
		case <-stop:
			return nil
		case err := <-o.failed:
			return err
		case <-o.wake:
		}
		if err := o.flush(); err != nil {
			return err
		}
	}
}

func (o *sendQueue) flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.writing {
		return nil
	}
	for batch := o.take(nil); len(batch) > 0; batch = o.take(batch) {
		o.mu.Unlock()
		err := o.write(batch)
		o.mu.Lock()
		if err != nil {
			return err // and nothing is written after that
		}
	}
	o.writing = false
	return nil
}

func (o *sendQueue) write(batch []byte) error {
	if err := o.file.SetWriteDeadline(time.Now().Add(o.timeout)); err != nil {
		return err
	}
	n, err := o.file.Write(batch)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.written += int64(n)
	return err
}

// take returns the queue to be written by the caller, empty when there is none; done is the batch that has been written.
func (o *sendQueue) take(done []byte) []byte {
	o.keep(done)
	o.writing = true
	batch := o.pending
	o.pending, o.spare = o.spare, nil
	return batch
}

// keep keeps the memory of a batch for the next one.
func (o *sendQueue) keep(batch []byte) {
	if batch != nil && cap(batch) <= batchBytesKept {
		o.spare = batch[:0]
	}
}
