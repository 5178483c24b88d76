package queue_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

// ragged is the number of random graphs that a test run draws by default; -rapid.checks sets another.
const ragged = "25"

func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", ragged); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	flag.Parse() // the command line overrides the default
	code := sqltest.Stop(m.Run())
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
