package queue

import (
	"context"
	"sync"
	"time"
)

// batcher joins calls: those that arrive while one is under way wait for it to end, and go together into the next. A call
// that arrives alone goes at once, on its caller's own goroutine. It is safe for concurrent use.
type batcher[Q, A any] struct {
	// life bounds calls. They do not end with the context of the one who makes them for all.
	life context.Context //nolint:containedctx // it is the life of the worker, not of a call
	// send makes one call for all. Its answers are in the order of the questions.
	send func(ctx context.Context, questions []Q) ([]A, error)
	// splitOnError says whether an error is the fault of one question: then each is asked alone.
	splitOnError func(error) bool
	// max is the most questions in one call.
	max int
	// exclusive, unless it is nil, is written before a call and read after it: batchers that share it make one call at a time, and what
	// arrives while another makes its call goes together into the next.
	exclusive chan struct{}

	// mu protects the fields below.
	mu      sync.Mutex
	waiting []*call[Q, A]
	// inFlight says that somebody makes a call; crowd is for how many the last one was made.
	inFlight bool
	lastSize int
}

// call is one question and what comes of it. Its turn is true when its caller has to make the next call for all who
// wait, and false when the answer is there.
type call[Q, A any] struct {
	request Q
	result  A
	err     error
	lead    chan bool
}

// do asks one question.
func (b *batcher[Q, A]) do(question Q) (A, error) {
	own := &call[Q, A]{request: question, lead: make(chan bool, 1)}
	if b.enqueue(own) && !<-own.lead {
		return own.result, own.err
	}
	batch := b.sendBatch(b.life, own)
	b.promoteNext()
	for _, other := range batch[1:] {
		other.lead <- false
	}
	return own.result, own.err
}

// sendBatch makes a call for own and those that wait.
func (b *batcher[Q, A]) sendBatch(ctx context.Context, own *call[Q, A]) []*call[Q, A] {
	if b.exclusive != nil {
		b.exclusive <- struct{}{}
		defer func() { <-b.exclusive }()
	}
	batch := b.collect(own)
	b.execute(ctx, batch)
	return batch
}

// enqueue puts the call in line when another is under way.
func (b *batcher[Q, A]) enqueue(own *call[Q, A]) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.inFlight {
		b.waiting = append(b.waiting, own)
		return true
	}
	b.inFlight = true
	return false
}

// How long a call waits for company: callers that were answered together are back together, and would just miss it. A
// caller alone does not wait.
const (
	lingerPerCall = 10 * time.Microsecond
	lingerMax     = time.Millisecond
	// minLinger is worth a sleep: below, the caller's own time is worth more than a shared statement.
	minLinger = 150 * time.Microsecond
)

// collect returns own and those that wait, after the others of a crowd had time to come back.
func (b *batcher[Q, A]) collect(own *call[Q, A]) []*call[Q, A] {
	b.mu.Lock()
	linger := min(time.Duration(b.lastSize)*lingerPerCall, lingerMax)
	b.mu.Unlock()
	if linger >= minLinger {
		time.Sleep(linger)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	n := min(len(b.waiting), b.max-1)
	batch := append(make([]*call[Q, A], 0, n+1), own)
	batch = append(batch, b.waiting[:n]...)
	b.waiting = append(b.waiting[:0], b.waiting[n:]...)
	b.lastSize = len(batch)
	return batch
}

// promoteNext leaves the next call to the first who waits.
func (b *batcher[Q, A]) promoteNext() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.inFlight = false
		return
	}
	b.waiting[0].lead <- true
	b.waiting = append(b.waiting[:0], b.waiting[1:]...)
}

// execute asks for all, and for each alone when one of several spoils it for the others.
func (b *batcher[Q, A]) execute(ctx context.Context, batch []*call[Q, A]) {
	questions := make([]Q, len(batch))
	for i, c := range batch {
		questions[i] = c.request
	}
	answers, err := b.send(ctx, questions)
	if err != nil && len(batch) > 1 && b.splitOnError(err) {
		for _, c := range batch {
			b.execute(ctx, []*call[Q, A]{c})
		}
		return
	}
	for i, c := range batch {
		if c.err = err; err == nil {
			c.result = answers[i]
		}
	}
}
