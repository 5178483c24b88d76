package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const flickeringTests = `package p

import (
	"os"
	"testing"
)

func TestPasses(t *testing.T) {}

func TestFlickers(t *testing.T) {
	t.Run("at first", func(t *testing.T) {
		if _, err := os.Stat("seen"); err != nil {
			os.WriteFile("seen", nil, 0o600)
			t.Error("not seen before")
		}
	})
}
`

func TestFailedTestsRunOnceMore(t *testing.T) {
	for name, row := range map[string]struct {
		more  string
		again bool
		code  int
		want  string
	}{
		"one that passes then is said to flicker": {
			"", true, 0, "\nflickering, failed once and passed then:\n  p TestFlickers/at_first\n2 passed, 0 failed, 0 skipped\n",
		},
		"unless nobody asks":             {"", false, 1, "\nfailed:\n  p TestFlickers/at_first\n1 passed, 1 failed, 0 skipped\n"},
		"one that fails again fails":     {"func TestBroken(t *testing.T) { t.Error() }\n", true, 1, "  p TestBroken\n  p TestFlickers/at_first\n1 passed, 2 failed, 0 skipped\n"},
		"a package that ends early does": {"func TestPanics(t *testing.T) { panic(1) }\n", true, 1, "  p TestPanics\n1 passed, 2 failed, 0 skipped\n"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, content := range map[string]string{"go.mod": "module p\n", "p_test.go": flickeringTests + row.more} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(dir)
			t.Setenv("GOFLAGS", "-mod=mod")
			var out strings.Builder
			if code := run(&out, options{again: row.again}, []string{"./..."}); code != row.code {
				t.Errorf("exit code %d, want %d", code, row.code)
			}
			if !strings.HasSuffix(out.String(), row.want) {
				t.Errorf("it does not end with %q:\n%s", row.want, out.String())
			}
		})
	}
}
