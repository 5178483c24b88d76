package executors

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChildEnvHoldsTheAllowedAndNothingOfTheDatabase(t *testing.T) {
	t.Parallel()
	own := []string{
		"PATH=/bin", "HOME=/h", "LC_TIME=C", "GEM_HOME=/g", "PYTHONPATH=/p", "NODE_ENV=production", "RAILS_ENV=production",
		"STRIPE_KEY=s", "OTHER=o", "DATABASE_URL=postgres://u:secret@h/d", "PGPASSWORD=secret", "TASKER_QUEUES=x", "AWS_SECRET=x",
	}
	c := Config{Environ: []string{"EXTRA=1"}, PassEnv: []string{"STRIPE_KEY"}}
	want := []string{
		"EXTRA=1", "GEM_HOME=/g", "HOME=/h", "LANG=C.UTF-8", "LC_TIME=C", "NODE_ENV=production", "PATH=/bin", "PYTHONPATH=/p",
		"PYTHONUNBUFFERED=1", "RAILS_ENV=production", "STRIPE_KEY=s", "TASKER_EXECUTOR_ID=ruby-1", "TASKER_PROTOCOL=1",
		"TASKER_RPC_IN_FD=3", "TASKER_RPC_OUT_FD=4", "TASKER_SCRATCH_DIR=/s",
	}
	got := c.childEnv(own, "ruby-1", "/s")
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	withLang := c.childEnv([]string{"LANG=de_DE.UTF-8"}, "ruby-1", "/s")
	if slices.Contains(withLang, "LANG=C.UTF-8") {
		t.Error("the worker's LANG is overridden")
	}
}
