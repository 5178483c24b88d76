package executors

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tasker-systems/tasker-worker/executors/internal/host"
)

// HandlerInfo is a name that is served.
type HandlerInfo struct {
	Name     string
	Language Language
	// File is where the handler is defined, relative to Config.Dir.
	File string
	// Exclusive and CPU are what the handler says of itself: that it runs alone in its process, that it is for computing.
	Exclusive, CPU bool
}

// Problem is something that keeps a handler, a file or a language from being served while the rest is.
type Problem struct {
	// Language is empty when the problem concerns none.
	Language Language
	// File is relative to Config.Dir, empty when the problem concerns no single file.
	File string
	// Handler is empty when the problem concerns no single name.
	Handler string
	Message string
	// Traceback is the language's own, the innermost frame where that language has it.
	Traceback []string
}

// String is the problem in one line.
func (p Problem) String() string {
	switch {
	case p.File != "":
		return p.File + ": " + p.Message
	case p.Language != "":
		return string(p.Language) + ": " + p.Message
	default:
		return p.Message
	}
}

// Detail is the problem in several lines, with the traceback.
func (p Problem) Detail() string {
	return strings.Join(append([]string{p.String()}, p.Traceback...), "\n    ")
}

// routingTable maps the handlers that a generation serves to its pools. It is made from their handshakes.
type routingTable struct {
	handlers []HandlerInfo
	problems []Problem
	routes   map[string]*pool
	// exclusive are the handlers whose steps run alone in their process.
	exclusive map[string]bool
	// names are the handlers of each pool.
	names map[*pool]names
}

// names are handlers of one pool, sorted: those that share their process, and the exclusive ones.
type names struct{ shared, exclusive []string }

// add takes in what one language serves. A name that an earlier language serves stays with it.
func (t *routingTable) add(p *pool, shake *host.Handshake) {
	language := p.runtime.language
	for _, e := range shake.LoadErrors {
		t.problems = append(t.problems, loadProblem(language, e))
	}
	for _, handler := range shake.Handlers {
		info := HandlerInfo{
			CPU: handler.CPU, Exclusive: handler.Exclusive,
			File: fileIn(language, handler.File), Language: language, Name: handler.Name,
		}
		if first := t.find(handler.Name); first != nil {
			t.problems = append(t.problems, servedTwice(*first, info))
			continue
		}
		t.handlers = append(t.handlers, info)
		t.routes[handler.Name] = p
		if handler.Exclusive {
			t.exclusive[handler.Name] = true
		}
	}
}

func (t *routingTable) find(name string) *HandlerInfo {
	if t.routes[name] == nil {
		return nil
	}
	i := slices.IndexFunc(t.handlers, func(h HandlerInfo) bool { return h.Name == name })
	return &t.handlers[i]
}

func (t *routingTable) sort() {
	slices.SortFunc(t.handlers, func(a, b HandlerInfo) int { return cmp.Compare(a.Name, b.Name) })
	for _, h := range t.handlers {
		p := t.routes[h.Name]
		n := t.names[p]
		if h.Exclusive {
			n.exclusive = append(n.exclusive, h.Name)
		} else {
			n.shared = append(n.shared, h.Name)
		}
		t.names[p] = n
	}
}

func servedTwice(first, second HandlerInfo) Problem {
	return Problem{
		File:     second.File,
		Handler:  second.Name,
		Language: second.Language,
		Message: fmt.Sprintf("handler %s is served twice, by %s and by %s; the first one is used: rename one of them",
			second.Name, first.File, second.File),
	}
}

func loadProblem(language Language, e host.LoadError) Problem {
	message := e.Message
	if e.Class != "" {
		message = e.Class + ": " + e.Message
	}
	return Problem{File: fileIn(language, e.File), Language: language, Message: message, Traceback: e.Backtrace}
}

func fileIn(language Language, file string) string {
	if file == "" {
		return ""
	}
	return filepath.Join(string(language), filepath.FromSlash(file))
}
