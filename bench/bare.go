package bench

import (
	"bufio"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

// bareLoops are programs that read a line, parse it and write the payload back. They measure the cost of a call without
// a protocol, a worker or a handler.
//
//go:embed bare
var bareLoops embed.FS

// bareCommand has the command and the file of each language's loop.
var bareCommand = map[Language][2]string{
	Python: {"python3", "echo.py"}, Ruby: {"ruby", "echo.rb"}, Node: {"node", "echo.js"},
}

// runBare measures calls of the bare loop.
func runBare(ctx context.Context, b *rig, r *Result) error {
	return withLoop(ctx, b.contender.Handlers, func(loop *bareLoop) error {
		params := payload(b.workload.Payload)
		return b.calls(ctx, r, func(_ context.Context, id int64) error {
			_, err := loop.call(id, "echo", params)
			return err
		})
	})
}

// runNative measures the work of the handler in a loop of its own language, without any call.
func runNative(ctx context.Context, b *rig, r *Result) error {
	return withLoop(ctx, b.contender.Handlers, func(loop *bareLoop) error {
		began := time.Now()
		answer, err := loop.call(1, "pause", json.RawMessage(strconv.Itoa(b.workload.Tasks)))
		if err != nil {
			return err
		}
		var took []float64
		if err := json.Unmarshal(answer, &took); err != nil {
			return fmt.Errorf("the bare loop answered %.100s: %w", answer, err)
		}
		latencies := make([]time.Duration, len(took))
		for i, ms := range took {
			latencies[i] = time.Duration(ms * float64(time.Millisecond))
		}
		r.fill(
			Measurement{Tasks: len(took), Steps: len(took), Usage: Usage{At: time.Since(began)}, Latencies: latencies},
		)
		return nil
	})
}

// bareLoop is a running process of one of the bareLoops.
type bareLoop struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	ended   chan struct{}
	writing sync.Mutex
	mu      sync.Mutex
	waiting map[string]chan json.RawMessage // nil when the loop has ended
}

// withLoop starts the loop of the language, runs work and stops the loop. The end of the context kills the loop.
func withLoop(ctx context.Context, language Language, work func(*bareLoop) error) (err error) {
	dir, err := os.MkdirTemp("", "tasker-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	command := bareCommand[language]
	program, err := bareLoops.ReadFile("bare/" + command[1])
	if err != nil {
		return err
	}
	file := filepath.Join(dir, command[1])
	if err := os.WriteFile(file, program, 0o600); err != nil {
		return err
	}
	loop, err := startLoop(exec.CommandContext(ctx, command[0], file))
	if err != nil {
		return fmt.Errorf("starting the bare loop in %s: %w", language, err)
	}
	return errors.Join(work(loop), loop.stop())
}

func startLoop(cmd *exec.Cmd) (*bareLoop, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	loop := &bareLoop{cmd: cmd, in: in, ended: make(chan struct{}), waiting: map[string]chan json.RawMessage{}}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go loop.read(out)
	return loop, nil
}

// read passes each answer to the call that waits for it.
func (l *bareLoop) read(out io.Reader) {
	defer close(l.ended)
	for lines := bufio.NewReaderSize(out, 64<<10); ; {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var answer struct {
			ID     string          `json:"id"`
			Result json.RawMessage `json:"result"`
		}
		if json.Unmarshal(line, &answer) != nil {
			break
		}
		l.mu.Lock()
		if waiting, known := l.waiting[answer.ID]; known {
			waiting <- answer.Result // the channel has a buffer of one
			delete(l.waiting, answer.ID)
		}
		l.mu.Unlock()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, waiting := range l.waiting {
		close(waiting)
	}
	l.waiting = nil
}

// call sends a request and returns the result. It may be called from several goroutines.
func (l *bareLoop) call(id int64, method string, params json.RawMessage) (json.RawMessage, error) {
	answer := make(chan json.RawMessage, 1)
	name := strconv.FormatInt(id, 10)
	line, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": name, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	running := l.waiting != nil
	if running {
		l.waiting[name] = answer
	}
	l.mu.Unlock()
	if !running {
		return nil, errors.New("the bare loop has ended")
	}
	l.writing.Lock()
	_, err = l.in.Write(append(line, '\n'))
	l.writing.Unlock()
	if err != nil {
		return nil, err
	}
	result, ok := <-answer
	if !ok {
		return nil, errors.New("the bare loop has ended")
	}
	return result, nil
}

// stop ends the loop by closing its input.
func (l *bareLoop) stop() error {
	err := l.in.Close()
	<-l.ended
	return errors.Join(err, l.cmd.Wait())
}
