package conformance

import (
	"slices"
	"strings"
	"sync"
	"testing"
)

// breakages are ways in which the reference host is broken, and the checks that must then fail.
var breakages = map[string]string{ //nolint:gochecknoglobals // a table
	"no cookie":                           "H1",
	"wrong pid":                           "H2",
	"code -32001":                         "H3",
	"code -32002":                         "H4",
	"initialize twice":                    "H6",
	"takes too many":                      "H9",
	"noise":                               "H10",
	"code -32602":                         "H22",
	"CRLF":                                "F1",
	"blank lines":                         "F2",
	"dies of garbage":                     "F3",
	"code -32600":                         "F4",
	"code -32007":                         "F6",
	"echo":                                "F9 E1",
	"changes ids":                         "F10",
	"code -32601":                         "F11",
	"answers strays":                      "F13",
	"interleaves":                         "F14",
	"nothing is random":                   "E2",
	"retry after in seconds":              "E3",
	"permanent is retried":                "E4",
	"unknown is permanent":                "E5",
	"endless causes":                      "E6",
	"bad results":                         "E7",
	"wrong hash":                          "E8",
	"no params file":                      "E9",
	"defer":                               "E12",
	"code -32005":                         "C2",
	"no cancel":                           "C3 C4 C10 K6",
	"answers twice":                       "C3",
	"late cancels":                        "C5",
	"dies of unknown cancels":             "C6",
	"cancels all":                         "C7",
	"answers what runs":                   "C8",
	"code -32009":                         "C9",
	"not exclusive":                       "C11",
	"exclusive beside others":             "C11",
	"others beside exclusive":             "C11",
	"mixes steps up":                      "C12",
	"wrong execution":                     "K1",
	"drops params":                        "K1",
	"effects after a lost lease":          "K4",
	"sends what is not offered":           "K5",
	"uncancellable calls":                 "K6",
	"blocks the loop":                     "K7",
	"slow ping":                           "L1",
	"blocked by a step":                   "L2",
	"no heartbeat":                        "L4",
	"beats after":                         "L4",
	"no dump":                             "L6",
	"noise in a step":                     "I1",
	"inherited pipes":                     "I3",
	"dies without stdio":                  "I4",
	"pollution":                           "I5",
	"long logs":                           "I6",
	"split logs":                          "I7",
	"logs secrets":                        "I8",
	"code -32006":                         "S1",
	"deaf to EOF":                         "S2 S3",
	"deaf to SIGTERM":                     "S5",
	"SIGINT":                              "S6",
	"forged end":                          "S7",
	"waits for children":                  "S8",
	"exit code":                           "S9",
	"refuses unknown members":             "H5",
	"silent about descriptors":            "H7",
	"tidies names":                        "H21",
	"serves without a root":               "H23",
	"short lines":                         "F5",
	"one read is a line":                  "F7",
	"one line in a read":                  "F8",
	"answers notifications":               "F12",
	"large results inline":                "E8",
	"rounds":                              "E10",
	"keeps U+0000":                        "E11",
	"dies of hostile errors":              "E21",
	"any depth":                           "E22",
	"dates":                               "E23",
	"one at a time":                       "C1",
	"answers calls in their order":        "K2",
	"loses messages beside large results": "K3 L3",
	"beats by itself":                     "L5",
	"cuts floods":                         "I2",
	"prints where it answers":             "I20",
	"outlives the worker":                 "S4",
	"does not wake up":                    "S10",
}

// unbreakable are the checks that no broken host is made for, and why.
var unbreakable = map[string]string{} //nolint:gochecknoglobals // a table

// trial is one check of a host that is broken.
type trial struct {
	broken, id string
	lang       language
	rule       rule
	failed     bool
}

// TestEachCheckCanFail runs the checks against hosts that are broken on purpose. A check that has never failed proves
// nothing.
func TestEachCheckCanFail(t *testing.T) {
	t.Parallel()
	trials := allTrials(t)
	var running sync.WaitGroup
	places := make(chan struct{}, 64) // most of them wait for what never comes
	for i := range trials {
		places <- struct{}{}
		running.Go(func() {
			trials[i].failed = trials[i].rule.run(trials[i].lang).State == Failed
			<-places
		})
	}
	running.Wait()
	seen := map[string]bool{}
	for _, tr := range trials {
		seen[tr.rule.name] = seen[tr.rule.name] || tr.failed
		seen[tr.broken+tr.id] = seen[tr.broken+tr.id] || tr.failed
	}
	for _, tr := range trials {
		if !seen[tr.broken+tr.id] {
			t.Errorf("%s passes a host that is broken by: %s", tr.id, tr.broken)
		}
	}
	for _, r := range rules() {
		reason, excused := unbreakable[r.name]
		if seen[r.name] == excused && slices.ContainsFunc(r.languages(), isInstalled) {
			t.Errorf("%q was seen to fail: %v; listed as unbreakable, because: %s", r.name, seen[r.name], reason)
		}
	}
}

// allTrials has every breakage with every check of its ids.
func allTrials(t *testing.T) (all []trial) {
	t.Helper()
	add := func(broken, failing string, lang language) {
		for id := range strings.FieldsSeq(failing) {
			for _, r := range rules() {
				if ids, _ := r.ids(); slices.Contains(ids, id) {
					all = append(all, trial{broken: broken, id: id, lang: lang, rule: r})
				}
			}
		}
	}
	for broken, failing := range breakages {
		add(broken, failing, referenceHost(t, broken))
	}
	for _, p := range patches {
		if isInstalled(p.language) {
			add(p.String(), p.fails, p.host(t))
		}
	}
	return all
}

// languages are those whose hosts the check concerns.
func (r rule) languages() []string {
	if len(r.only) > 0 {
		return r.only
	}
	return []string{"reference"}
}

// TestEachIDHasABreakage holds for every id of a check with several.
func TestEachIDHasABreakage(t *testing.T) {
	t.Parallel()
	var broken []string
	for _, failing := range breakages {
		broken = append(broken, strings.Fields(failing)...)
	}
	for _, p := range patches {
		broken = append(broken, strings.Fields(p.fails)...)
	}
	for _, r := range rules() {
		ids, _ := r.ids()
		for _, id := range ids {
			if !slices.Contains(broken, id) && unbreakable[r.name] == "" {
				t.Errorf("no host is broken in a way that %s sees", id)
			}
		}
	}
}
