package engine_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tasker-systems/tasker-worker/engine"
)

func TestClassify(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		failure engine.Failure
		want    engine.ErrorCategory
	}{
		"own timeout":           {engine.Failure{Class: engine.ClassTimeout}, engine.CategoryTimeout},
		"result too large":      {engine.Failure{Class: engine.ClassResultTooLarge, Permanent: true}, engine.CategoryPermanent},
		"protocol":              {engine.Failure{Class: engine.ClassProtocol}, engine.CategoryStateInconsistency},
		"crash":                 {engine.Failure{Class: engine.ClassExecutorCrashed, Details: []byte(`{"oom": false, "signal": 11}`)}, engine.CategoryTransient},
		"crash out of memory":   {engine.Failure{Class: engine.ClassExecutorCrashed, Details: []byte(`{"oom": true}`)}, engine.CategoryResourceExhaustion},
		"class of Ruby":         {engine.Failure{Class: "Net::ReadTimeout"}, engine.CategoryTimeout},
		"class of Python":       {engine.Failure{Class: "ConnectionRefusedError"}, engine.CategoryNetwork},
		"code of Node":          {engine.Failure{Class: "Error", Code: "ENOSPC"}, engine.CategoryResourceExhaustion},
		"permission":            {engine.Failure{Class: "PermissionError"}, engine.CategoryConfiguration},
		"status 429":            {engine.Failure{Class: "Tasker::RetryableError", Details: []byte(`{"response_status": 429}`)}, engine.CategoryRateLimit},
		"status 503":            {engine.Failure{Class: "Tasker::RetryableError", Details: []byte(`{"response_status": 503}`)}, engine.CategoryDependencyFailure},
		"code of status 404":    {engine.Failure{Class: "Tasker::PermanentError", Code: "HTTP_404", Permanent: true}, engine.CategoryPermanent},
		"code of status 401":    {engine.Failure{Class: "Tasker::PermanentError", Code: "HTTP_401", Permanent: true}, engine.CategoryConfiguration},
		"code of status 409":    {engine.Failure{Class: "Tasker::RetryableError", Code: "HTTP_409"}, engine.CategoryStateInconsistency},
		"not a status":          {engine.Failure{Class: "E", Code: "HTTP_9000"}, engine.CategoryTransient},
		"permanent":             {engine.Failure{Class: "Tasker::PermanentError", Permanent: true}, engine.CategoryPermanent},
		"any exception":         {engine.Failure{Class: "RuntimeError"}, engine.CategoryTransient},
		"words of the message":  {engine.Failure{Class: "RuntimeError", Message: "rate limit, timeout, network"}, engine.CategoryTransient},
		"a class with a prefix": {engine.Failure{Class: "My::Net::ReadTimeout"}, engine.CategoryTransient},
		"superclass":            {engine.Failure{Class: "Bank::Slow", Ancestors: []string{"Net::ReadTimeout", "Timeout::Error"}}, engine.CategoryTimeout},
		"class of the cause":    {engine.Failure{Class: "Tasker::RetryableError", CauseClass: "Errno::ECONNREFUSED"}, engine.CategoryNetwork},
		"nothing":               {engine.Failure{Message: "connection refused"}, engine.CategoryUnknown},
		"details are no object": {engine.Failure{Class: "E", Details: []byte(`[429]`)}, engine.CategoryTransient},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := engine.Classify(&row.failure); got != row.want {
				t.Errorf("category %s, want %s", got, row.want)
			}
		})
	}
}

var update = flag.Bool("update", false, "write the table of docs/errors.md anew")

const errorsPage = "../docs/errors.md"

// TestErrorsPageIsCurrent compares the table of docs/errors.md with the categories.
func TestErrorsPageIsCurrent(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	table.WriteString("| category | code | retry may help | failures | remedy |\n|---|---|---|---|---|\n")
	for _, info := range engine.ErrorCategories() {
		retry := map[bool]string{true: "yes", false: "no"}[info.Retryable]
		fmt.Fprintf(&table, "| `%s` | `%s` | %s | %s | %s |\n", info.Category, info.Code, retry, info.Meaning, info.Remedy)
	}
	data, err := os.ReadFile(errorsPage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(data), "| category |")
	_, tail, ended := strings.Cut(rest, "\n\n")
	if !found || !ended {
		t.Fatalf("%s has no table of categories", errorsPage)
	}
	want := head + table.String() + "\n" + tail
	if *update {
		if err := os.WriteFile(errorsPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Errorf("run go test ./engine -run ErrorsPage -update (-want +got):\n%s", diff)
	}
}
