package sql_test

import (
	"testing"
	"time"

	"github.com/tasker-systems/tasker-worker/sql"
)

func TestLogsOfATask(t *testing.T) {
	t.Parallel()
	b := setup(t, diamondYAML)
	task := b.create("diamond")
	b.tick(task)
	first := b.claim(task, "top")
	b.fail(first, false)
	b.passBackoff()
	second := b.claim(task, "top")
	line := func(token int64, n, attempt int, age time.Duration, message string) sql.AttemptLine {
		return sql.AttemptLine{
			Token: token, Line: n, StepID: first.Step.ID, Attempt: attempt, At: time.Now().Add(-age), Level: "info", Stream: "stdout", Message: message,
		}
	}
	lines := []sql.AttemptLine{
		line(first.Token, 1, 1, 3*time.Hour, "a"), line(first.Token, 2, 1, 2*time.Hour, "b"), line(second.Token, 1, 2, time.Second, "c"),
	}
	for range 2 { // an answer that was lost brings the same lines again
		if err := b.store.AppendLogs(t.Context(), lines); err != nil {
			t.Fatal(err)
		}
	}
	read := func(f sql.LogFilter) (text string) {
		t.Helper()
		found, err := b.store.AttemptLogs(t.Context(), task, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range found {
			text += l.Step + " " + l.Message + ","
		}
		return text
	}
	for _, test := range []struct {
		filter sql.LogFilter
		want   string
	}{
		{sql.LogFilter{}, "top a,top b,top c,"},
		{sql.LogFilter{Attempt: 1}, "top a,top b,"},
		{sql.LogFilter{Step: "left"}, ""},
		{sql.LogFilter{Seen: map[int64]int{first.Token: 1}}, "top b,top c,"},
		{sql.LogFilter{Seen: map[int64]int{first.Token: 2, second.Token: 1}}, ""},
	} {
		if got := read(test.filter); got != test.want {
			t.Errorf("%+v: %q, want %q", test.filter, got, test.want)
		}
	}
	if !b.step(task, "top").Logged || b.step(task, "left").Logged {
		t.Error("the task's steps do not say which of them has logged")
	}
	for _, want := range []int{1, 1, 0} { // the page is one line
		if forgotten, err := b.store.SweepLogs(t.Context(), time.Hour, 1); err != nil || forgotten != want {
			t.Errorf("swept %d lines (%v), want %d", forgotten, err, want)
		}
	}
	if got := read(sql.LogFilter{}); got != "top c," {
		t.Errorf("after the sweep: %q", got)
	}
}
