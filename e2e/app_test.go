package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRubyHandlersRunInTheEnvironmentOfAnApp: TASKER_APP_ROOT names an app, whose code the handlers find.
func TestRubyHandlersRunInTheEnvironmentOfAnApp(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	template := "name: count\nnamespace_name: app\nversion: 1.0.0\nstep_templates:\n  - {name: count, handler_class: CountStock}\n"
	if err := os.WriteFile(filepath.Join(folder, "count.yaml"), []byte(template), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(repository, "e2e", "testdata")
	s := newLocalStage(t, "TASKER_TEMPLATES_DIR="+folder, "TASKER_EXECUTORS_DIR="+filepath.Join(data, "app_handlers"), "TASKER_APP_ROOT="+filepath.Join(data, "app"))
	s.startWorker(t)
	task := awaitEnd(t, s.pool(), create(t, s.pool(), "app", "count", "1.0.0", `{"article": "tea"}`))
	want := map[string]any{"count": map[string]any{"stock": 7.0, "folder": "app"}}
	if diff := cmp.Diff(want, results(t, task)); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}
