package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/sql"
	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestDoctor(t *testing.T) {
	t.Parallel()
	pool := sqltest.New(t)
	w := newWorld(t, "DATABASE_URL="+sqltest.URL(t, pool))
	for _, statement := range []string{
		`CREATE INDEX app_again ON public.tasker_workflow_steps (task_id)`,
		`ALTER TABLE public.tasker_workflow_steps RESET (fillfactor)`,
	} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}

	text := w.succeed(t, "doctor", "--rows", "50")
	for _, want := range []string{
		"Index public.app_again on public.tasker_workflow_steps (task_id) is redundant: index_workflow_steps_task_and_id begins with the same columns.\n  costs  ",
		" bytes of WAL and ", "         DROP INDEX CONCURRENTLY public.app_again;\n",
		"         ALTER TABLE public.tasker_workflow_steps SET (fillfactor = 60);\n", "dropping every redundant index (1) saves ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the text lacks %q:\n%s", want, text)
		}
	}

	var document sql.Diagnosis
	if err := json.Unmarshal([]byte(w.succeed(t, "doctor", "--rows", "0", "--json")), &document); err != nil {
		t.Fatal(err)
	}
	last := document.Findings[len(document.Findings)-1]
	if last.Kind != sql.FindingRedundantIndex || last.Object != "public.app_again" || last.Index.Cost != nil || len(document.Totals) > 0 {
		t.Errorf("without rows: %+v", document)
	}

	if got := w.run(t, "doctor", "--rows", "0", "--fail-on-findings"); got.code != exitFailure || got.stdout == "" || got.stderr != "" {
		t.Errorf("with findings: %+v, want exit code 1", got)
	}
}

func TestDoctorReleasesStepsInProgressWithoutAWorker(t *testing.T) {
	t.Parallel()
	w, pool := newShop(t)
	w.sync(t, pool)
	w.succeed(t, "task", "create", "shop/checkout@1.0.0", "--context", `{"amount": 7}`)
	for _, statement := range []string{
		`SELECT tasker.transition_step(min(workflow_step_id), 'in_progress', '{}') FROM public.tasker_workflow_steps`,
		`UPDATE public.tasker_workflow_step_transitions SET created_at = '2026-01-02 03:04:05'`,
	} {
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	const want = "is in progress since 03:04:05 UTC without a worker, as the Rails engine marks its own steps"
	if text := w.succeed(t, "task", "show", "1"); !strings.Contains(text, want) {
		t.Errorf("task show lacks %q:\n%s", want, text)
	}
	if text := w.succeed(t, "doctor", "--rows", "0"); !strings.Contains(text, "Steps in progress without a worker, as the Rails engine marks its own: 1,") {
		t.Errorf("the doctor says:\n%s", text)
	}
	if text := w.succeed(t, "doctor", "--release-abandoned", "--older-than", "1000000h"); text != "0 steps taken back\n" {
		t.Errorf("too young: %s", text)
	}
	text := w.succeed(t, "doctor", "--release-abandoned")
	if !strings.HasPrefix(text, "task 1: step ") || !strings.HasSuffix(text, ", in progress since 2026-01-02 03:04:05 UTC, was taken back\n1 step taken back\n") {
		t.Errorf("released: %s", text)
	}
	if text := w.succeed(t, "doctor", "--release-abandoned", "--json"); text != "{\n  \"released\": []\n}\n" {
		t.Errorf("released again: %s", text)
	}
	refused(t, w.run(t, "doctor", "--release-abandoned", "--older-than=-1s"), "--older-than is -1s; it must not be negative")
}

func TestDoctorNeedsAReadyDatabase(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "DATABASE_URL="+sqltest.URL(t, sqltest.NewEmpty(t)))
	if got := w.run(t, "doctor"); got.code != exitSetup || !strings.Contains(got.stderr, "tasker-worker migrate up") {
		t.Errorf("%+v, want exit code 2 and the command to run", got)
	}
}
