package main

import (
	"context"
	"log/slog"
	"strings"

	"github.com/tasker-systems/tasker-worker/executors"
)

type handlerCommand struct {
	List handlerList `cmd:"" help:"List the handlers that are served, and the files that are not."`
	Run  handlerRun  `cmd:"" help:"Run one handler alone, without a database."`
}

type handlerList struct {
	JSON bool `help:"Print JSON." name:"json"`
}

// Help implements kong's extension.
func (handlerList) Help() string {
	return `Starts the handler processes of TASKER_EXECUTORS_DIR and asks them what they serve. Files that cannot be loaded are
printed with the traceback of their language, and then it exits with 1.`
}

// servedHandler is a handler in the JSON list.
type servedHandler struct {
	Name     string `json:"name"`
	Language string `json:"language"`
	File     string `json:"file"`
	// What it says of itself.
	Exclusive bool `json:"exclusive"`
	CPU       bool `json:"cpu"`
}

// unservedFile is a fault in the JSON list.
type unservedFile struct {
	Language  string   `json:"language"`
	File      string   `json:"file"`
	Message   string   `json:"message"`
	Traceback []string `json:"traceback,omitempty"`
}

// Run lists what the handler processes serve.
func (cmd handlerList) Run(ctx context.Context, s streams) error {
	c, err := loadConfig()
	if err != nil {
		return err
	}
	silent := slog.New(slog.DiscardHandler)
	supervisor, err := startExecutors(ctx, c, nil, nil, silent)
	if err != nil {
		return err
	}
	defer stopExecutors(ctx, supervisor, silent)
	problems := supervisor.Problems()
	if err := cmd.print(s, supervisor.Handlers(), problems); err != nil {
		return err
	}
	if len(problems) > 0 {
		return exitError(exitFailure)
	}
	return nil
}

func (cmd handlerList) print(s streams, handlers []executors.HandlerInfo, problems []executors.Problem) error {
	if cmd.JSON {
		return printJSON(s.out, handlerLists(handlers, problems))
	}
	rows := [][]string{{"HANDLER", "LANGUAGE", "RUNS", "FILE"}}
	for _, h := range handlers {
		rows = append(rows, []string{h.Name, string(h.Language), runs(h), h.File})
	}
	if err := table(s.out, rows); err != nil {
		return err
	}
	warnUnserved(s, problems)
	return nil
}

// runs is how a handler wants to be run, in the words in which handlers say so.
func runs(h executors.HandlerInfo) string {
	var words []string
	if h.Exclusive {
		words = append(words, "exclusive")
	}
	if h.CPU {
		words = append(words, "cpu")
	}
	return strings.Join(words, ", ")
}

func handlerLists(handlers []executors.HandlerInfo, problems []executors.Problem) any {
	served, unserved := []servedHandler{}, []unservedFile{}
	for _, h := range handlers {
		served = append(served, servedHandler{h.Name, string(h.Language), h.File, h.Exclusive, h.CPU})
	}
	for _, p := range problems {
		unserved = append(unserved, unservedFile{string(p.Language), p.File, p.Message, p.Traceback})
	}
	return map[string]any{"handlers": served, "problems": unserved}
}
