package versions

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestPagesNameTheRange: each page that says which versions do says what the table says.
func TestPagesNameTheRange(t *testing.T) {
	t.Parallel()
	for page, names := range map[string][]string{
		"docs/configuration.md": {"PostgreSQL", "Ruby", "Rails", "Python", "Node"},
		"docs/node.md":          {"Node"},
		"docs/python.md":        {"Python"},
		"docs/ruby.md":          {"Ruby", "Rails"},
	} {
		text := strings.Join(strings.Fields(read(t, page)), " ") // a name may be broken over lines
		for _, name := range names {
			if want := Of(name).String(); !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", page, want)
			}
		}
	}
}

// claims are sentences about a least or a greatest version.
var claims = regexp.MustCompile(`(PostgreSQL|Ruby|Rails|Python|Node)(?:\.js)? (\d+(?:\.\d+)*)(?: or (?:newer|later)|\+)`)

// TestNobodyElseStatesAVersion looks for the least versions that pages, scripts and the image state for themselves. A
// feature may need more than the rest, and is then within the range.
func TestNobodyElseStatesAVersion(t *testing.T) {
	t.Parallel()
	var files []string
	for _, pattern := range []string{"README.md", "docs/*.md", "script/*", "script/lib/*", "Dockerfile", "compose.yaml", "executors/*.go", "executors/*/tasker_host/*", "sql/devdb/*.go"} {
		found, err := filepath.Glob(filepath.Join("..", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.IsDir() || strings.HasSuffix(file, "_test.go") {
			continue
		}
		for _, claim := range claims.FindAllStringSubmatch(read(t, strings.TrimPrefix(file, "../")), -1) {
			if verdict := Of(claim[1]).Judge(claim[2]); verdict != Supported {
				t.Errorf("%s says %q, and supported.txt %s", file, claim[0], Of(claim[1]))
			}
		}
	}
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("..", file))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
