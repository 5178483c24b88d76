package queue_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// ragged is how many random graphs a plain run of the tests draws; -rapid.checks asks for more.
const ragged = "25"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", ragged); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	flag.Parse() // the command line has the last word
	code := sqltest.Stop(m.Run())
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
