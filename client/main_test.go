package client_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/tasker-systems/tasker-worker/sql/sqltest"
)

func TestMain(m *testing.M) {
	code := sqltest.Stop(m.Run())
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
