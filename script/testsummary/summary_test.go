package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSummary(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		events string
		note   string
		want   string
	}{
		{
			name: "a package that passes is one line, and the rows of a table count",
			events: `{"Action":"run","Package":"p","Test":"TestTable"}
{"Action":"output","Package":"p","Test":"TestTable/a","Output":"=== RUN\n"}
{"Action":"pass","Package":"p","Test":"TestTable/a"}
{"Action":"pass","Package":"p","Test":"TestTable/b"}
{"Action":"pass","Package":"p","Test":"TestTable"}
{"Action":"output","Package":"p","Output":"PASS\n"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`,
			want: "ok  \tp\t0.1s\n2 passed, 0 failed, 0 skipped\n",
		},
		{
			name: "a failed subtest is printed in full and counted once",
			events: `{"Action":"run","Package":"p","Test":"TestTable"}
{"Action":"output","Package":"p","Test":"TestTable/a","Output":"=== RUN   TestTable/a\n"}
{"Action":"output","Package":"p","Test":"TestTable/a","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"p","Test":"TestTable/a"}
{"Action":"output","Package":"p","Test":"TestTable","Output":"--- FAIL: TestTable\n"}
{"Action":"fail","Package":"p","Test":"TestTable"}
{"Action":"output","Package":"p","Output":"FAIL\n"}
{"Action":"output","Package":"p","Output":"FAIL\tp\t0.1s\n"}
{"Action":"fail","Package":"p"}`,
			want: "got 1, want 2\n--- FAIL: TestTable\nFAIL\nFAIL\tp\t0.1s\n\nfailed:\n  p TestTable/a\n0 passed, 1 failed, 0 skipped\n",
		},
		{
			name: "a package that does not build counts as one failure and shows the compiler's words",
			events: `{"ImportPath":"p.test","Action":"build-output","Output":"p.go:1: undefined: x\n"}
{"ImportPath":"p.test","Action":"build-fail"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","FailedBuild":"p.test"}`,
			want: "p.go:1: undefined: x\nFAIL\tp [build failed]\n\nfailed:\n  p (the package itself)\n0 passed, 1 failed, 0 skipped\n",
		},
		{
			name: "a test that never ended failed, one that never had its turn did not",
			events: `{"Action":"run","Package":"p","Test":"TestWaits"}
{"Action":"pause","Package":"p","Test":"TestWaits"}
{"Action":"run","Package":"p","Test":"TestHangs"}
{"Action":"pause","Package":"p","Test":"TestHangs"}
{"Action":"cont","Package":"p","Test":"TestHangs"}
{"Action":"output","Package":"p","Test":"TestHangs","Output":"panic: test timed out\n"}
{"Action":"fail","Package":"p"}`,
			want: "panic: test timed out\n\nfailed:\n  p TestHangs\n0 passed, 1 failed, 0 skipped\n",
		},
		{
			name: "slashes in the name of a subtest make no test of their own",
			events: `{"Action":"run","Package":"p","Test":"TestPaths"}
{"Action":"run","Package":"p","Test":"TestPaths/a/b"}
{"Action":"fail","Package":"p","Test":"TestPaths/a/b"}
{"Action":"fail","Package":"p","Test":"TestPaths"}
{"Action":"fail","Package":"p"}`,
			want: "\nfailed:\n  p TestPaths/a/b\n0 passed, 1 failed, 0 skipped\n",
		},
		{
			name: "a skipped test says why",
			events: `{"Action":"output","Package":"p","Test":"TestDocker","Output":"    no engine answers\n"}
{"Action":"skip","Package":"p","Test":"TestDocker"}
{"Action":"output","Package":"p","Output":"ok  \tp\t0.1s\n"}
{"Action":"pass","Package":"p"}`,
			want: "p:\n    no engine answers\nok  \tp\t0.1s\n0 passed, 0 failed, 1 skipped\n",
		},
		{
			name: "the slowest tests come last, without those that group others",
			events: `{"Action":"run","Package":"p","Test":"TestTable"}
{"Action":"run","Package":"p","Test":"TestTable/a"}
{"Action":"pass","Package":"p","Test":"TestTable/a","Elapsed":3}
{"Action":"pass","Package":"p","Test":"TestTable","Elapsed":3.1}
{"Action":"pass","Package":"p","Test":"TestQuick","Elapsed":0.2}
{"Action":"pass","Package":"p","Test":"TestThird","Elapsed":1}
{"Action":"pass","Package":"p","Test":"TestSlow","Elapsed":12.34}`,
			want: "\nthe slowest tests:\n   12.3 s  p TestSlow\n    3.0 s  p TestTable/a\n4 passed, 0 failed, 0 skipped\n",
		},
		{
			name:   "what failed before the tests is named above the count",
			events: "not JSON\n",
			note:   "lint: failed",
			want:   "not JSON\nlint: failed\n0 passed, 0 failed, 0 skipped\n",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			s := newSummary(&out, false)
			if err := s.read(strings.NewReader(tt.events)); err != nil {
				t.Fatal(err)
			}
			s.close(tt.note, 2)
			if diff := cmp.Diff(tt.want, out.String()); diff != "" {
				t.Errorf("output differs (-want +got):\n%s", diff)
			}
		})
	}
}
