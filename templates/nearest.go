package templates

import (
	"slices"
	"strings"
)

// comparedMax bounds the names that are compared letter by letter; no column holds a longer one.
const comparedMax = 160

// Nearest returns the candidate that name is most likely a misspelling of. It reports false when none is near: at most
// a third of the letters may differ. Letter case counts little.
func Nearest(name string, candidates []string) (string, bool) {
	return nearestWithin(name, candidates, max(1, len(name)/3))
}

// nearKey is the known key of which an unknown one is a near miss.
func nearKey(key string, known []string) (string, bool) {
	return nearestWithin(key, known, min(2, len(key)/3))
}

func nearestWithin(name string, candidates []string, limit int) (string, bool) {
	best, found := "", false
	for _, candidate := range sorted(candidates) {
		if abs(len(candidate)-len(name)) > limit || len(name) > comparedMax || len(candidate) > comparedMax {
			continue
		}
		d := distance(strings.ToLower(name), strings.ToLower(candidate))
		if d > limit {
			continue
		}
		best, found = candidate, true
		if d == 0 {
			break
		}
		limit = d - 1
	}
	return best, found
}

func sorted(names []string) []string {
	names = slices.Clone(names)
	slices.Sort(names)
	return names
}

func abs(n int) int {
	return max(n, -n)
}

// distance counts the insertions, deletions, replacements and swaps of neighbours between a and b
// (Damerau-Levenshtein, optimal string alignment).
func distance(a, b string) int {
	before, previous, current := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := 1; i <= len(a); i++ {
		current[0] = i
		for j := 1; j <= len(b); j++ {
			current[j] = min(previous[j]+1, current[j-1]+1, previous[j-1]+differs(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				current[j] = min(current[j], before[j-2]+1)
			}
		}
		before, previous, current = previous, current, before
	}
	return previous[len(b)]
}

func differs(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}
