package queue

import (
	"context"
	"sync"
	"time"
)

// batcher sends concurrent requests in batches. Requests that arrive while a batch is in flight wait for its end and
// form the next batch. A request that arrives alone is sent immediately, on its caller's own goroutine. It is safe for
// concurrent use.
type batcher[Req, Res any] struct {
	// life bounds the batches. A batch does not end with the context of its leader, because it has other callers too.
	life context.Context //nolint:containedctx // it is the life of the worker, not of a call
	// send executes one batch. Its results are in the order of the requests.
	send func(ctx context.Context, requests []Req) ([]Res, error)
	// splitOnError reports whether one request can have caused the error. Then each request is sent separately.
	splitOnError func(error) bool
	// max is the largest number of requests in a batch.
	max int
	// exclusive, unless it is nil, is held during a batch. Batchers that share it send one batch at a time.
	exclusive *sync.Mutex

	// mu protects the fields below.
	mu      sync.Mutex
	waiting []*call[Req, Res]
	// inFlight is true while a leader sends a batch. lastSize is the size of the last batch.
	inFlight bool
	lastSize int
}

// call is one request and its result. lead receives true if the caller leads the next batch, and false once the result
// is there.
type call[Req, Res any] struct {
	request Req
	result  Res
	err     error
	lead    chan bool
}

// do sends one request and returns its result.
func (b *batcher[Req, Res]) do(request Req) (Res, error) {
	own := &call[Req, Res]{request: request, lead: make(chan bool, 1)}
	if b.enqueue(own) && !<-own.lead {
		return own.result, own.err
	}
	batch := b.sendBatch(b.life, own)
	b.promoteNext()
	for _, follower := range batch[1:] {
		follower.lead <- false
	}
	return own.result, own.err
}

// sendBatch sends own together with the waiting calls.
func (b *batcher[Req, Res]) sendBatch(ctx context.Context, own *call[Req, Res]) []*call[Req, Res] {
	if b.exclusive != nil {
		b.exclusive.Lock()
		defer b.exclusive.Unlock()
	}
	batch := b.collect(own)
	b.execute(ctx, batch)
	return batch
}

// enqueue adds the call to the waiting ones if a batch is in flight, and reports whether it did.
func (b *batcher[Req, Res]) enqueue(own *call[Req, Res]) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inFlight {
		b.waiting = append(b.waiting, own)
		return true
	}
	b.inFlight = true
	return false
}

// The leader waits up to lingerMax for more calls. Callers of one batch tend to call again at the same time. After a
// batch of one the leader does not wait.
const (
	lingerPerCall = 10 * time.Microsecond
	lingerMax     = time.Millisecond
	// minLinger is the shortest wait: a shorter one would cost the leader more than a shared statement saves.
	minLinger = 150 * time.Microsecond
)

// collect lingers and then returns a batch of own and the waiting calls.
func (b *batcher[Req, Res]) collect(own *call[Req, Res]) []*call[Req, Res] {
	b.mu.Lock()
	linger := min(time.Duration(b.lastSize)*lingerPerCall, lingerMax)
	b.mu.Unlock()
	if linger >= minLinger {
		time.Sleep(linger)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.waiting), b.max-1)
	batch := append(make([]*call[Req, Res], 0, n+1), own)
	batch = append(batch, b.waiting[:n]...)
	b.waiting = append(b.waiting[:0], b.waiting[n:]...)
	b.lastSize = len(batch)
	return batch
}

// promoteNext makes the first waiting caller the leader of the next batch.
func (b *batcher[Req, Res]) promoteNext() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.inFlight = false
		return
	}
	b.waiting[0].lead <- true
	b.waiting = append(b.waiting[:0], b.waiting[1:]...)
}

// execute sends the batch. If one request makes the statement fail, execute sends each request separately.
func (b *batcher[Req, Res]) execute(ctx context.Context, batch []*call[Req, Res]) {
	requests := make([]Req, len(batch))
	for i, c := range batch {
		requests[i] = c.request
	}
	results, err := b.send(ctx, requests)
	if err != nil && len(batch) > 1 && b.splitOnError(err) {
		for _, c := range batch {
			b.execute(ctx, []*call[Req, Res]{c})
		}
		return
	}
	for i, c := range batch {
		if c.err = err; err == nil {
			c.result = results[i]
		}
	}
}
