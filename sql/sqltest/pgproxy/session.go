package pgproxy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// session is one connection, from both sides.
type session struct {
	proxy       *Proxy
	front, back net.Conn
	// prepared is the text of each prepared statement by its name. Only statements uses it.
	prepared map[string]string
	// within are the statements of the transaction so far, in which nothing is committed yet. Only answers uses it.
	within []Statement
	// losing says that a fault ends the session, one side after the other.
	losing atomic.Bool

	// mu protects the fields below.
	mu sync.Mutex
	// cycles are what was sent and is not answered yet: each ends with a ReadyForQuery of the server.
	cycles []*cycle
}

// cycle is what the server answers with one ReadyForQuery.
type cycle struct {
	statements []Statement
	// answered is how many of the statements are over.
	answered int
	// open says that more statements may follow.
	open bool
}

// message is one message of the protocol, as it came.
type message struct {
	kind byte
	raw  []byte
}

func (m message) body() []byte { return m.raw[5:] }

var errCut = errors.New("cut")

// statements passes on what the worker sends.
func (s *session) statements() {
	defer s.end()
	s.prepared = make(map[string]string)
	if err := s.startup(); err != nil {
		return
	}
	for {
		m, err := readMessage(s.front)
		if err != nil {
			return
		}
		if err := s.note(m); err != nil {
			return
		}
		if err := s.forward(s.back, m.raw); err != nil {
			return
		}
	}
}

// startup passes on the first message, which has no kind. Neither side speaks TLS here.
func (s *session) startup() error {
	var length [4]byte
	if _, err := io.ReadFull(s.front, length[:]); err != nil {
		return err
	}
	raw := make([]byte, max(int(binary.BigEndian.Uint32(length[:])), len(length)))
	copy(raw, length[:])
	if _, err := io.ReadFull(s.front, raw[len(length):]); err != nil {
		return err
	}
	s.mu.Lock()
	s.cycles = append(s.cycles, &cycle{})
	s.mu.Unlock()
	return s.forward(s.back, raw)
}

// note remembers what a message executes, and returns errCut when it is to be lost.
func (s *session) note(m message) error {
	switch m.kind {
	case 'P': // Parse: name, text
		name, rest := text(m.body())
		s.prepared[name], _ = text(rest)
		s.add(nil)
	case 'B': // Bind: portal, name
		_, rest := text(m.body())
		name, _ := text(rest)
		return s.execute(s.prepared[name], true)
	case 'D', 'E', 'C': // Describe, Execute, Close: part of what Parse or Bind began
		s.add(nil)
	case 'Q': // Query
		query, _ := text(m.body())
		return s.execute(query, false)
	case 'S': // Sync
		s.add(nil)
		s.sealed()
	}
	return nil
}

// execute notes a statement, unless it is lost before the server has it.
func (s *session) execute(query string, more bool) error {
	statement := Statement{SQL: query}
	if fault, _ := s.proxy.current(); fault.Before != nil && fault.Before(statement) {
		s.lose(fault, statement, BeforeSend)
		return errCut
	}
	s.add(&statement)
	if !more {
		s.sealed()
	}
	return nil
}

// add notes a message, and the statement that it executes, if any, in the cycle that is open.
func (s *session) add(statement *Statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.cycles); n == 0 || !s.cycles[n-1].open {
		s.cycles = append(s.cycles, &cycle{open: true})
	}
	if statement != nil {
		last := s.cycles[len(s.cycles)-1]
		last.statements = append(last.statements, *statement)
	}
}

func (s *session) sealed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cycles[len(s.cycles)-1].open = false
}

// answers passes on what the server sends: each cycle as a whole, once it is known not to be lost.
func (s *session) answers() {
	defer s.end()
	var held bytes.Buffer
	for {
		m, err := readMessage(s.back)
		if err != nil {
			_ = s.forward(s.front, held.Bytes()) // the server's last words
			return
		}
		held.Write(m.raw)
		s.count(m)
		if m.kind == 'Z' && s.committed(m.body()[0]) { // ReadyForQuery: its body says whether a transaction is open
			return
		}
		if m.kind != 'Z' && s.waiting() && !strings.ContainsRune("GHWR", rune(m.kind)) { // COPY and authentication are dialogues
			continue
		}
		if err := s.forward(s.front, held.Bytes()); err != nil {
			return
		}
		held.Reset()
	}
}

// committed ends the oldest cycle. When that commits something, it says whether the answer was lost.
func (s *session) committed(transaction byte) (lost bool) {
	s.within = append(s.within, s.ready()...)
	if transaction != 'I' {
		return false
	}
	done := s.within
	s.within = nil
	return s.lost(done)
}

// count notes a row, or the end of a statement or of all that was done so far.
func (s *session) count(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cycles) == 0 {
		return
	}
	c := s.cycles[0]
	switch m.kind {
	case 'D': // DataRow
		if c.answered < len(c.statements) {
			c.statements[c.answered].Rows++
		}
	case 'C': // CommandComplete
		c.answered++
		tag, _ := text(m.body())
		if tag == "ROLLBACK" {
			c.statements, s.within = nil, nil
		}
	case 'E': // ErrorResponse: nothing of the cycle is committed
		c.statements, s.within = nil, nil
	}
}

// ready ends the oldest cycle and returns its statements.
func (s *session) ready() []Statement {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cycles) == 0 {
		return nil
	}
	done := s.cycles[0].statements
	s.cycles = slices.Delete(s.cycles, 0, 1)
	return done
}

// waiting says whether the worker waits for an answer.
func (s *session) waiting() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.cycles) > 0
}

// lost says whether the answer to one of the statements, which are committed, is lost.
func (s *session) lost(committed []Statement) bool {
	fault, _ := s.proxy.current()
	if fault.After == nil {
		return false
	}
	i := slices.IndexFunc(committed, fault.After)
	if i < 0 {
		return false
	}
	s.lose(fault, committed[i], AfterCommit)
	return true
}

// lose ends the session for the server, and then for the worker.
func (s *session) lose(fault Fault, statement Statement, when When) {
	s.losing.Store(true)
	_ = s.back.Close()
	if fault.Lost != nil {
		fault.Lost(statement, when)
	}
	_ = s.front.Close()
}

// forward writes to a connection, once data flows.
func (s *session) forward(to net.Conn, data []byte) error {
	_, flowing := s.proxy.current()
	<-flowing
	_, err := to.Write(data)
	return err
}

func (s *session) end() {
	if s.losing.Load() {
		return
	}
	_ = s.front.Close()
	_ = s.back.Close()
}

// readMessage reads one message with a kind.
func readMessage(from io.Reader) (message, error) {
	var head [5]byte
	if _, err := io.ReadFull(from, head[:]); err != nil {
		return message{}, err
	}
	length := int(binary.BigEndian.Uint32(head[1:])) - 4
	if length < 0 {
		return message{}, errors.New("malformed message")
	}
	raw := make([]byte, len(head)+length)
	copy(raw, head[:])
	_, err := io.ReadFull(from, raw[len(head):])
	return message{kind: raw[0], raw: raw}, err
}

// text reads a string up to its end of zero.
func text(data []byte) (first string, rest []byte) {
	before, after, _ := bytes.Cut(data, []byte{0})
	return string(before), after
}
