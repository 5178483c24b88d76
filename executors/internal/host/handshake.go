package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/tasker-systems/tasker-worker/engine"
	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

const protocolVersion = 1

const (
	nameBytesMax   = 200
	fileBytesMax   = 1000
	lineBytesMax   = 2000
	tracebackMax   = 50
	tracebackBytes = 500
)

// Initialize is the params of the initialize request, as far as the caller decides them.
type Initialize struct {
	// AppHandlers are the folders of the app that hold handlers; without any the host takes the usual one.
	AppHandlers []string
	// AppRoot is the folder of an app whose environment the host boots first, empty for none.
	AppRoot       string
	WorkerID      string
	WorkerVersion string
	// Generation counts the reloads of the handlers.
	Generation int
	// HandlerRoot is the absolute path of the folder that the host scans.
	HandlerRoot string
	// MaxConcurrency is the number of steps at once that the worker offers.
	MaxConcurrency int
	// ShutdownGrace is sent to the host; the worker enforces it.
	ShutdownGrace time.Duration
	// Stuck are the files that earlier processes did not finish loading: the host loads the others, and they stay load errors.
	Stuck []LoadError
}

// Handshake is what a process said about itself.
type Handshake struct {
	Language        string
	LanguageVersion string
	// Framework is name and version of what the process runs in, such as "rails 7.2.2", empty for none.
	Framework string
	// MaxConcurrency is the number of steps at once that the process takes, at least 1 and at most what was offered.
	MaxConcurrency int
	// Cancel says that the process understands step.cancel, PayloadFiles that it reads and writes payload files.
	Cancel       bool
	PayloadFiles bool
	Handlers     []Handler
	LoadErrors   []LoadError
}

// Handler is a name that a process serves.
type Handler struct {
	Name string `json:"name"`
	// File is relative to the handler root.
	File string `json:"file"`
	// Exclusive says that no other step runs in the same process as one of this handler.
	Exclusive bool `json:"exclusive"`
	// CPU says that its steps run in a thread or a process of the host that is for computing.
	CPU bool `json:"cpu"`
}

// LoadError is a file that could not be loaded.
type LoadError struct {
	File      string   `json:"file"`
	Class     string   `json:"class"`
	Message   string   `json:"message"`
	Backtrace []string `json:"backtrace"`
	// Stuck says that the file did not finish loading, which every later process would wait for again.
	Stuck bool `json:"stuck"`
}

// object keeps the literals below readable.
type object map[string]any

func (i *Initialize) config() object {
	config := object{"handler_root": i.HandlerRoot}
	if i.AppRoot != "" {
		config["app_root"] = i.AppRoot
		if len(i.AppHandlers) > 0 {
			config["app_handlers"] = i.AppHandlers
		}
	}
	if len(i.Stuck) > 0 {
		config["skip_files"] = i.skipped()
	}
	return config
}

func (i *Initialize) params(o *Options) object {
	return object{
		"capabilities":      object{"callbacks": o.offeredCallbacks(), "payload_files": o.Scratch != ""},
		"config":            i.config(),
		"executor":          object{"generation": i.Generation, "id": o.ID},
		"protocol_versions": []int{protocolVersion},
		"limits": object{
			"max_concurrency":   i.MaxConcurrency,
			"max_file_bytes":    FileBytesMax,
			"max_inline_bytes":  engine.ResultBytesMax,
			"max_json_depth":    engine.JSONDepthMax,
			"max_message_bytes": MessageBytesMax,
		},
		"timing": object{
			"cancel_grace_ms":    o.CancelGrace.Milliseconds(),
			"ping_interval_ms":   o.PingInterval.Milliseconds(),
			"shutdown_grace_ms":  i.ShutdownGrace.Milliseconds(),
			"startup_timeout_ms": o.StartupTimeout.Milliseconds(),
		},
		"worker": object{"id": i.WorkerID, "name": "tasker-worker", "version": i.WorkerVersion},
	}
}

// initialize has the process boot and say what it serves.
func (h *Host) initialize(ctx context.Context) (Handshake, error) {
	ctx, cancel := context.WithTimeout(ctx, h.options.StartupTimeout)
	defer cancel()
	message, err := h.call(ctx, "initialize", h.options.Initialize.params(&h.options))
	switch {
	case errors.Is(err, errEnded):
		return Handshake{}, errors.New(h.ExitCause().Reason + " before it was ready")
	case errors.Is(err, context.DeadlineExceeded):
		return Handshake{}, fmt.Errorf("was not ready within %v", h.options.StartupTimeout)
	case err != nil:
		return Handshake{}, err
	case message.Error != nil:
		return Handshake{}, notReady(message.Error)
	}
	shake, err := parseHandshake(message.Result, h.options.Initialize.MaxConcurrency)
	shake.LoadErrors = append(shake.LoadErrors, h.options.Initialize.Stuck...)
	return shake, err
}

func parseHandshake(result json.RawMessage, offered int) (Handshake, error) {
	var r struct {
		ProtocolVersion int `json:"protocol_version"`
		Executor        struct {
			Language        string `json:"language"`
			LanguageVersion string `json:"language_version"`
			Framework       string `json:"framework"`
		} `json:"executor"`
		Capabilities struct {
			MaxConcurrency int             `json:"max_concurrency"`
			Cancel         json.RawMessage `json:"cancel"`
			PayloadFiles   bool            `json:"payload_files"`
		} `json:"capabilities"`
		Handlers   []Handler   `json:"handlers"`
		LoadErrors []LoadError `json:"load_errors"`
	}
	if err := json.Unmarshal(result, &r); err != nil {
		return Handshake{}, fmt.Errorf("answered initialize with something that cannot be read: %w", err)
	}
	if r.ProtocolVersion != protocolVersion {
		return Handshake{}, fmt.Errorf("speaks protocol version %d, this worker speaks %d", r.ProtocolVersion, protocolVersion)
	}
	if r.Capabilities.MaxConcurrency < 1 {
		return Handshake{}, fmt.Errorf("offers to run %d steps at once, it must be at least 1", r.Capabilities.MaxConcurrency)
	}
	shake := Handshake{
		Cancel:          isOffered(r.Capabilities.Cancel),
		PayloadFiles:    r.Capabilities.PayloadFiles,
		Framework:       wire.Clean(r.Executor.Framework, nameBytesMax),
		Language:        wire.Clean(r.Executor.Language, nameBytesMax),
		LanguageVersion: wire.Clean(r.Executor.LanguageVersion, nameBytesMax),
		MaxConcurrency:  min(r.Capabilities.MaxConcurrency, offered),
	}
	for _, e := range r.LoadErrors {
		shake.LoadErrors = append(shake.LoadErrors, e.clean())
	}
	shake.addHandlers(r.Handlers)
	return shake, nil
}

// isOffered reads a capability that is true, or the name of the way in which it is there.
func isOffered(capability json.RawMessage) bool {
	switch string(capability) {
	case "", "null", "false", `""`, `"none"`:
		return false
	}
	return true
}

// addHandlers refuses names that cannot be written in a template or read in a log.
func (s *Handshake) addHandlers(handlers []Handler) {
	for _, handler := range handlers {
		handler.File = wire.Clean(handler.File, fileBytesMax)
		if isName(handler.Name) {
			s.Handlers = append(s.Handlers, handler)
			continue
		}
		s.LoadErrors = append(s.LoadErrors, LoadError{
			File:    handler.File,
			Message: fmt.Sprintf("handler name %.100q is refused: names have 1 to %d printable characters", handler.Name, nameBytesMax),
		})
	}
}

func isName(name string) bool {
	unprintable := func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }
	return name != "" && len(name) <= nameBytesMax && strings.IndexFunc(name, unprintable) < 0
}

func (e LoadError) clean() LoadError {
	e.Backtrace = e.Backtrace[:min(len(e.Backtrace), tracebackMax)]
	for i, line := range e.Backtrace {
		e.Backtrace[i] = wire.Clean(line, tracebackBytes)
	}
	e.Class = wire.Clean(e.Class, nameBytesMax)
	e.File = wire.Clean(e.File, fileBytesMax)
	e.Message = wire.Clean(e.Message, lineBytesMax)
	return e
}
