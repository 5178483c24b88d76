package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// language is a host program, named for the language of its handlers.
type language struct {
	name string
	argv []string
	// folder has the fixture handlers as testdata has them.
	folder string
	// transcript records what is said, nil for nothing.
	transcript *transcript
	// patience is how long a host may take for anything, zero for the usual.
	patience time.Duration
}

// rule is one line of the conformance list, checked for each language that it concerns: all when only is empty. The name
// begins with the ids of the line.
type rule struct {
	name  string
	only  []string
	check func(t T, lang language)
}

// rules is the whole list in order.
func rules() []rule {
	return slices.Concat(startRules(), namingRules(), framingRules(), resultsRules(), payloadRules(), concurrencyRules(),
		cancelRules(), callbackRules(), livenessRules(), ioRules(), hygieneRules(), stopRules())
}

// ids returns the ids at the start of the name, and the sentence after them.
func (r rule) ids() (ids []string, sentence string) {
	words := strings.Fields(r.name)
	for i, word := range words {
		if !isID(word) {
			return words[:i], strings.Join(words[i:], " ")
		}
	}
	return words, ""
}

func isID(word string) bool {
	return len(word) > 1 && strings.Contains("HFECKLIS", word[:1]) && strings.Trim(word[1:], "0123456789") == ""
}

func (r rule) concerns(lang language) bool {
	return len(r.only) == 0 || slices.Contains(r.only, lang.name)
}

// command is the host's command line.
func (l language) command(tb T) *exec.Cmd {
	tb.Helper()
	return exec.Command(l.argv[0], l.argv[1:]...)
}

// root is the folder of fixtures of this language.
func (l language) root(tb T, parts ...string) string {
	tb.Helper()
	return filepath.Join(append(append([]string{l.folder}, parts...), l.name)...)
}

// requireRoot skips a check for which there are no handlers in this language.
func (l language) requireRoot(tb T, parts ...string) string {
	tb.Helper()
	root := l.root(tb, parts...)
	if _, err := os.Stat(root); err != nil {
		tb.Skipf("there are no handler files in %s for this check", l.name)
	}
	return root
}

// environ is what the worker sets, over our own environment without what the worker would never pass on.
func environ(extra ...string) []string {
	own := slices.DeleteFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "TASKER_") || strings.HasPrefix(entry, "DATABASE_URL=")
	})
	return append(own, append([]string{"TASKER_PROTOCOL=1", "TASKER_EXECUTOR_ID=conformance-1"}, extra...)...)
}
