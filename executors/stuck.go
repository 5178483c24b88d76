package executors

import (
	"slices"
	"time"

	"github.com/tasker-systems/tasker-worker/executors/internal/host"
)

// stuckMax bounds the files of a language that are left out because they do not finish loading: each costs a process its time
// to boot.
const stuckMax = 10

// stuckAge is the age at which a process that left files out is replaced by one that tries them again, if those had been loaded
// once: what they threw afterwards may have been an outage of something that they use.
const stuckAge = 5 * time.Minute

// stuckFile is a file that processes of a language leave out.
type stuckFile struct {
	host.LoadError
	// thrown says that the file was loaded, and threw something soon after.
	thrown bool
}

// leaveOut has later processes of the language skip a file.
func (g *generation) leaveOut(language Language, file stuckFile) {
	g.mu.Lock()
	defer g.mu.Unlock()
	stuck := g.stuck[language]
	same := func(other stuckFile) bool { return other.File == file.File }
	if len(stuck) < stuckMax && !slices.ContainsFunc(stuck, same) { // processes that boot together may have found the same one
		g.stuck[language] = append(slices.Clip(stuck), file)
	}
}

// leaveOutStuck does so with the files that a process gave up loading, and serves the others without.
func (g *generation) leaveOutStuck(language Language, loadErrors []host.LoadError) {
	for _, e := range loadErrors {
		if e.Stuck {
			g.leaveOut(language, stuckFile{LoadError: e})
		}
	}
}

// stuckFiles are the files that processes of the language are to skip.
func (g *generation) stuckFiles(language Language) []host.LoadError {
	g.mu.RLock()
	defer g.mu.RUnlock()
	var errors []host.LoadError
	for _, file := range g.stuck[language] {
		errors = append(errors, file.LoadError)
	}
	return errors
}

// hasThrown says whether processes of the language leave out a file that had been loaded once.
func (g *generation) hasThrown(language Language) bool {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return slices.ContainsFunc(g.stuck[language], func(file stuckFile) bool { return file.thrown })
}

// retryThrown has later processes of the language load again what had been loaded once.
func (g *generation) retryThrown(language Language) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stuck[language] = slices.DeleteFunc(slices.Clone(g.stuck[language]), func(file stuckFile) bool { return file.thrown })
}

func isStuck(stuck []host.LoadError, file string) bool {
	return slices.ContainsFunc(stuck, func(e host.LoadError) bool { return e.File == file })
}
