package wire

import (
	"encoding/json"
	"errors"

	"github.com/tasker-systems/tasker-worker/engine"
)

// File is a payload that goes by file.
type File struct {
	Bytes  int64  `json:"bytes"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
}

// ErrFileTooLarge is returned by [Files.Read], and where files are written, for one beyond the protocol's limit.
var ErrFileTooLarge = errors.New("file is larger than the 64 MiB that the protocol allows")

// Files are the payload files of one execution.
type Files interface {
	// Read reads and checks a file that the handler process made.
	Read(file File) ([]byte, error)
}

// fileBytesMax is what a result may have that goes by file.
const fileBytesMax = 64 << 20

// fileResult reads a result that goes by file.
func fileResult(file File, files Files) engine.Outcome {
	data, err := files.Read(file)
	if errors.Is(err, ErrFileTooLarge) {
		return resultTooLarge(err)
	}
	if err == nil {
		err = engine.CheckJSON(data, fileBytesMax)
	}
	if err != nil {
		return invalidResult(err)
	}
	return engine.Succeeded(data)
}

// AppendExecuteFile appends one step.execute line whose params are in a file.
func AppendExecuteFile(dst []byte, id ID, p *Params, file File) []byte {
	dst = appendHead(dst, id, "step.execute")
	dst = appendString(append(dst, `{"execution_id":`...), p.ExecutionID)
	dst = appendString(append(dst, `,"scratch_dir":`...), p.ScratchDir)
	encoded, _ := json.Marshal(file) // strings and a number always have a JSON form
	dst = append(append(dst, `,"params_file":`...), encoded...)
	return append(dst, "}}\n"...)
}

// Size is about how many bytes the params of an attempt have.
func Size(a *engine.Attempt) int {
	n := len(a.Task.Context) + len(a.Task.Tags) + len(a.Step.Inputs) + len(a.Step.Results) + len(a.Handler.Config) + len(a.Checkpoint)
	for i := range a.Dependencies {
		n += len(a.Dependencies[i].Name) + len(a.Dependencies[i].Result) + 64
	}
	return n
}
