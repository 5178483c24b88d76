package main

import (
	"strings"
	"testing"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "DATABASE_URL="+sqltest.URL(t, sqltest.NewEmpty(t)))
	before := w.run(t, "migrate", "status")
	if before.code != exitSetup || !strings.Contains(before.stderr, "run: tasker-worker migrate up") {
		t.Errorf("status before: %+v, want exit code 2 and the command to run", before)
	}
	outputs := before.stdout
	for _, args := range []string{"migrate up", "migrate up", "migrate up --json", "migrate status", "migrate status --json"} {
		outputs += "$ " + args + "\n" + w.succeed(t, strings.Fields(args)...)
	}
	golden(t, "migrate", outputs)
}
