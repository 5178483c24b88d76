package versions

import (
	"testing"
)

func TestAVersionIsJudgedByItsNumbers(t *testing.T) {
	t.Parallel()
	r := Range{Name: "Ruby", Oldest: "3.1", Newest: "3.3"}
	for version, want := range map[string]Verdict{
		"2.7.8": TooOld, "3.0.6": TooOld, "3": TooOld,
		"3.1": Supported, "3.1.0": Supported, "3.3.9": Supported, "v3.2.1": Supported,
		"3.4.0": Untested, "3.10.1": Untested, "4.0.0dev": Untested, "3.4rc1": Untested,
		"": Unknown, "ruby": Unknown,
	} {
		if got := r.Judge(version); got != want {
			t.Errorf("%q is judged %d, want %d", version, got, want)
		}
	}
	node := Range{Name: "Node", Oldest: "18", Newest: "24"}
	for version, want := range map[string]Verdict{"16.20.2": TooOld, "v18.20.4": Supported, "24.9.0": Supported, "25.0.0": Untested} {
		if got := node.Judge(version); got != want {
			t.Errorf("Node %q is judged %d, want %d", version, got, want)
		}
	}
}

func TestSentences(t *testing.T) {
	t.Parallel()
	r := Range{Name: "Ruby", Oldest: "3.1", Newest: "3.3"}
	for _, tt := range []struct{ version, refusal, warning string }{
		{"2.7.8", "Ruby 2.7.8 is too old: 3.1 or newer is needed, and 3.1 to 3.3 are tested", ""},
		{"3.2.0", "", ""},
		{"4.0.1", "", "Ruby 4.0.1 is newer than what this version of the worker was tested with: 3.1 to 3.3"},
		{"", "", ""},
	} {
		if got := r.Refusal(tt.version); got != tt.refusal {
			t.Errorf("refusal of %q: %q", tt.version, got)
		}
		if got := r.Warning(tt.version); got != tt.warning {
			t.Errorf("warning of %q: %q", tt.version, got)
		}
	}
}

func TestEveryRangeIsOne(t *testing.T) {
	t.Parallel()
	all := All()
	if len(all) != 5 {
		t.Errorf("the table has %d runtimes, want 5", len(all))
	}
	for _, r := range all {
		if r.Judge(r.Oldest) != Supported || r.Judge(r.Newest) != Supported {
			t.Errorf("%s does not contain its ends", r)
		}
		if got := Of(r.Name); got != r {
			t.Errorf("%s is found as %s", r, got)
		}
	}
}
