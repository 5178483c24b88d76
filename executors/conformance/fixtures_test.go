package conformance_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/tasker-systems/tasker-worker/executors/conformance"
)

// TestFixturesAreListed reads which fixtures the checks ask for.
func TestFixturesAreListed(t *testing.T) {
	t.Parallel()
	listed := map[string]bool{}
	for _, f := range conformance.Fixtures() {
		listed[f.Name] = true
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	uses := regexp.MustCompile(`(?:\.(?:begin|execute|mustSucceed|mustFail|require)\(|beginAs\([^,]+, |"Fixtures::)"?([A-Z][A-Za-z]+)"`)
	found := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range uses.FindAllStringSubmatch(string(content), -1) {
			if found++; !listed[match[1]] {
				t.Errorf("%s asks for Fixtures::%s, which Fixtures does not list", file, match[1])
			}
		}
	}
	if found < 50 {
		t.Errorf("found only %d uses of fixtures", found)
	}
}
