package command

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// ClassFailed is an attempt whose program exited with a status other than 0, or could not be started.
const ClassFailed = "Tasker::CommandFailed"

// ClassRefused is an attempt whose command the worker does not run. Permanent.
const ClassRefused = "Tasker::CommandRefused"

// permanentStatuses are those of sysexits.h that another attempt cannot mend: EX_USAGE, EX_DATAERR and EX_CONFIG.
var permanentStatuses = []int{64, 65, 78}

// Bounds of a failure.
const (
	messageBytesMax = 4 << 10
	tailBytesMax    = 500
	nameBytesMax    = 200
	shownBytesMax   = 100
)

// outcome reads what the program left behind.
func (r *run) outcome() engine.Outcome {
	document, err := r.result()
	exit := r.process.Exit()
	switch {
	case exit.Signal != 0:
		r.logDocument()
		return engine.Failed(r.failure(engine.ClassExecutorCrashed, r.process.How()))
	case exit.Status != 0:
		return engine.Failed(r.failed(exit.Status, document, err))
	case err != nil:
		return invalidResult(err)
	case document == nil && r.flaw.meant:
		return invalidResult(errors.New(r.flaw.what))
	case document == nil:
		r.note(r.flaw.what)
		return engine.Succeeded(json.RawMessage("null"))
	}
	if err := engine.CheckJSON(document, engine.ResultBytesMax); err != nil {
		return invalidResult(err)
	}
	return engine.Succeeded(document)
}

// result is the result file when it was written, and the last line of stdout otherwise, nil when that is no JSON.
func (r *run) result() ([]byte, error) {
	file, err := os.OpenFile(filepath.Join(r.options.Scratch, resultName), os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return r.document, nil
	}
	r.logDocument()
	r.flaw = flaw{} // whatever it printed
	if err != nil {
		return nil, fmt.Errorf("the result file: %w", err)
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.New("the result file is no regular file")
	}
	data, err := io.ReadAll(io.LimitReader(file, engine.ResultBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("the result file: %w", err)
	}
	if data = bytes.TrimSpace(bytes.TrimPrefix(data, byteOrderMark)); len(data) == 0 {
		return nil, errors.New("the result file is empty: write null where there is no result, or leave the file out")
	}
	return data, nil
}

// note adds a line to the attempt's log, unless there is nothing to say.
func (r *run) note(what string) {
	if what == "" {
		return
	}
	r.options.Logger.Warn("program printed no result", "handler", r.attempt.Handler.Name, "task_id", r.attempt.Task.ID, "step", r.attempt.Step.Name, "why", what)
	if r.options.AttemptLog != nil {
		r.options.AttemptLog.Append(r.attempt, engine.LogLine{At: time.Now(), Level: "warn", Stream: "worker", Message: "the result is null: " + what})
	}
}

// logDocument logs the last line of stdout, which turned out not to be the result.
func (r *run) logDocument() {
	if r.document != nil {
		r.sink.Line("stdout", r.document)
		r.document = nil
	}
}

func invalidResult(err error) engine.Outcome {
	return engine.Failed(engine.Failure{
		Class: engine.ClassInvalidResult, Message: wire.Clean("the program's result cannot be stored: "+err.Error(), messageBytesMax), Permanent: true,
	})
}

// failed is the failure of a program that exited with code; unread is why its result could not be read.
func (r *run) failed(code int, document []byte, unread error) engine.Failure {
	f := r.failure(ClassFailed, fmt.Sprintf("exited with status %d", code))
	f.Code, f.Permanent = fmt.Sprint(code), slices.Contains(permanentStatuses, code)
	var remarks wire.Remarks
	var s said
	switch {
	case unread != nil:
		remarks = append(remarks, unread.Error())
	case document == nil:
	case json.Unmarshal(document, &s) == nil:
		remarks = s.tell(&f)
	case r.document != nil:
		r.logDocument()
	default:
		remarks = remarks.Add("the result file", wire.Clean(string(document), shownBytesMax), "a JSON object")
	}
	if document == nil && r.flaw.meant {
		remarks = append(remarks, r.flaw.what)
	}
	f.Message = remarks.On(f.Message, messageBytesMax)
	return f
}

// failure says how the program ended, with its last words.
func (r *run) failure(class, how string) engine.Failure {
	tail := r.sink.Tail()
	message := r.attempt.Handler.Name + " " + how
	if len(tail) > 0 {
		message += "; its last words on stderr: " + tail[len(tail)-1]
	}
	for i, line := range tail {
		tail[i] = wire.Clean("stderr: "+line, tailBytesMax)
	}
	return engine.Failure{Backtrace: tail, Class: class, Message: wire.Clean(message, messageBytesMax)}
}
