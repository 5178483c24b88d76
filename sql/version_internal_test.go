package sql

import (
	"strings"
	"testing"
)

func TestAServerThatIsTooOldIsRefused(t *testing.T) {
	t.Parallel()
	want := "the database server at db:5432 cannot be used: PostgreSQL 13.4 is too old: 15 or newer is needed"
	if got := versionReason("db:5432", "13.4"); !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, version := range []string{"15.2", "18beta1", "99.1", ""} {
		if got := versionReason("db:5432", version); got != "" {
			t.Errorf("%q is refused: %s", version, got)
		}
	}
}
