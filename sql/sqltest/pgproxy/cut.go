package pgproxy

import (
	"strings"
	"sync"
)

// When says which half of a statement is lost.
type When int

// The halves.
const (
	// BeforeSend loses the statement: the server never has it.
	BeforeSend When = iota
	// AfterCommit loses the answer: the server has done what was asked.
	AfterCommit
)

// String implements fmt.Stringer.
func (w When) String() string {
	if w == BeforeSend {
		return "before it was sent"
	}
	return "after its commit"
}

// Contains matches statements with the text in them.
func Contains(text string) func(string) bool {
	return func(query string) bool { return strings.Contains(query, text) }
}

// Cut loses a connection once.
type Cut struct {
	// Match picks statements by their text.
	Match func(query string) bool
	When  When
	// Rows lets answers without a row pass: they tell nobody anything. It matters AfterCommit.
	Rows bool
	// Skip is how many statements that match pass first.
	Skip int
	// Then is called between the end that the server sees and the end that the worker sees. It may be nil.
	Then func()
}

// Cutting is a cut that is to come, or was made.
type Cutting struct {
	cut  Cut
	made chan struct{}

	// mu protects the fields below.
	mu   sync.Mutex
	seen int
	done bool
}

// Cut arms the proxy, in place of any other fault.
func (p *Proxy) Cut(c Cut) *Cutting {
	cutting := &Cutting{cut: c, made: make(chan struct{})}
	if c.When == BeforeSend {
		p.Lose(Fault{Before: cutting.decide, Lost: cutting.lost})
	} else {
		p.Lose(Fault{After: cutting.decide, Lost: cutting.lost})
	}
	return cutting
}

// Made is closed once the connection was lost.
func (c *Cutting) Made() <-chan struct{} { return c.made }

// decide picks the one statement. Others may run beside it.
func (c *Cutting) decide(s Statement) bool {
	if !c.cut.Match(s.SQL) || c.cut.When == AfterCommit && c.cut.Rows && s.Rows == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done {
		return false
	}
	c.seen++
	c.done = c.seen > c.cut.Skip
	return c.done
}

func (c *Cutting) lost(Statement, When) {
	if c.cut.Then != nil {
		c.cut.Then()
	}
	close(c.made)
}
