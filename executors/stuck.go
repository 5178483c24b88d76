package executors

import (
	"slices"

	"github.com/tasker-systems/tasker-worker/executors/internal/host"
)

// stuckMax bounds the files of a language that are left out because they do not finish loading: each costs a process its time
// to boot.
const stuckMax = 10

// leaveOut has later processes of the language skip a file that did not finish loading.
func (g *generation) leaveOut(language Language, e host.LoadError) {
	g.mu.Lock()
	defer g.mu.Unlock()
	stuck := g.stuck[language]
	if !isStuck(stuck, e.File) { // processes that boot together may have found the same one
		g.stuck[language] = append(slices.Clip(stuck), e)
	}
}

// stuckFiles are the files that processes of the language are to skip.
func (g *generation) stuckFiles(language Language) []host.LoadError {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.stuck[language]
}

func isStuck(stuck []host.LoadError, file string) bool {
	return slices.ContainsFunc(stuck, func(e host.LoadError) bool { return e.File == file })
}
