package sql_test

import (
	"strings"
	"testing"
)

// A time that no program of ours can hold would stop the fetch of every task behind it.
func TestTimesBeyondTheCalendarAreRefused(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	for _, at := range []string{"infinity", "-infinity", "20000-01-01", "4713-01-01 BC"} {
		_, err := b.pool.Exec(t.Context(), `SELECT tasker.create_task('test', 'diamond', '1.0.0', '{}', requested_at => $1::text::timestamptz)`, at)
		if err == nil || !strings.Contains(err.Error(), "not in the years 1 to 9999") || !strings.Contains(err.Error(), "22023") {
			t.Errorf("%s: error is %v", at, err)
		}
	}
	if _, err := b.pool.Exec(t.Context(), `SELECT tasker.create_tasks('test', 'diamond', '1.0.0', NULL)`); err == nil ||
		!strings.Contains(err.Error(), "contexts must be an array") {
		t.Errorf("no contexts: error is %v", err)
	}
}

// Other programs write to the table too: such a task is claimed and shown like any other.
func TestTimesBeyondTheCalendarStopNothing(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"infinity", "-infinity", "20000-01-01", "4713-01-01 BC"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			b := setup(t, diamondYAML)
			id := b.create("diamond")
			b.exec(`UPDATE public.tasker_tasks SET requested_at = $1::text::timestamp WHERE task_id = $2`, at, id)
			b.succeed(b.claim(id, "top"))
			if year := b.task(id).RequestedAt.Year(); year < 1 || year > 9999 {
				t.Errorf("the task was requested in the year %d", year)
			}
		})
	}
}
