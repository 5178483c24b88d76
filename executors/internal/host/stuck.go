package host

import (
	"encoding/json"
	"fmt"

	"github.com/tasker-systems/tasker-worker/executors/internal/wire"
)

// StuckFileError says that a process had to give up booting because of one file, which did not finish loading. A process that is
// with the file in its skip list serves the others.
type StuckFileError struct {
	LoadError LoadError
}

// Error implements error.
func (e *StuckFileError) Error() string {
	return fmt.Sprintf("could not load %s: %s", e.LoadError.File, e.LoadError.Message)
}

// notReady is what an error that answers initialize means.
func notReady(e *wire.Error) error {
	var data struct {
		LoadError LoadError `json:"load_error"`
	}
	if e.IsNotLoaded() && json.Unmarshal(e.Data, &data) == nil && data.LoadError.File != "" {
		return &StuckFileError{LoadError: data.LoadError.clean()}
	}
	return fmt.Errorf("refused to start: %w", e)
}

// skipped are the paths of the stuck files, relative to the handler root.
func (i *Initialize) skipped() []string {
	files := make([]string, len(i.Stuck))
	for n, e := range i.Stuck {
		files[n] = e.File
	}
	return files
}
