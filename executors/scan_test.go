package executors

import (
	"os"
	"path/filepath"
	"testing"
)

func TestAHostIsStartedForTheFilesThatItLoads(t *testing.T) {
	t.Parallel()
	tests := []struct {
		language Language
		file     string
		want     bool
	}{
		{Ruby, "shop/charge.rb", true},
		{Ruby, "shop/charge.py", false},
		{Ruby, "_charge_test.rb", false},
		{Ruby, "vendor/charge.rb", false},
		{Python, "shop/charge.py", true},
		{Python, "shop/_charge_test.py", false},
		{Node, "shop/charge.js", true},
		{Node, "charge.cjs", true},
		{Node, "charge.mjs", true},
		{Node, "shop/charge.ts", true},
		{Node, "charge.cts", true},
		{Node, "charge.mts", true},
		{Node, "charge.d.ts", false},
		{Node, "charge.d.mts", false},
		{Node, "node_modules/charge.ts", false},
	}
	for _, test := range tests {
		root := t.TempDir()
		path := filepath.Join(root, test.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, r := range runtimes() {
			if r.language != test.language {
				continue
			}
			if got, err := hasHandlerFiles(root, r.extensions); err != nil || got != test.want {
				t.Errorf("%s of %s: %v, %v", test.file, r.language, got, err)
			}
		}
	}
}
