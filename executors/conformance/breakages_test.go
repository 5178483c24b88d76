package conformance

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

func referenceHost(t *testing.T, broken string) language {
	t.Helper()
	return language{name: "reference", argv: []string{os.Args[0], referenceArgument, broken}, folder: absolute(t, "testdata")}
}

// TestReference shows that a host can pass the whole list: what is skipped asks for another language, or for the worker.
func TestReference(t *testing.T) {
	t.Parallel()
	skips := []string{"H8", "H20", "E20", "K8", "K9"}
	for _, r := range rules() {
		ids, _ := r.ids()
		lang := referenceHost(t, "")
		if !r.concerns(lang) {
			continue
		}
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			got := r.run(lang)
			want := Passed
			if slices.Contains(skips, ids[0]) {
				want = Skipped
			}
			if got.State != want {
				t.Errorf("%s: %s\n%s", got.State, got.Reason, got.Log)
			}
		})
	}
}

// breakages are ways in which the reference host is broken, and the checks that must then fail.
var breakages = map[string]string{ //nolint:gochecknoglobals // a table
	"no cookie":                  "H1",
	"wrong pid":                  "H2",
	"code -32001":                "H3",
	"code -32002":                "H4",
	"initialize twice":           "H6",
	"takes too many":             "H9",
	"noise":                      "H10",
	"code -32602":                "H22",
	"CRLF":                       "F1",
	"blank lines":                "F2",
	"dies of garbage":            "F3",
	"code -32600":                "F4",
	"code -32007":                "F6",
	"echo":                       "F9 E1",
	"changes ids":                "F10",
	"code -32601":                "F11",
	"answers strays":             "F13",
	"interleaves":                "F14",
	"nothing is random":          "E2",
	"retry after in seconds":     "E3",
	"permanent is retried":       "E4",
	"unknown is permanent":       "E5",
	"endless causes":             "E6",
	"bad results":                "E7",
	"wrong hash":                 "E8",
	"no params file":             "E9",
	"defer":                      "E12",
	"code -32005":                "C2",
	"no cancel":                  "C3 C4 C10 K6",
	"answers twice":              "C3",
	"late cancels":               "C5",
	"cancels all":                "C7",
	"answers what runs":          "C8",
	"code -32009":                "C9",
	"not exclusive":              "C11",
	"mixes steps up":             "C12",
	"wrong execution":            "K1",
	"drops params":               "K1",
	"effects after a lost lease": "K4",
	"sends what is not offered":  "K5",
	"uncancellable calls":        "K6",
	"blocks the loop":            "K7",
	"slow ping":                  "L1",
	"blocked by a step":          "L2",
	"no heartbeat":               "L4",
	"beats after":                "L4",
	"no dump":                    "L6",
	"noise in a step":            "I1",
	"inherited pipes":            "I3",
	"dies without stdio":         "I4",
	"pollution":                  "I5",
	"long logs":                  "I6",
	"split logs":                 "I7",
	"logs secrets":               "I8",
	"code -32006":                "S1",
	"deaf to EOF":                "S2 S3",
	"deaf to SIGTERM":            "S5",
	"SIGINT":                     "S6",
	"forged end":                 "S7",
	"waits for children":         "S8",
	"exit code":                  "S9",
}

func TestEachCheckCanFail(t *testing.T) {
	t.Parallel()
	var running sync.WaitGroup
	places := make(chan struct{}, 16) // most of them wait for what never comes
	for broken, failing := range breakages {
		for id := range strings.FieldsSeq(failing) {
			places <- struct{}{}
			running.Go(func() {
				defer func() { <-places }()
				chosen, err := choose([]string{id})
				failed := func(r rule) bool { return r.run(referenceHost(t, broken)).State == Failed }
				if err != nil || !slices.ContainsFunc(chosen, failed) {
					t.Errorf("%s passes a host that is broken by: %s (%v)", id, broken, err)
				}
			})
		}
	}
	running.Wait()
}
