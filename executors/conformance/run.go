package conformance

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tasker-systems/tasker-worker/executors/internal/process"
)

// fixtureFiles are the fixture handlers of the languages that the worker has hosts for.
//
//go:embed all:testdata/ruby all:testdata/python all:testdata/node all:testdata/app all:testdata/broken all:testdata/conventions
var fixtureFiles embed.FS

// State is how a check ended.
type State string

// The states of a check.
const (
	Passed  State = "passed"
	Failed  State = "failed"
	Skipped State = "skipped"
)

// Result is what one check found.
type Result struct {
	// IDs are those of the lines of the conformance list that the check covers.
	IDs    []string `json:"ids"`
	Asks   string   `json:"asks"`
	State  State    `json:"state"`
	Reason string   `json:"reason,omitempty"`
	// Log is what the host printed last, when the check failed.
	Log    string `json:"log,omitempty"`
	TookMS int64  `json:"took_ms"`
}

// Options say which checks are run, and what is kept of them.
type Options struct {
	// Only has the ids of the checks to run, none for all.
	Only []string
	// Record is a folder for a transcript of each check, made when it is not there; "" for none.
	Record string
}

// Run checks the host program that argv starts and returns a result per check, in the order of the list.
func Run(ctx context.Context, argv []string, o Options) ([]Result, error) {
	wanted, err := choose(o.Only)
	if err != nil {
		return nil, err
	}
	process.CloseInherited() // else a check would find in a host what this program was started with
	if o.Record != "" {
		if err := os.MkdirAll(o.Record, 0o700); err != nil {
			return nil, fmt.Errorf("making the folder of the transcripts: %w", err)
		}
	}
	folder, err := os.MkdirTemp("", "tasker-check-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the fixtures: %w", err)
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if err := unpack(folder); err != nil {
		return nil, fmt.Errorf("unpacking the fixtures: %w", err)
	}
	lang, err := probe(language{argv: argv, folder: folder})
	if err != nil {
		return nil, err
	}
	return runAll(ctx, wanted, lang, o.Record)
}

// runAll runs as many checks at once as there are processors.
func runAll(ctx context.Context, wanted []rule, lang language, record string) ([]Result, error) {
	faults := make([]error, len(wanted))
	results := make([]Result, len(wanted))
	places := make(chan struct{}, runtime.GOMAXPROCS(0))
	var running sync.WaitGroup
	for i, r := range wanted {
		places <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		running.Go(func() {
			results[i], faults[i] = r.runAndRecord(lang, record)
			<-places
		})
	}
	running.Wait()
	return results, errors.Join(ctx.Err(), errors.Join(faults...))
}

// runAndRecord leaves a transcript in folder, unless it is "".
func (r rule) runAndRecord(lang language, folder string) (Result, error) {
	if folder == "" {
		return r.run(lang), nil
	}
	lang.transcript = &transcript{start: time.Now()}
	result := r.run(lang)
	if err := lang.transcript.write(folder, r.name); err != nil {
		return result, fmt.Errorf("writing a transcript: %w", err)
	}
	return result, nil
}

func (r rule) run(lang language) Result {
	ids, sentence := r.ids()
	result := Result{IDs: ids, Asks: sentence, State: Passed}
	if !r.concerns(lang) {
		result.State, result.Reason = Skipped, "concerns only hosts for "+strings.Join(r.only, " and ")
		return result
	}
	start := time.Now()
	var rec recorder
	rec.run(func(t T) { r.check(t, lang) })
	result.TookMS = time.Since(start).Milliseconds()
	switch {
	case len(rec.faults) > 0:
		result.State, result.Reason, result.Log = Failed, strings.Join(rec.faults, "; "), strings.Join(rec.logs, "\n")
	case rec.skipped != "":
		result.State, result.Reason = Skipped, rec.skipped
	}
	return result
}

// choose returns the rules with these ids, all for none.
func choose(only []string) ([]rule, error) {
	all := rules()
	if len(only) == 0 {
		return all, nil
	}
	var known []string
	for _, r := range all {
		ids, _ := r.ids()
		for _, id := range ids {
			if !slices.Contains(known, id) {
				known = append(known, id)
			}
		}
	}
	for _, id := range only {
		if !slices.Contains(known, id) {
			return nil, fmt.Errorf("there is no check %s; there are %s", id, strings.Join(known, " "))
		}
	}
	return slices.DeleteFunc(all, func(r rule) bool {
		ids, _ := r.ids()
		return !slices.ContainsFunc(ids, func(id string) bool { return slices.Contains(only, id) })
	}), nil
}

// probe starts the host once to learn its language, which says where its fixtures are.
func probe(lang language) (language, error) {
	var rec recorder
	rec.run(func(t T) {
		r := startHost(t, lang).initialize(initialization(filepath.Join(lang.folder, "absent"), nil))
		lang.name = r.Executor.Language
	})
	if len(rec.faults) > 0 {
		return lang, errors.New("the host does not start: " + strings.Join(append(rec.faults, rec.logs...), "\n"))
	}
	if lang.name == "" || strings.ContainsAny(lang.name, "/\\") {
		return lang, fmt.Errorf("the host says in initialize that its language is %q", lang.name)
	}
	return lang, nil
}

func unpack(folder string) error {
	return fs.WalkDir(fixtureFiles, "testdata", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(folder, strings.TrimPrefix(name, "testdata"))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		content, err := fixtureFiles.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, content, 0o600)
	})
}
